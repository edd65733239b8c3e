import Lancer
import LancerTestSupport
import Testing

@Suite("Changes and history of a dataset")
struct HistoryTests {
    private static func create(_ path: String) async throws -> Dataset {
        let schema = ArrowSchema([ArrowField("id", .int64), ArrowField("name", .utf8)])
        let batch = try RecordBatch(schema: schema, columns: [.int64([0, 1, 2]), .utf8(["a", nil, "c"])])
        return try await Dataset.create(at: path, from: BatchList(batch))
    }

    @Test("every change is a version that can be opened by number, tag and time")
    func versions() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/t.lance"
        let first = try await Self.create(path)
        try await first.createTag("start")
        let added = try await first.addNullColumns([ArrowField("score", .float64)])
        let renamed = try await added.renameColumn("name", to: "label", options: ChangeOptions(message: "better"))
        let dropped = try await renamed.dropColumns(["id"])
        #expect(dropped.schema.fields.map(\.name) == ["label", "score"])
        let versions = try await dropped.versions()
        #expect(versions.map(\.operation) == ["Overwrite", "Merge", "Project", "Project"])
        #expect(versions[2].message == "better")
        #expect(try await Dataset.open(path, at: .tag("start")).version == 1)
        for version in versions {
            #expect(try await Dataset.open(path, at: .asOf(version.timestamp)).version == version.version)
        }
        await #expect(throws: LanceError(.notFound, "")) {
            try await Dataset.open(path, at: .asOf(try Timestamp(rfc3339: "1999-12-31T23:59:59+01:00")))
        }
        let back = try await Dataset.open(path, at: .tag("start")).restore()
        #expect(back.version == 5 && back.schema == first.schema)
        #expect(try await dropped.tags().map(\.name) == ["start"])
    }

    @Test("config and metadata are set and removed key by key")
    func config() async throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/t.lance"
        let first = try await Self.create(path)
        let set = try await first.updateConfig(
            ["a": "1", "b": "2"],
            tableMetadata: ["t": "x"],
            schemaMetadata: ["s": "y"],
            fieldMetadata: ["name": ["f": "z"]]
        )
        #expect(set.config == ["a": "1", "b": "2"] && set.tableMetadata == ["t": "x"])
        #expect(set.schema.metadata == ["s": "y"] && set.schema.fields[1].metadata == ["f": "z"])
        let next = try await set.updateConfig(["a": nil])
        #expect(next.config == ["b": "2"])
        // Another key of the same map is no conflict for a writer that does not know the newest version; the same one is.
        #expect(try await first.updateConfig(["c": "3"]).config == ["b": "2", "c": "3"])
        await #expect(throws: LanceError(.conflict, "")) { try await first.updateConfig(["b": "9"]) }
        #expect(try await next.updateConfig().version == next.version)
    }

    @Test("a column may forbid nulls only when it has none")
    func nullability() async throws {
        let directory = TemporaryDirectory()
        let first = try await Self.create(directory.path + "/t.lance")
        await #expect(throws: LanceError(.schemaMismatch, "")) { try await first.setNullable("name", false) }
        let strict = try await first.setNullable("id", false)
        #expect(!strict.schema.fields[0].nullable)
        #expect(try await strict.setNullable("id", true).schema.fields[0].nullable)
    }

    @Test("compaction and cleanup leave one small table of the rows that live")
    func maintenance() async throws {
        let directory = TemporaryDirectory()
        var dataset = try await Self.create(directory.path + "/t.lance")
        for _ in 0..<3 { dataset = try await dataset.append(try dataset.scan()) }
        dataset = try await dataset.delete(rows: [0, 23])
        let expected = try await dataset.scan().collect()
        dataset = try await dataset.compact()
        #expect(dataset.fragmentCount == 1)
        #expect(try await dataset.scan().collect().columns[0].isEqual(to: expected.columns[0]))
        var options = CleanupOptions()
        options.versionsKept = 1
        #expect(try await dataset.cleanup(options).versions == [1, 2, 3, 4, 5, 6])
        options.dryRun = false
        #expect(try await dataset.cleanup(options).fileCount > 6)
        #expect(try await dataset.versions().map(\.version) == [7])
        #expect(try await Dataset.open(dataset.path).scan().collect().rowCount == 22)
    }
}
