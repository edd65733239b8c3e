import LancerBytes
import LancerFile
import LancerIndex
import LancerProto
import LancerStorage
import SwiftProtobuf

/// How indices are brought up to date.
package struct IndexOptimization: Sendable {
    /// What is done with the segments there are.
    package enum Mode: Sendable, Hashable {
        /// New rows get a segment of their own.
        case append
        /// New rows and the newest so many segments become one.
        case merge(Int)
        /// All rows get one segment, trained anew.
        case retrain
    }

    package var mode = Mode.append
    /// Names of indices; nil for all that Lancer can write.
    package var names: [String]?
    /// Bytes that the work may use.
    package var memoryLimit = 2 << 30
    package var threads = Machine.coreCount
    package var seed: UInt64 = 42
    package var commitMessage: String?

    package init() {}
}

/// What was done with an index.
package struct OptimizedIndex: Sendable, Hashable {
    package enum Action: String, Sendable, Hashable {
        /// It covers all rows already.
        case nothing
        /// New rows got a segment.
        case appended
        /// Segments were merged.
        case merged
        /// It was trained anew, or for the first time.
        case trained
        /// It is of a kind that Lancer does not write.
        case skipped
    }

    package var name: String
    package var action: Action
    /// Rows of the segment that was written.
    package var rowCount: Int
    /// Why it was skipped.
    package var note: String?
}

extension Table {
    /// Makes indices cover the rows added since they were made.
    ///
    /// - Returns: The new version, this one when there was nothing to do, and what was done.
    /// - Throws: `notFound` for a name that no index has, `invalidArgument` when segments that are to be merged have
    ///   different models, `conflict`, `corrupt`, `io`, `CancellationError`.
    package func optimizeIndices(
        _ options: IndexOptimization,
        progress: @escaping IndexProgress
    ) async throws -> (table: Table, done: [OptimizedIndex]) {
        var table = self
        var names: [String] = []
        for entry in try manifest.indexEntries() where !names.contains(entry.name) { names.append(entry.name) }
        if let wanted = options.names {
            for name in wanted where !names.contains(name) { throw try noIndex(named: name) }
            names = wanted
        } else {
            names.removeAll { $0.hasPrefix("__lance_") }
        }
        var done: [OptimizedIndex] = []
        for name in names {
            var report = OptimizedIndex(name: name, action: .nothing, rowCount: 0)
            table = try await table.retrying { current in
                let work = IndexOptimizer(current, name, options, progress)
                let (next, result) = try await work.run()
                report = result
                return next
            }
            done.append(report)
        }
        return (table, done)
    }
}

/// Brings one index up to date.
private struct IndexOptimizer {
    private let table: Table
    private let name: String
    private let options: IndexOptimization
    private let progress: IndexProgress

    init(_ table: Table, _ name: String, _ options: IndexOptimization, _ progress: @escaping IndexProgress) {
        self.table = table
        self.name = name
        self.options = options
        self.progress = progress
    }

    private func skipped(_ note: String) -> (Table, OptimizedIndex) {
        (table, OptimizedIndex(name: name, action: .skipped, rowCount: 0, note: note))
    }

    func run() async throws -> (Table, OptimizedIndex) {
        try table.manifest.writerFlags.requireKnown(to: "write")
        let all = try table.manifest.indexEntries()
        let entries = all.filter { $0.name == name }
        guard let latest = entries.last else { throw try table.noIndex(named: name) }
        guard entries.allSatisfy({ $0.mayBeVectorIndex && $0.hasKnownVersion }) else {
            return skipped("its kind, \(latest.typeName), is not written by Lancer")
        }
        if entries.contains(where: {
            $0.vector?.compression == .rabit || ($0.vector != nil && $0.vector?.metric == nil)
        }) {
            return skipped("its kind, \(latest.typeName), is not written by Lancer")
        }
        guard let fieldID = latest.fieldIDs.first else { throw LanceError.corrupt("index \"\(name)\" is on no field") }
        let column = try VectorColumn(fieldID: fieldID, of: table.manifest.schema)
        let reuses = all.contains { $0.name == "__lance_frag_reuse" } && !table.manifest.hasStableRowIDs
        if reuses, options.mode != .retrain {
            return skipped(
                "fragments were compacted without their indices; optimize it with the program that did so, or retrain it"
            )
        }
        var segments: [(entry: IndexEntry, segment: VectorIndexSegment)] = []
        for entry in entries where !entry.fragments.isEmpty || !entry.message.files.isEmpty {
            let segment: VectorIndexSegment
            do {
                segment = try await table.files.indices.open(entry, column, table.manifest, table.files)
            } catch let error as LanceError where error.code == .unsupported {
                return skipped(error.message)
            }
            segments.append((entry, segment))
        }
        let covered = Set(segments.flatMap { $0.entry.fragments.map { UInt64($0) } })
        var new: [Fragment] = []
        for fragment in table.manifest.fragments where !covered.contains(fragment.id) {
            if try await table.files.liveRowCount(of: fragment, table.manifest) > 0 { new.append(fragment) }
        }
        if segments.isEmpty || options.mode == .retrain {
            return try await train(entries, segments.last?.segment.model, column)
        }
        let source = new.isEmpty ? nil : try await TableVectors(table, column, new, memoryLimit: options.memoryLimit)
        if case .merge(let count) = options.mode, count > 0 {
            let last = Array(segments.suffix(count))
            // One segment by itself is as it should be.
            if last.count == 1, source == nil { return nothing }
            return try await merge(last, source, new, column)
        }
        guard let source, let model = segments.last?.segment.model else { return nothing }
        return try await append(model, source, new, column, latest)
    }

