import LancerBytes
import LancerKernels

/// Called now and then during a build with a stage and the share of it that is done (0...1).
package typealias BuildProgress = @Sendable (_ stage: BuildStage, _ share: Double) -> Void

/// An index that was written.
package struct BuiltVectorIndex: Sendable {
    package var model: VectorIndexModel
    /// Rows in the index.
    package var rowCount: Int
    /// Rows that cannot be in an index: null, NaN or infinite, or zero with cosine.
    package var skippedRowCount: Int
    /// Rows of each partition.
    package var partitionSizes: [Int]
    /// Sizes of the two files.
    package var indexByteCount: UInt64
    package var auxiliaryByteCount: UInt64
}

/// Where a build writes a segment.
package struct SegmentSinks {
    package var index: any ByteSink
    package var auxiliary: any ByteSink
    /// Used if the rows do not fit in the memory.
    package var scratch: any ScratchSpace

    package init(index: any ByteSink, auxiliary: any ByteSink, scratch: any ScratchSpace) {
        self.index = index
        self.auxiliary = auxiliary
        self.scratch = scratch
    }
}

/// With what a build works.
package struct BuildMeans: Sendable {
    /// Bytes.
    package var memoryLimit: Int
    package var threads: Int
    /// Decides every random choice.
    package var seed: UInt64
    package var progress: BuildProgress

    package init(
        memoryLimit: Int,
        threads: Int,
        seed: UInt64 = 42,
        progress: @escaping BuildProgress = { _, _ in }
    ) {
        self.memoryLimit = memoryLimit
        self.threads = threads
        self.seed = seed
        self.progress = progress
    }
}

/// Builds segments.
package enum VectorIndexBuilder {
    /// Learns centroids and codes from a sample of rows.
    ///
    /// - Throws: `invalidArgument` for parameters that make no sense or fewer usable rows than ``VectorIndexParameters/leastRows``;
    ///   `limitExceeded` if the memory is too small for so many partitions; `CancellationError` when the task was cancelled.
    package static func train(
        _ source: any VectorSource,
        _ parameters: VectorIndexParameters,
        progress: @escaping BuildProgress = { _, _ in }
    ) async throws -> VectorIndexModel {
        let kept = parameters.memoryLimit / keptShare
        BufferPool.lower(to: kept)
        defer { BufferPool.raise(from: kept) }
        let control = BuildControl(threads: parameters.threads, progress: progress)
        return try await VectorIndexTrainer(source: source, parameters: parameters, control: control).run()
    }

    /// Writes a segment with all rows of a source.
    ///
    /// - Parameter model: trained, or that of the segment before.
    /// - Throws: `limitExceeded` if a graph does not fit in the memory, what source, sinks and scratch throw, `CancellationError`.
    package static func build(
        _ model: VectorIndexModel,
        _ source: any VectorSource,
        to sinks: SegmentSinks,
        with means: BuildMeans
    ) async throws -> BuiltVectorIndex {
        try await write(model, [], source, { $1 }, sinks, means)
    }

    /// Writes one segment with the rows of others, all of the same model, under new ids, and those of a source.
    ///
    /// - Parameters:
    ///   - segments: at least one; the first one's model is written.
    ///   - source: rows to add, or nil.
    ///   - remap: the new id of a row, which is told with its segment's place in `segments`; nil for a row that is to be left
    ///     out.
    /// - Throws: `invalidArgument` if models differ; as ``build(_:_:to:with:)``.
    package static func combine(
        _ segments: [VectorIndexSegment],
        adding source: (any VectorSource)? = nil,
        remap: @escaping @Sendable (_ segment: Int, _ rowID: UInt64) -> UInt64? = { $1 },
        to sinks: SegmentSinks,
        with means: BuildMeans
    ) async throws -> BuiltVectorIndex {
        guard let first = segments.first else { throw LanceError.invalidArgument("no segments to merge") }
        guard segments.allSatisfy({ $0.model.isCompatible(with: first.model) }) else {
            throw LanceError.invalidArgument("segments with different centroids or codes cannot be merged; train anew")
        }
        return try await write(first.model, segments, source, remap, sinks, means)
    }

    /// The part of the memory that freed buffers may wait in for their next use.
    private static let keptShare = 16

    private static func write(
        _ model: VectorIndexModel,
        _ segments: [VectorIndexSegment],
        _ source: (any VectorSource)?,
        _ remap: (Int, UInt64) -> UInt64?,
        _ sinks: SegmentSinks,
        _ means: BuildMeans
    ) async throws -> BuiltVectorIndex {
        let control = BuildControl(threads: means.threads, progress: means.progress)
        let kept = means.memoryLimit / keptShare
        BufferPool.lower(to: kept)
        defer { BufferPool.raise(from: kept) }
        // A third for waiting rows, the rest for blocks on their way, pages and a partition's rows and graph.
        let store = PartitionStore(
            partitionCount: model.partitionCount,
            codeBytes: model.codeByteCount,
            expectedRows: source?.rowCount ?? 0,
            byteLimit: means.memoryLimit / 3,
            scratch: sinks.scratch
        )
        defer { store.remove() }
        var skipped = 0
        if let source {
            let encoder = PartitionEncoder(model: model, control: control)
            let total = Double(max(source.rowCount, 1))
            var seen = 0
            try await source.forEachBlock { block in
                try control.check(.encode, min(1, Double(seen) / total))
                skipped += try encoder.add(block, to: store)
                seen += block.count
            }
            try control.check(.encode, 1)
        }
        try store.finish()
        var assembler = try SegmentAssembler(
            model,
            index: sinks.index,
            auxiliary: sinks.auxiliary,
            rowCount: store.sizes.reduce(0, +) + segments.reduce(0) { $0 + $1.rowCount },
            memoryLimit: means.memoryLimit,
            seed: means.seed,
            control: control
        )
        for partition in 0..<model.partitionCount {
            var rows = try store.rows(of: partition)
            for (place, segment) in segments.enumerated() {
                try await append(segment, partition, { remap(place, $0) }, &rows)
            }
            let rowIDs = rows.rowIDs
            try assembler.write(rowIDs: rowIDs, codes: rows.takeCodes())
        }
        return try assembler.finish(skipped: skipped)
    }

    /// Adds a segment's rows of a partition that are still wanted, under their new ids.
    private static func append(
        _ segment: VectorIndexSegment,
        _ partition: Int,
        _ remap: (UInt64) -> UInt64?,
        _ result: inout PartitionRows
    ) async throws {
        let range = segment.files.rows.ranges[partition]
        if range.isEmpty { return }
        let stored = try await segment.files.stored(range)
        let width = segment.model.codeByteCount
        let rows =
            segment.model.kind.compression == .product
            ? stored.codes.withUnsafeBytes { CodeOrder.rowMajor($0, count: range.count, width: width) } : stored.codes
        for (row, id) in stored.rowIDs.aligned(to: 8).withValues(of: UInt64.self, { Array($0) }).enumerated() {
            guard let new = remap(id) else { continue }
            result.rowIDs.append(new)
            result.codes.append(contentsOf: rows.slice(row * width..<(row + 1) * width))
        }
    }
}
