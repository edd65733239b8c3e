import Foundation
import Lancer
import LancerTestSupport
import Testing

@Suite("Nearest neighbours")
struct NearestTests {
    private static let dimension = 12
    private static let schema = ArrowSchema([
        ArrowField("id", .int64, nullable: false),
        ArrowField("v", .fixedSizeList(ArrowField("item", .float32), dimension)),
    ])

    /// Rows around a few centres, the same for the same ids.
    private static func vectors(_ ids: Range<Int>) -> [[Float]] {
        ids.map { id in
            var random = SplitMix64(seed: UInt64(id) + 1)
            let centre = Float(id % 7)
            return (0..<dimension).map { place in
                centre * Float((place * 5 + id % 7) % 3) + Float.random(in: -1...1, using: &random)
            }
        }
    }

    private static func batch(_ ids: Range<Int>) throws -> RecordBatch {
        let numbers = ArrowArray.float32(vectors(ids).joined().map { $0 })
        let list = ArrowArray(type: schema.fields[1].type, length: ids.count, storage: .fixedSizeList(child: numbers))
        return try RecordBatch(schema: schema, columns: [.int64(ids.map { Int64($0) }), list])
    }

    private static func table(_ path: String, _ ids: Range<Int> = 0..<1500) async throws -> Dataset {
        var options = WriteOptions()
        options.maxRowsPerFile = 600
        options.durable = false
        return try await Dataset.create(at: path, from: BatchList(schema, [try batch(ids)]), options: options)
    }

