import Lancer

/// `lancer conformance build`.
struct ConformanceBuild {
    let path: String
    let ask: ConformanceQuestion

    init(path: String, index: String) throws {
        self.path = path
        ask = try ConformanceQuestion(
            index,
            known: ["column", "name", "kind", "metric", "partitions", "sub_vectors", "bits", "m", "ef_construction"]
        )
    }

    func run() async throws {
        let dataset = try await Dataset.open(path)
        var options = VectorIndexOptions()
        options.name = try ask.required("name", \.text)
        options.durable = false
        let metric = try ask.required("metric", \.text)
        guard let known = DistanceMetric(rawValue: metric) else { throw QuestionNotSupported(what: "metric \(metric)") }
        _ = try await dataset.createVectorIndex(
            on: try ask.required("column", \.text),
            try kind(),
            metric: known,
            options: options
        )
    }

    private func kind() throws -> VectorIndexKind {
        let partitions = try ask.required("partitions", \.integer)
        let subVectors = ask["sub_vectors"]?.integer
        let bits = ask["bits"]?.integer ?? 8
        var graph = VectorIndexKind.Graph()
        if let connections = ask["m"]?.integer { graph.maxConnections = connections }
        if let ef = ask["ef_construction"]?.integer { graph.efConstruction = ef }
        switch try ask.required("kind", \.text) {
        case "IVF_FLAT": return .ivfFlat(partitions: partitions)
        case "IVF_SQ": return .ivfSQ(partitions: partitions)
        case "IVF_PQ": return .ivfPQ(partitions: partitions, subVectors: subVectors, bits: bits)
        case "IVF_HNSW_FLAT": return .ivfHNSWFlat(partitions: partitions, graph: graph)
        case "IVF_HNSW_SQ": return .ivfHNSWSQ(partitions: partitions, graph: graph)
        case "IVF_HNSW_PQ":
            return .ivfHNSWPQ(partitions: partitions, subVectors: subVectors, bits: bits, graph: graph)
        case let other: throw QuestionNotSupported(what: "index \(other)")
        }
    }
}
