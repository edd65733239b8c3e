import Lancer
import LancerTestSupport
import Testing

/// Scans, counts and deletes with a condition.
struct FilterTests {
    /// 10,000 rows in fragments of 1,000: `id`, `text` (null every seventh row), `nested.k`.
    private func table(_ directory: TemporaryDirectory) async throws -> Dataset {
        let count: Int64 = 10_000
        let batch = try RecordBatch(
            schema: ArrowSchema([
                ArrowField("id", .int64), ArrowField("text", .utf8),
                ArrowField("nested", .structure([ArrowField("k", .int64)])),
            ]),
            columns: [
                .int64((0..<count).map { $0 }), .utf8((0..<count).map { $0 % 7 == 0 ? nil : "row \($0)" }),
                .structure([("k", .int64((0..<count).map { $0 % 10 }))]),
            ]
        )
        var options = WriteOptions()
        options.maxRowsPerFile = 1000
        options.durable = false
        return try await Dataset.create(at: "\(directory.path)/t.lance", from: BatchList(batch), options: options)
    }

    private func ids(_ scan: Scan) async throws -> [Int64] {
        let column = try await scan.collect().columns[0]
        return (0..<column.length).map { if case .int(let id) = column.value(at: $0) { id } else { -1 } }
    }

    @Test("Offset and limit count the rows that the condition chose, over fragments and deleted rows")
    func window() async throws {
        let directory = try TemporaryDirectory()
        var dataset = try await table(directory)
        dataset = try await dataset.delete(where: "id % 3 = 1 OR (id >= 2000 AND id < 3000)").dataset
        let expected = (0..<10_000).filter { $0 % 3 != 1 && !(2000..<3000).contains($0) && $0 % 10 == 4 }.map(
            Int64.init
        )
        let condition = "nested.k = 4"
        #expect(try await dataset.countRows(where: condition) == expected.count)
        for (offset, limit, batchRows) in [
            (0, nil, nil), (0, 1, nil), (5, 100, 7), (expected.count, 5, nil), (150, 0, nil),
            (expected.count - 1, 10, 1), (33, 300, 64),
        ] as [(Int, Int?, Int?)] {
            let scan = try dataset.scan(
                columns: ["id", "text"],
                where: condition,
                offset: offset,
                limit: limit,
                batchRows: batchRows
            )
            let part = expected.dropFirst(offset).prefix(limit ?? .max)
            #expect(try await ids(scan) == Array(part))
            for try await batch in scan { #expect(batch.rowCount > 0 && batch.rowCount <= batchRows ?? .max) }
        }
    }

    @Test("Columns other than the deciding ones are those of the chosen rows, few or many")
    func late() async throws {
        let directory = try TemporaryDirectory()
        let dataset = try await table(directory)
        for condition in ["id = 4321", "id % 2 = 0", "text LIKE 'row 5%'", "text IS NULL", "id >= 0", "id < 0"] {
            for columns in [nil, ["text", "id"], ["nested.k"], ["nested"]] as [[String]?] {
                let chosen = try await dataset.scan(columns: columns, where: condition).collect()
                let keys = try await dataset.scan(columns: ["id"], where: condition).collect()
                let rows = (0..<keys.rowCount).map { row -> Int in
                    if case .int(let id) = keys.columns[0].value(at: row) { Int(id) } else { -1 }
                }
                let taken = try await dataset.take(rows, columns: columns)
                #expect(chosen.schema == taken.schema)
                for (one, other) in zip(chosen.columns, taken.columns) { #expect(one.isEqual(to: other)) }
            }
        }
    }

    @Test("An error of the condition names the character, an error of a value ends the scan")
    func errors() async throws {
        let directory = try TemporaryDirectory()
        let dataset = try await table(directory)
        let error = #expect(throws: LanceError.self) { try dataset.scan(where: "id = 1 garbage") }
        #expect(error?.message.contains("character 8") == true)
        #expect(throws: LanceError.self) { try dataset.scan(where: "id") }
        await #expect(throws: LanceError.self) { try await dataset.scan(where: "1 / (id - 5000) = 1").collect() }
        await #expect(throws: LanceError.self) { try await dataset.countRows(where: "nothing = 1") }
        await #expect(throws: LanceError.self) { try await dataset.delete(where: "nothing = 1") }
        #expect(try await Dataset.open(dataset.path).version == 1)
    }

    @Test("A delete that chooses nothing makes no version, one that chooses all leaves no fragment")
    func extremes() async throws {
        let directory = try TemporaryDirectory()
        let dataset = try await table(directory)
        for condition in ["id < 0", "false", "NULL", "text = NULL"] {
            let change = try await dataset.delete(where: condition)
            #expect(change.rowCount == 0 && change.dataset.version == 1)
        }
        let change = try await dataset.delete(where: "true")
        #expect(change.rowCount == 10_000)
        #expect(try await change.dataset.countRows() == 0)
        #expect(try await dataset.countRows() == 10_000)
    }

    @Test("A delete prepared on an old version is worked out again when another writer changed its rows")
    func stale() async throws {
        let directory = try TemporaryDirectory()
        let old = try await table(directory)
        _ = try await old.delete(where: "id < 10")
        // Shares rows with the first one: the condition is computed again on its version.
        let second = try await old.delete(where: "id < 20")
        #expect(second.rowCount == 10)
        // Shares none: merged.
        let third = try await old.delete(where: "id BETWEEN 20 AND 29")
        #expect(third.rowCount == 10)
        #expect(try await third.dataset.countRows() == 9970)
        #expect(try await third.dataset.countRows(where: "id < 30") == 0)
    }
}