    /// Ids of the nearest by a plain loop.
    private static func expected(_ query: [Float], _ ids: some Sequence<Int>, k: Int) -> [Int64] {
        ids.map { id in
            (id, zip(query, vectors(id..<(id + 1))[0]).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
        }
        .sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(k).map { Int64($0.0) }
    }

    private static func ids(_ batch: RecordBatch) throws -> [Int64] {
        let column = try #require(batch.column("id"))
        guard case .fixedWidth(let values) = column.storage else { return [] }
        return values.withValues(of: Int64.self) { Array($0) }
    }

    @Test(
        "without an index the nearest rows are those of a plain loop, one query or many, with and without a condition"
    )
    func exact() async throws {
        let directory = TemporaryDirectory()
        let dataset = try await Self.table(directory.path + "/t").delete(where: "id % 10 = 4").dataset
        let queries = Self.vectors(9000..<9005)
        let live = (0..<1500).filter { $0 % 10 != 4 }
        for query in queries {
            let found = try await dataset.nearest(to: query, on: "v", k: 7)
            #expect(try Self.ids(found) == Self.expected(query, live, k: 7))
            #expect(found.schema.fields.map(\.name) == ["id", "v", "_distance", "_rowid"])
            let chosen = try await dataset.nearest(to: query, on: "v", k: 7, where: "id % 3 = 0", columns: ["id"])
            #expect(try Self.ids(chosen) == Self.expected(query, live.filter { $0 % 3 == 0 }, k: 7))
        }
        let all = try await dataset.nearest(toEach: queries, on: "v", k: 7, columns: ["id"])
        #expect(all.schema.fields.map(\.name) == ["query_index", "id", "_distance", "_rowid"])
        #expect(try Self.ids(all) == queries.flatMap { Self.expected($0, live, k: 7) })
    }

    @Test(
        "an index of any kind finds the rows through appends, deletes, optimizing and compaction",
        arguments: [
            VectorIndexKind.ivfFlat(partitions: 4), .ivfSQ(partitions: 4), .ivfPQ(partitions: 4, subVectors: 6),
            .ivfHNSWFlat(), .ivfHNSWSQ(partitions: 2), .ivfHNSWPQ(subVectors: 6),
        ]
    )
    func life(kind: VectorIndexKind) async throws {
        let directory = TemporaryDirectory()
        var options = VectorIndexOptions()
        options.durable = false
        var dataset = try await Self.table(directory.path + "/t").createVectorIndex(on: "v", kind, options: options)
        var live = Array(0..<1500)
        try await Self.expectFound(dataset, live)
        dataset = try await dataset.append(BatchList(Self.schema, [try Self.batch(1500..<1900)]))
        live += 1500..<1900
        try await Self.expectFound(dataset, live)
        dataset = try await dataset.optimizeIndices().dataset
        #expect(try await dataset.indices().first?.segments.count == 2)
        try await Self.expectFound(dataset, live)
        dataset = try await dataset.delete(where: "id % 5 = 1").dataset
        live.removeAll { $0 % 5 == 1 }
        try await Self.expectFound(dataset, live)
        var compaction = CompactionOptions()
        compaction.targetRows = 1000
        dataset = try await dataset.compact(compaction)
        #expect(try await dataset.indices().first?.unindexedRowCount == 0)
        try await Self.expectFound(dataset, live)
        dataset = try await dataset.optimizeIndices(OptimizeIndexOptions(.merge(9))).dataset
        #expect(try await dataset.indices().first?.segments.count == 1)
        try await Self.expectFound(dataset, live)
        #expect(try await dataset.indexStatistics("v_idx").segments.first?.rowCount == live.count)
        #expect(try #require(try await dataset.indexRecall("v_idx", samples: 50)).recall > 0.5)
        #expect(try await Dataset.verify(dataset.path, deep: true).isClean)
        dataset = try await dataset.dropIndex("v_idx")
        #expect(try await dataset.indices().isEmpty)
    }

    private static func expectFound(_ dataset: Dataset, _ live: [Int]) async throws {
        var hits = 0
        for query in vectors(9000..<9010) {
            var search = NearestSearch()
            search.refine = 20
            let found = try ids(try await dataset.nearest(to: query, on: "v", k: 5, columns: ["id"], options: search))
            #expect(Set(found).isSubset(of: Set(live.map { Int64($0) })))
            hits += Set(found).intersection(expected(query, live, k: 5)).count
        }
        #expect(hits >= 46, "\(hits) of 50")
    }

    @Test("what earlier searches left in memory changes no answer, whatever its limit")
    func memory() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/t"
        var options = VectorIndexOptions()
        options.durable = false
        let kind = VectorIndexKind.ivfPQ(partitions: 4, subVectors: 6)
        var dataset = try await Self.table(path).createVectorIndex(on: "v", kind, options: options)
        for step in 0..<2 {
            if step == 1 { dataset = try await dataset.delete(where: "id % 5 = 1").dataset }
            var answers: [[RecordBatch]] = []
            for limit in [0, 60_000, 1 << 30] {
                // The last one has what was read before the rows were deleted.
                let opened = limit == 1 << 30 ? dataset : try await Dataset.open(path, indexCacheBytes: limit)
                for _ in 0..<2 {
                    var search = NearestSearch(nprobes: 3, refine: 20)
                    search.maximumDistance = 500
                    var found: [RecordBatch] = []
                    for query in Self.vectors(9000..<9010) {
                        found.append(
                            try await opened.nearest(to: query, on: "v", k: 5, columns: ["id"], options: search)
                        )
                    }
                    found.append(
                        try await opened.nearest(
                            toEach: Self.vectors(9000..<9020),
                            on: "v",
                            k: 5,
                            columns: ["id"],
                            options: search
                        )
                    )
                    answers.append(found)
                }
            }
            for found in answers.dropFirst() {
                for (one, other) in zip(found, answers[0]) {
                    #expect(one.rowCount == other.rowCount)
                    for (a, b) in zip(one.columns, other.columns) { #expect(a.isEqual(to: b)) }
                }
            }
        }
    }

    @Test("a build that is cancelled leaves nothing behind")
    func cancelled() async throws {
        let directory = TemporaryDirectory()
        let dataset = try await Self.table(directory.path + "/t")
        let task = Task {
            try await dataset.createVectorIndex(on: "v", .ivfHNSWFlat()) { progress in
                if progress.stage == "graph" { withUnsafeCurrentTask { $0?.cancel() } }
            }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let again = try await Dataset.open(directory.path + "/t")
        #expect(again.version == 1)
        let left = try? FileManager.default.contentsOfDirectory(atPath: directory.path + "/t/_indices")
        #expect((left ?? []).isEmpty)
    }
}
