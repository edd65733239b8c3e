import Lancer
import LancerIndex
import LancerKernels
import LancerTable

/// What the directory of a vector index segment holds: `index.idx` and `auxiliary.idx`.
struct IndexFileReport {
    private let directory: String
    private let segment: VectorIndexSegment

    /// Whether a directory is one.
    static func isSegment(_ directory: String) -> Bool {
        names.allSatisfy { name in
            if case .file = PathKind("\(directory)/\(name)") { return true }
            return false
        }
    }

    private static let names = ["index.idx", "auxiliary.idx"]

    /// Opens a segment.
    ///
    /// - Throws: `unsupported` for kinds that Lancer does not know, `corrupt`, `truncated`, `io`.
    static func open(_ directory: String) async throws -> IndexFileReport {
        var sources: [FileRangeSource] = []
        for name in names {
            let path = "\(directory)/\(name)"
            sources.append(FileRangeSource(path: path, source: try FileSource(path)))
        }
        let cache = PartitionCache(byteLimit: 64 << 20)
        let segment = try await VectorIndexSegment.open(index: sources[0], auxiliary: sources[1], cache: cache)
        return IndexFileReport(directory: directory, segment: segment)
    }

    private init(directory: String, segment: VectorIndexSegment) {
        self.directory = directory
        self.segment = segment
    }

    /// The overview of a directory.
    func report() -> Report {
        var report = Report()
        report.add("path", directory, nil, .string(directory))
        report.add("kind", "vector index segment", nil, .string("index"))
        report.add("bytes", segment.byteCount.grouped, nil, .unsigned(segment.byteCount))
        addFacts(to: &report)
        return report
    }

    /// What the files say of the index.
    func addFacts(to report: inout Report) {
        let model = segment.model
        report.add("index", model.kind.rawValue, nil, .string(model.kind.rawValue))
        report.add("metric", model.metric.name, nil, .string(model.metric.name))
        report.addVectorModel(
            dimension: model.dimension,
            elementType: model.element.rawValue,
            codes: model.product.map { ($0.subvectors, $0.bits) },
            bounds: model.scalar.map { ($0.start, $0.end) },
            graph: model.kind.hasGraph
                ? Lancer.VectorIndexKind.Graph(
                    maxConnections: model.graph.maxConnections,
                    efConstruction: model.graph.efConstruction,
                    maxLevel: model.graph.maxLevel
                ) : nil
        )
        let sizes = segment.partitionSizes
        let text = "\(sizes.count.grouped) of \((sizes.min() ?? 0).grouped) to \((sizes.max() ?? 0).grouped) rows"
        report.add("partitions", text, nil, .array(sizes.map { .count($0) }))
        report.add("indexed rows", segment.rowCount.grouped, "indexedRows", .count(segment.rowCount))
        if let loss = model.loss { report.add("loss", loss.fixed(3), nil, .number(loss)) }
    }
}