    private var nothing: (Table, OptimizedIndex) { (table, OptimizedIndex(name: name, action: .nothing, rowCount: 0)) }

    /// A segment with the rows of fragments that no segment covers, by the newest segment's model.
    private func append(
        _ model: VectorIndexModel,
        _ source: TableVectors,
        _ new: [Fragment],
        _ column: VectorColumn,
        _ latest: IndexEntry
    ) async throws -> (Table, OptimizedIndex) {
        let details = try details(latest, model)
        let (next, rows) = try await table.commitSegment(place(column), fragments: new.map(\.id), details: details) {
            try await VectorIndexBuilder.build(model, source, to: $0, with: means)
        }
        return (next, OptimizedIndex(name: name, action: .appended, rowCount: rows))
    }

    private func place(_ column: VectorColumn, replacing old: [IndexEntry] = []) -> SegmentPlace {
        SegmentPlace(name: name, column: column, replaced: old, commitMessage: options.commitMessage)
    }

    private var means: BuildMeans {
        BuildMeans(
            memoryLimit: options.memoryLimit,
            threads: options.threads,
            seed: options.seed,
            progress: progress
        )
    }

    /// One segment of several, and of the rows of fragments that no segment covers.
    private func merge(
        _ parts: [(entry: IndexEntry, segment: VectorIndexSegment)],
        _ source: TableVectors?,
        _ new: [Fragment],
        _ column: VectorColumn
    ) async throws -> (Table, OptimizedIndex) {
        for part in parts.dropFirst() where !part.segment.model.isCompatible(with: parts[0].segment.model) {
            throw LanceError.invalidArgument(
                "the segments of index \"\(name)\" were trained apart and cannot be merged; retrain it"
            )
        }
        var live: [RowSelection] = []
        for part in parts { live.append(try await table.liveRows(of: part.entry)) }
        let selections = live
        var fragments = Set(new.map(\.id))
        for part in parts { fragments.formUnion(table.covered(by: part.entry).map(\.id)) }
        let (next, rows) = try await table.commitSegment(
            place(column, replacing: parts.map(\.entry)),
            fragments: fragments,
            version: parts.map(\.entry.datasetVersion).min(),
            details: try details(parts[parts.count - 1].entry, parts[0].segment.model)
        ) {
            try await VectorIndexBuilder.combine(
                parts.map(\.segment),
                adding: source,
                remap: { segment, id in selections[segment].allows(id) ? id : nil },
                to: $0,
                with: means
            )
        }
        return (next, OptimizedIndex(name: name, action: .merged, rowCount: rows))
    }

    /// One segment of all rows, trained anew with the settings the index was made with.
    private func train(
        _ entries: [IndexEntry],
        _ model: VectorIndexModel?,
        _ column: VectorColumn
    ) async throws -> (Table, OptimizedIndex) {
        guard var parameters = try parameters(entries[entries.count - 1].vector, model, column) else {
            return skipped("nothing says of which kind it is")
        }
        let source = try await TableVectors(
            table,
            column,
            table.manifest.fragments,
            memoryLimit: options.memoryLimit
        )
        if source.rowCount < parameters.leastRows { return nothing }
        if let model, (entries[entries.count - 1].vector?.targetPartitionSize ?? 0) == 0 {
            // The number of partitions was not chosen by anybody, or not noted: it stays unless the table outgrew it.
            let usual = parameters.partitionCount(rows: source.rowCount)
            if usual <= model.partitionCount { parameters.partitions = model.partitionCount }
        }
        let next = try await table.train(source, parameters, place(column, replacing: entries), progress)
        return (next, OptimizedIndex(name: name, action: .trained, rowCount: source.rowCount))
    }

    /// The settings of an index from what the manifest says of it, or else from its model.
    private func parameters(
        _ details: VectorIndexDetails?,
        _ model: VectorIndexModel?,
        _ column: VectorColumn
    ) throws(LanceError) -> VectorIndexParameters? {
        guard let metric = model?.metric ?? details?.metric, let name = model?.kind.rawValue ?? details?.typeName else {
            return nil
        }
        let kind = try VectorIndexKind(named: name)
        var result = VectorIndexParameters(
            kind: kind,
            metric: metric,
            element: column.element,
            dimension: column.dimension
        )
        if let product = model?.product {
            result.subVectors = product.subvectors
            result.bits = product.bits
        } else if case .product(let subVectors, let bits)? = details?.compression {
            if subVectors > 0 { result.subVectors = subVectors }
            if bits > 0 { result.bits = bits }
        }
        if let graph = model?.graph, kind.hasGraph {
            result.maxConnections = graph.maxConnections
            result.efConstruction = graph.efConstruction
            result.maxLevel = graph.maxLevel
        } else if let graph = details?.graph {
            result.maxConnections = graph.maxConnections
            result.efConstruction = graph.constructionEf
            result.maxLevel = graph.maxLevel
        }
        if let size = details?.targetPartitionSize, size > 0 { result.targetPartitionSize = size }
        result.memoryLimit = options.memoryLimit
        result.threads = options.threads
        result.seed = options.seed
        return result
    }

    /// What the manifest says of a segment's index, or what it should say.
    private func details(_ entry: IndexEntry, _ model: VectorIndexModel) throws(LanceError) -> Google_Protobuf_Any {
        if entry.vector != nil { return entry.message.indexDetails }
        return try VectorIndexDetails(model, targetPartitionSize: 0).message()
    }
}
