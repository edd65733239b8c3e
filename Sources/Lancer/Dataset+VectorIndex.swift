import LancerBytes
import LancerIndex
import LancerStorage
import LancerTable

/// What a long computation on an index is at.
public struct IndexProgress: Sendable, Hashable {
    /// The work in one word: `partitions` (finding the centroids), `codebook` (learning the codes), `encode` (assigning and
    /// encoding the rows), `graph`.
    public let stage: String
    /// The share of the stage that is done, 0 to 1.
    public let share: Double
}

/// How an index of vectors is made.
public struct VectorIndexOptions: Sendable, Hashable {
    /// Its name; nil for `<column>_idx`.
    public var name: String?
    /// Whether an index of that name is replaced; else it is an error.
    public var replace = false
    /// Rows that a partition shall have, where the number of partitions is not given; nil for the kind's usual size.
    public var targetPartitionSize: Int?
    /// Rows sampled for each partition to find the centroids.
    public var sampleRate = 256
    /// Rounds of k-means at most.
    public var iterations = 25
    /// Decides every random choice: the same rows, settings and seed give the same bytes.
    public var seed: UInt64 = 42
    /// Bytes that the build may use, at least 16 MiB; what does not fit goes to scratch files beside the table's. The
    /// program and what it reads ahead take about 64 MiB besides.
    public var memoryLimit = 2 << 30
    /// Threads; nil for one for each core. The result does not depend on it.
    public var threads: Int?
    /// Whether the call returns only when its bytes would survive a loss of power.
    public var durable = true
    /// Text kept with the new version, shown by ``Dataset/versions()``.
    public var message: String?

    /// The defaults, to be changed one by one.
    public init() {}
}

/// How indices are brought up to date: see ``Dataset/optimizeIndices(_:progress:)``.
public struct OptimizeIndexOptions: Sendable, Hashable {
    /// What is done with the segments there are.
    public enum Mode: Sendable, Hashable {
        /// New rows get a segment of their own, with the centroids and codes of the newest one. Cheap; each segment makes
        /// searches a little slower.
        case append
        /// New rows and the newest so many segments become one.
        case merge(Int)
        /// All rows get one segment, trained anew: when the data have changed, or segments were trained apart.
        case retrain
    }

    /// What is done.
    public var mode = Mode.append
    /// Names of indices; nil for all that Lancer can write.
    public var names: [String]?
    /// Bytes that the work may use.
    public var memoryLimit = 2 << 30
    /// Threads; nil for one for each core.
    public var threads: Int?
    /// Decides every random choice.
    public var seed: UInt64 = 42
    /// Whether the call returns only when its bytes would survive a loss of power.
    public var durable = true
    /// Text kept with the new version.
    public var message: String?

    /// The defaults, to be changed one by one.
    public init() {}

    /// The defaults with another mode.
    public init(_ mode: Mode) { self.mode = mode }
}

/// What ``Dataset/optimizeIndices(_:progress:)`` did.
public struct IndexOptimizationResult: Sendable {
    /// What was done with one index.
    public struct Index: Sendable, Hashable {
        /// What was done.
        public enum Action: String, Sendable, Hashable {
            /// It covers all rows already.
            case nothing
            /// New rows got a segment.
            case appended
            /// Segments became one.
            case merged
            /// It was trained, anew or for the first time.
            case trained
            /// It is of a kind that Lancer does not write; ``Index/note`` says why.
            case skipped
        }

        /// Its name.
        public let name: String
        /// What was done.
        public let action: Action
        /// Rows in the segment that was written.
        public let rowCount: Int
        /// Why it was skipped.
        public let note: String?
    }

    /// The new version; the old one when nothing was to be done.
    public let dataset: Dataset
    /// The indices looked at.
    public let indices: [Index]
}

