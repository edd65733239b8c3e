import Lancer
import LancerArrow

/// `lancer conformance search`.
struct ConformanceSearch {
    let path: String
    let ask: ConformanceQuestion

    init(path: String, queries: String) throws {
        self.path = path
        ask = try ConformanceQuestion(
            queries,
            known: [
                "column", "k", "queries", "id_column", "metric", "probes", "refine", "ef", "where", "use_index",
                "version",
            ]
        )
    }

    func json() async throws -> JSONText {
        var selector = VersionSelector.latest
        if let version = ask["version"]?.integer.flatMap({ UInt64(exactly: $0) }) { selector = .version(version) }
        let dataset = try await Dataset.open(path, at: selector)
        var options = NearestSearch()
        options.nprobes = ask["probes"]?.integer ?? 1 << 20
        options.refine = ask["refine"]?.integer
        options.ef = ask["ef"]?.integer
        options.useIndex = ask["use_index"]?.boolean ?? true
        if let metric = ask["metric"]?.text {
            guard let known = DistanceMetric(rawValue: metric) else {
                throw QuestionNotSupported(what: "metric \(metric)")
            }
            options.metric = known
        }
        let condition = ask["where"] == nil ? nil : try ask.condition()
        let column = try ask.required("column", \.text)
        let k = try ask.required("k", \.integer)
        let id = try ask.required("id_column", \.text)
        var results: [JSONText] = []
        for query in try ask.required("queries", \.items) {
            var vector: [Float] = []
            for value in query.items ?? [] {
                vector.append(Float(bitPattern: try ConformanceValues.bits(value.text ?? "", UInt32.self)))
            }
            let batch = try await dataset.nearest(
                to: vector,
                on: column,
                k: k,
                where: condition,
                columns: [id],
                options: options,
                onWarning: { _ in }
            )
            guard let ids = batch.column(id), let distances = batch.column("_distance") else {
                throw LanceError(.schemaMismatch, "the search gave no \(id) or no _distance")
            }
            let names = ids.allValues.map { value in
                switch value {
                case .int(let number): JSONText.string("\(number)")
                case .uint(let number): JSONText.string("\(number)")
                case .string(let text): JSONText.string(text)
                default: JSONText.null
                }
            }
            let bits = distances.allValues.map { value in
                guard case .float(let distance) = value else { return JSONText.null }
                let digits = String(Float(distance).bitPattern, radix: 16)
                return .string(String(repeating: "0", count: 8 - digits.count) + digits)
            }
            results.append(.object([("ids", .array(names)), ("distances", .array(bits))]))
        }
        return .object([("results", .array(results))])
    }
}
