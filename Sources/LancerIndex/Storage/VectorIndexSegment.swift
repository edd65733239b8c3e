import LancerBytes
import LancerFile
import LancerKernels

/// One segment of a vector index: the files `index.idx` and `auxiliary.idx`, opened.
///
/// Distances it returns: flat |q − x|², 1 − cos, 1 − q·x; product and scalar quantisation with l2 approximations of |q − x|², with
/// cosine of |q − x|² between unit vectors (twice 1 − cos), with dot of 1 − q·x. Queries are rounded to the column's numbers
/// first where those are halves; vectors of doubles are compared as floats.
package final class VectorIndexSegment: Sendable {
    package let model: VectorIndexModel
    /// Rows of each partition.
    package let partitionSizes: [Int]
    /// Rows in all partitions.
    package let rowCount: Int
    /// Size of the two files.
    package let byteCount: UInt64
    let files: SegmentFiles
    let cache: PartitionCache
    /// The segment's number in the cache.
    let number: UInt64
    let scanners: ScannerPool

    /// Opens a segment.
    ///
    /// - Parameters:
    ///   - element: type of the column's numbers, if it is to be checked; likewise `dimension`.
    ///   - cache: shared by all segments that shall keep to one limit.
    /// - Throws: `corrupt`, `truncated`; `unsupported` naming a kind or metric that Lancer does not know; `schemaMismatch` if
    ///   the column is another than the index is for.
    package static func open(
        index: any RangeSource,
        auxiliary: any RangeSource,
        element: VectorElementType? = nil,
        dimension: Int? = nil,
        cache: PartitionCache
    ) async throws -> VectorIndexSegment {
        let files = try await SegmentFiles.open(index: index, auxiliary: auxiliary)
        let model = files.model
        guard (element ?? model.element) == model.element, (dimension ?? model.dimension) == model.dimension else {
            throw LanceError.schemaMismatch(
                "the index is for vectors of \(model.dimension) \(model.element.rawValue) numbers, the column has "
                    + "\(dimension ?? model.dimension) \((element ?? model.element).rawValue) numbers"
            ).located(file: index.path)
        }
        return VectorIndexSegment(files, cache)
    }

    private init(_ files: SegmentFiles, _ cache: PartitionCache) {
        self.files = files
        self.cache = cache
        model = files.model
        partitionSizes = files.rows.ranges.map(\.count)
        rowCount = files.rows.rowCount
        byteCount = files.index.source.size + files.auxiliary.source.size
        number = cache.newSegment()
        scanners = ScannerPool(files.model)
    }

    deinit { cache.forget(number) }

    /// Reads all partitions into the cache, as far as its limit allows.
    package func prewarm() async throws {
        var bytes = 0
        var wanted: [Int] = []
        for number in partitionSizes.indices where partitionSizes[number] > 0 {
            bytes += partitionSizes[number] * model.rowByteCount
            if bytes > cache.byteLimit { break }
            wanted.append(number)
            if wanted.count == 64 {
                _ = try await load(wanted)
                wanted.removeAll()
            }
        }
        _ = try await load(wanted)
    }

    /// Reads and decodes every partition, keeping none: for checks.
    ///
    /// - Throws: `corrupt`, `truncated`, what the source throws.
    package func readAll() async throws {
        for run in runs(partitionSizes.indices.filter { partitionSizes[$0] > 0 }) {
            try Task.checkCancellation()
            _ = try await files.decoded(run)
        }
    }

    /// The ids of a partition's rows, in the order of the file.
    package func rowIDs(ofPartition partition: Int) async throws -> [UInt64] {
        guard partitionSizes.indices.contains(partition) else {
            throw LanceError.invalidArgument("partition \(partition) of an index with \(partitionSizes.count)")
        }
        if partitionSizes[partition] == 0 { return [] }
        let buffer = try await files.stored(files.rows.ranges[partition]).rowIDs
        return buffer.aligned(to: 8).withValues(of: UInt64.self) { Array($0) }
    }

    /// Partitions, from the cache or from the files.
    func load(_ numbers: [Int]) async throws -> [DecodedPartition] {
        let kept = cache.partitions(numbers, of: number)
        if kept.allSatisfy({ $0 != nil }) { return kept.compactMap { $0 } }
        var found: [Int: DecodedPartition] = [:]
        for (number, partition) in zip(numbers, kept) { if let partition { found[number] = partition } }
        for run in runs(numbers.filter { found[$0] == nil }.sorted()) {
            try Task.checkCancellation()
            for (partition, decoded) in zip(run, try await files.decoded(run)) {
                cache.store(decoded, partition, of: number)
                found[partition] = decoded
            }
        }
        return numbers.compactMap { found[$0] }
    }

    /// Ascending numbers as runs of neighbours that are read together.
    private func runs(_ numbers: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var bytes = 0
        for number in numbers {
            let size = partitionSizes[number] * model.rowByteCount
            if let last = runs.last, last.upperBound == number, bytes + size <= SegmentFiles.readBytes {
                runs[runs.count - 1] = last.lowerBound..<number + 1
                bytes += size
            } else if runs.last?.contains(number) != true {
                runs.append(number..<number + 1)
                bytes = size
            }
        }
        return runs
    }
}