extension Dataset {
    /// Makes an index of a column's vectors, so that ``nearest(to:on:k:where:columns:options:onWarning:)`` need not compare
    /// every row.
    ///
    /// ```swift
    /// let indexed = try await dataset.createVectorIndex(
    ///     on: "embedding", .ivfPQ(partitions: 256, subVectors: 48), metric: .cosine)
    /// ```
    ///
    /// Rows whose vector is null, not finite, or zero where the metric is cosine, are not in the index. Rows added later
    /// are found all the same, by comparing them, until ``optimizeIndices(_:progress:)`` takes them in. A table with too
    /// few rows (PQ: fewer than it has codewords) gets an index without rows, which that call trains when there are enough.
    /// The files are written before the index is committed; when other writers move the rows meanwhile, it is built again.
    ///
    /// - Parameters:
    ///   - column: A column of vectors: fixed-size lists of floats of 16, 32 or 64 bits.
    ///   - kind: How the vectors are kept.
    ///   - metric: The metric of searches that use it.
    ///   - options: Name, seed, memory and so on.
    ///   - progress: Called now and then, from any thread.
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `alreadyExists` when there is an index of the name, `notFound` for a column that does not exist,
    ///   `invalidArgument` for settings that make no sense or a column without a usable vector, `limitExceeded` when the
    ///   memory does not suffice, `conflict`, `corrupt`, `io`, or `CancellationError`. The table is as it was then.
    public func createVectorIndex(
        on column: String,
        _ kind: VectorIndexKind,
        metric: DistanceMetric = .l2,
        options: VectorIndexOptions = VectorIndexOptions(),
        progress: @escaping @Sendable (IndexProgress) -> Void = { _ in }
    ) async throws -> Dataset {
        let vectors = try VectorColumn(column, of: table.manifest.schema)
        var parameters = kind.parameters(metric, vectors.element, dimension: vectors.dimension)
        parameters.targetPartitionSize = options.targetPartitionSize
        parameters.sampleRate = options.sampleRate
        parameters.iterations = options.iterations
        parameters.seed = options.seed
        parameters.memoryLimit = options.memoryLimit
        parameters.threads = options.threads ?? Machine.coreCount
        let store = LocalStore(root: table.store.root, durable: options.durable)
        let table = try await table.storing(in: store).createVectorIndex(
            on: vectors,
            name: options.name,
            replacing: options.replace,
            parameters,
            commitMessage: options.message
        ) { stage, share in progress(IndexProgress(stage: stage.rawValue, share: share)) }
        return try Dataset(path: path, table: table)
    }

    /// Makes indices of vectors cover the rows that were added since they were made.
    ///
    /// - Parameter progress: Called now and then, from any thread.
    /// - Throws: `notFound` for a name that no index has, `invalidArgument` when segments to be merged were trained apart,
    ///   `limitExceeded`, `conflict`, `corrupt`, `io`, or `CancellationError`. Indices done before an error stay so.
    public func optimizeIndices(
        _ options: OptimizeIndexOptions = OptimizeIndexOptions(),
        progress: @escaping @Sendable (IndexProgress) -> Void = { _ in }
    ) async throws -> IndexOptimizationResult {
        var work = IndexOptimization()
        switch options.mode {
        case .append: work.mode = .append
        case .merge(let count):
            guard count >= 0 else { throw LanceError.invalidArgument("\(count) segments to merge") }
            work.mode = .merge(count)
        case .retrain: work.mode = .retrain
        }
        work.names = options.names
        work.memoryLimit = options.memoryLimit
        work.threads = options.threads ?? Machine.coreCount
        work.seed = options.seed
        work.commitMessage = options.message
        let store = LocalStore(root: table.store.root, durable: options.durable)
        let (new, done) = try await table.storing(in: store).optimizeIndices(work) { stage, share in
            progress(IndexProgress(stage: stage.rawValue, share: share))
        }
        return IndexOptimizationResult(
            dataset: try Dataset(path: path, table: new),
            indices: done.map { IndexOptimizationResult.Index($0) }
        )
    }
}

extension IndexOptimizationResult.Index {
    fileprivate init(_ index: OptimizedIndex) {
        name = index.name
        action =
            switch index.action {
            case .nothing: .nothing
            case .appended: .appended
            case .merged: .merged
            case .trained: .trained
            case .skipped: .skipped
            }
        rowCount = index.rowCount
        note = index.note
    }
}
