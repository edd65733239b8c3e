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

/// Builds segments.
package enum VectorIndexBuilder {
    /// Learns centroids and codes from a sample of rows.
    ///
    /// - Throws: `invalidArgument` for parameters that make no sense or fewer usable rows than ``VectorIndexParameters/leastRows``;
    ///   `CancellationError` when the task was cancelled.
    package static func train(
        _ source: any VectorSource,
        _ parameters: VectorIndexParameters,
        progress: @escaping BuildProgress = { _, _ in }
    ) async throws -> VectorIndexModel {
        throw LanceError.unsupported("training of vector indexes")
    }

    /// Writes a segment with all rows of a source.
    ///
    /// - Parameters:
    ///   - model: trained, or that of the segment before.
    ///   - scratch: used if the rows do not fit in `memoryLimit` bytes.
    /// - Throws: `limitExceeded` if a graph does not fit in the memory, what source, sinks and scratch throw, `CancellationError`.
    package static func build(
        _ model: VectorIndexModel,
        _ source: any VectorSource,
        index: any ByteSink,
        auxiliary: any ByteSink,
        scratch: any ScratchSpace,
        memoryLimit: Int,
        threads: Int,
        seed: UInt64 = 42,
        progress: @escaping BuildProgress = { _, _ in }
    ) async throws -> BuiltVectorIndex {
        throw LanceError.unsupported("building of vector indexes")
    }

    /// Writes one segment with the rows of others, all of the same model, under new ids, and those of a source.
    ///
    /// - Parameters:
    ///   - segments: at least one; the first one's model is written.
    ///   - source: rows to add, or nil.
    ///   - remap: the new id of a row, or nil for a row that is to be left out. Called from several threads.
    /// - Throws: `invalidArgument` if models differ; as ``build(_:_:index:auxiliary:scratch:memoryLimit:threads:seed:progress:)``.
    package static func combine(
        _ segments: [VectorIndexSegment],
        adding source: (any VectorSource)? = nil,
        remap: @escaping @Sendable (UInt64) -> UInt64? = { $0 },
        index: any ByteSink,
        auxiliary: any ByteSink,
        scratch: any ScratchSpace,
        memoryLimit: Int,
        threads: Int,
        seed: UInt64 = 42,
        progress: @escaping BuildProgress = { _, _ in }
    ) async throws -> BuiltVectorIndex {
        throw LanceError.unsupported("merging of vector indexes")
    }
}
