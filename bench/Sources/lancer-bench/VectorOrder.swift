import Foundation
import Lancer

/// Making or searching an index of vectors.
struct VectorOrder: Decodable {
    var column: String
    /// `IVF_PQ` and so on.
    var kind: String?
    var metric: String?
    var partitions: Int?
    var subVectors: Int?
    var connections: Int?
    var construction: Int?
    var threads: Int?

    /// A file of float32 numbers, query after query.
    var queries: String?
    var dimension: Int?
    var k: Int?
    var probes: Int?
    var ef: Int?
    var refine: Int?
    var condition: String?
    var usesIndex: Bool?
    /// Whether all queries are asked together.
    var isBatch: Bool?
    /// Where the row ids found go: `k` unsigned 64-bit numbers for each query, the greatest where there is none.
    var output: String?

    func index(_ table: Dataset) async throws -> Dataset {
        var graph = VectorIndexKind.Graph()
        graph.maxConnections = connections ?? graph.maxConnections
        graph.efConstruction = construction ?? graph.efConstruction
        let what: VectorIndexKind
        switch kind {
        case "IVF_FLAT": what = .ivfFlat(partitions: partitions)
        case "IVF_PQ": what = .ivfPQ(partitions: partitions, subVectors: subVectors)
        case "IVF_SQ": what = .ivfSQ(partitions: partitions)
        case "IVF_HNSW_FLAT": what = .ivfHNSWFlat(partitions: partitions, graph: graph)
        case "IVF_HNSW_SQ": what = .ivfHNSWSQ(partitions: partitions, graph: graph)
        case "IVF_HNSW_PQ": what = .ivfHNSWPQ(partitions: partitions, subVectors: subVectors, graph: graph)
        default: throw LanceError(.invalidArgument, "unknown kind of index")
        }
        var options = VectorIndexOptions()
        options.threads = threads
        options.durable = false
        options.replace = true
        let metric = metric.flatMap { DistanceMetric(rawValue: $0) } ?? .l2
        return try await table.createVectorIndex(on: column, what, metric: metric, options: options)
    }

    /// The time of the search alone and the processor's share of it, in seconds, and the number of queries.
    func search(_ table: Dataset) async throws -> (seconds: Double, processor: Double, count: Int) {
        guard let queries, let dimension, let k else {
            throw LanceError(.invalidArgument, "a search lacks its queries")
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: queries))
        let floats = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        let all = stride(from: 0, to: floats.count, by: dimension).map { Array(floats[$0..<$0 + dimension]) }
        var options = NearestSearch()
        if let probes { options.nprobes = probes }
        options.ef = ef
        options.refine = refine
        options.useIndex = usesIndex ?? true
        options.metric = metric.flatMap { DistanceMetric(rawValue: $0) }
        var found: [RecordBatch] = []
        let clock = ContinuousClock()
        let before = Self.processorTime
        let time = try await clock.measure {
            if isBatch == true {
                found = [
                    try await table.nearest(
                        toEach: all,
                        on: column,
                        k: k,
                        where: condition,
                        columns: [],
                        options: options
                    )
                ]
            } else {
                for query in all {
                    found.append(
                        try await table.nearest(
                            to: query,
                            on: column,
                            k: k,
                            where: condition,
                            columns: [],
                            options: options
                        )
                    )
                }
            }
        }
        let processor = Self.processorTime - before
        if let output { try write(found, all.count, k, to: output) }
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        return (seconds, processor, all.count)
    }

    /// Seconds that all threads of this process have worked.
    private static var processorTime: Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

    private func write(_ batches: [RecordBatch], _ queryCount: Int, _ k: Int, to path: String) throws {
        var ids = [UInt64](repeating: .max, count: queryCount * k)
        for (number, batch) in batches.enumerated() {
            let rows: [UInt64] = batch.column("_rowid").map { numbers($0, as: UInt64.self) } ?? []
            let queries: [Int32]? = batch.column("query_index").map { numbers($0, as: Int32.self) }
            var filled = [Int](repeating: 0, count: queryCount)
            for (i, row) in rows.enumerated() {
                let query = queries.map { Int($0[i]) } ?? number
                ids[query * k + filled[query]] = row
                filled[query] += 1
            }
        }
        try ids.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: path)) }
    }

    private func numbers<T: BitwiseCopyable>(_ array: ArrowArray, as type: T.Type) -> [T] {
        guard case .fixedWidth(let buffer) = array.storage else { return [] }
        return buffer.withUnsafeBytes { bytes in
            (0..<array.length).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self) }
        }
    }
}
