import LancerBytes
import LancerKernels

/// Rows of a partition that are put together.
struct PartitionRows: ~Copyable {
    var rowIDs: [UInt64]
    /// Vectors or codes, row by row.
    var codes: BufferBuilder

    /// Ends the putting together.
    consuming func takeCodes() -> ArrowBuffer { codes.finish() }
}

/// Collects rows of an index by partition, in memory up to a limit, then in scratch files.
///
/// Rows of a partition come back in the order in which they were added.
final class PartitionStore {
    /// Rows sorted by partition in a scratch file.
    private struct Run {
        var file: any ScratchFile
        /// First row of each partition; one more at the end.
        var starts: [Int]
    }

    private let partitionCount: Int
    private let codeBytes: Int
    private let byteLimit: Int
    private let scratch: any ScratchSpace
    private var runs: [Run] = []
    /// Rows that wait: partition, and record of id and codes.
    private var partitions: [UInt32] = []
    private var records: BufferBuilder
    private(set) var sizes: [Int]
    /// The waiting rows in the order of partitions, once all are added.
    private var order: [UInt32] = []
    private var starts: [Int] = []

    /// - Parameter expectedRows: rows that will be added, about.
    init(partitionCount: Int, codeBytes: Int, expectedRows: Int, byteLimit: Int, scratch: any ScratchSpace) {
        // Room from the start: memory that grows is there twice for a while.
        records = BufferBuilder(
            capacity: min(expectedRows.multipliedSaturated(8 + codeBytes), max(byteLimit, 1 << 20) / 8 * 9)
        )
        self.partitionCount = partitionCount
        self.codeBytes = codeBytes
        self.byteLimit = max(byteLimit, 1 << 20)
        self.scratch = scratch
        sizes = Array(repeating: 0, count: partitionCount)
    }

    private var recordBytes: Int { 8 + codeBytes }

    /// Adds rows whose codes lie one after another; those of partition `CentroidPanels.none` are left out.
    ///
    /// - Returns: how many were left out.
    func add(
        _ count: Int,
        partition: UnsafePointer<UInt32>,
        rowID: (Int) -> UInt64,
        codes: UnsafeRawPointer
    ) throws(LanceError) -> Int {
        var left = 0
        records.reserve(count * recordBytes)
        for r in 0..<count {
            guard Int(partition[r]) < partitionCount else {
                left += 1
                continue
            }
            partitions.append(partition[r])
            sizes[Int(partition[r])] += 1
            records.append(rowID(r))
            records.append(UnsafeRawBufferPointer(start: codes + r * codeBytes, count: codeBytes))
        }
        // Growing memory may be twice what is in it, and each row has its number besides.
        if records.count + 8 * partitions.count > byteLimit { try spill() }
        return left
    }

    /// Ends the adding.
    func finish() throws(LanceError) {
        if runs.isEmpty {
            (order, starts) = sorted()
        } else {
            try spill()
            // What comes now needs the memory.
            records = BufferBuilder()
            partitions = []
        }
    }

    /// Deletes scratch files.
    func remove() {
        for run in runs { run.file.remove() }
        runs = []
    }

    /// The waiting rows' numbers by partition, in the order of adding, and where each partition's begin.
    private func sorted() -> (order: [UInt32], starts: [Int]) {
        var starts = [Int](repeating: 0, count: partitionCount + 1)
        for partition in partitions { starts[Int(partition) + 1] += 1 }
        for p in 0..<partitionCount { starts[p + 1] += starts[p] }
        var next = starts
        var order = [UInt32](repeating: 0, count: partitions.count)
        for (row, partition) in partitions.enumerated() {
            order[next[Int(partition)]] = UInt32(truncatingIfNeeded: row)
            next[Int(partition)] += 1
        }
        return (order, starts)
    }

    private func spill() throws(LanceError) {
        if partitions.isEmpty { return }
        let (order, starts) = sorted()
        let file = try scratch.makeFile()
        runs.append(Run(file: file, starts: starts))
        let step = max(1, (1 << 20) / recordBytes)
        for begin in stride(from: 0, to: order.count, by: step) {
            let part = order[begin..<min(order.count, begin + step)]
            var block = BufferBuilder(capacity: part.count * recordBytes)
            records.withUnsafeBytes { records in
                for row in part {
                    block.append(UnsafeRawBufferPointer(rebasing: records[record(row)]))
                }
            }
            try block.withUnsafeBytes { (bytes) throws(LanceError) in try file.append(bytes) }
        }
        partitions.removeAll(keepingCapacity: true)
        records.truncate(to: 0)
    }

    private func record(_ row: UInt32) -> Range<Int> { Int(row) * recordBytes..<(Int(row) + 1) * recordBytes }

    /// The rows of a partition.
    func rows(of partition: Int) throws(LanceError) -> PartitionRows {
        var ids: [UInt64] = []
        ids.reserveCapacity(sizes[partition])
        var codes = BufferBuilder(capacity: sizes[partition] * codeBytes)
        for run in runs {
            let count = run.starts[partition + 1] - run.starts[partition]
            if count == 0 { continue }
            let bytes = try run.file.read(
                offset: run.starts[partition] * recordBytes,
                count: count * recordBytes
            )
            guard bytes.count == count * recordBytes else { throw .truncated("a scratch file of an index build") }
            bytes.withUnsafeBytes { bytes in
                for r in 0..<count { split(bytes, at: r * recordBytes, &ids, &codes) }
            }
        }
        if runs.isEmpty {
            records.withUnsafeBytes { records in
                for i in starts[partition]..<starts[partition + 1] {
                    split(records, at: Int(order[i]) * recordBytes, &ids, &codes)
                }
            }
        }
        return PartitionRows(rowIDs: ids, codes: codes)
    }

    private func split(
        _ bytes: UnsafeRawBufferPointer,
        at start: Int,
        _ ids: inout [UInt64],
        _ codes: inout BufferBuilder
    ) {
        ids.append(bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        codes.append(UnsafeRawBufferPointer(rebasing: bytes[start + 8..<start + recordBytes]))
    }
}
