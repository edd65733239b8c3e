import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

@Suite("Merge")
struct MergeTests {
    typealias Row = [ArrowValue]

    static let schema = ArrowSchema([ArrowField("id", .int64), ArrowField("n", .int64), ArrowField("t", .utf8)])

    static func batch(_ rows: [Row], _ schema: ArrowSchema = schema) throws -> RecordBatch {
        var columns: [ArrowArray] = []
        for (index, field) in schema.fields.enumerated() {
            columns.append(try ArrowArray.of(field.type, rows.map { $0[index] }))
        }
        return try RecordBatch(schema: schema, columns: columns, rowCount: rows.count)
    }

    static func collected(_ rows: [Row], _ schema: ArrowSchema = schema) async throws -> CollectedRows {
        try await CollectedRows(ReaderSource(BatchList(try batch(rows, schema))), byteLimit: 1 << 30)
    }

    static func create(
        _ rows: [Row],
        _ schema: ArrowSchema = schema,
        store: any ObjectStore = MemoryStore(),
        rowsPerFile: Int = 4
    ) async throws -> Table {
        let source = ReaderSource(BatchList(try batch(rows, schema)))
        return try await Table.create(store, from: source, try TableFixture.options(rowsPerFile: rowsPerFile))
    }

    static func rows(_ table: Table) async throws -> [Row] {
        let projection = try Projection(nil, of: table.manifest.schema)
        let scan = try TableScan(table: table, projection: projection, offset: 0, limit: nil, batchRows: nil)
        let iterator = scan.makeIterator()
        var rows: [Row] = []
        while let batch = try await iterator.next() {
            for row in 0..<batch.rowCount { rows.append(batch.columns.map { $0.value(at: row) }) }
        }
        return rows
    }

    static let upsert = MergeClauses(matched: .update(if: nil), notMatched: .insert, notMatchedBySource: .keep)

    static func options(isDryRun: Bool = false) throws -> MergeWriteOptions {
        let limits = try FragmentLimits(rowsPerFile: 1000, bytesPerFile: 1 << 40)
        return MergeWriteOptions(limits: limits, commitMessage: nil, isDryRun: isDryRun)
    }

    static func merge(
        _ table: Table,
        _ rows: [Row],
        _ clauses: MergeClauses = upsert,
        on keys: [String] = ["id"],
        _ schema: ArrowSchema = schema
    ) async throws -> (table: Table, counts: MergeCounts) {
        try await table.merge(try await collected(rows, schema), on: keys, clauses, try options())
    }

    static func row(_ id: Int64?, _ n: Int64?, _ t: String?) -> Row {
        [id.map { .int($0) } ?? .null, n.map { .int($0) } ?? .null, t.map { .string($0) } ?? .null]
    }

    static let base = [row(1, 10, "a"), row(nil, 20, "b"), row(3, 30, "c"), row(4, 40, "d"), row(5, 50, "e")]

    @Test("null keys match nothing, on either side")
    func nullKeys() async throws {
        let table = try await Self.create(Self.base)
        let (merged, counts) = try await Self.merge(table, [Self.row(nil, 1, "x"), Self.row(3, 31, "C")])
        #expect((counts.inserted, counts.updated, counts.deleted) == (1, 1, 0))
        let expected = Self.base.filter { $0[0] != .int(3) } + [Self.row(3, 31, "C"), Self.row(nil, 1, "x")]
        #expect(try await Self.rows(merged) == expected)
    }

    @Test("a source with some of the columns keeps the others, and inserts nulls for them")
    func columnSubset() async throws {
        let table = try await Self.create(Self.base)
        let schema = ArrowSchema([ArrowField("t", .utf8), ArrowField("id", .int64)])
        let rows: [Row] = [[.string("C"), .int(3)], [.string("new"), .int(9)], [.string("A"), .int(1)]]
        let (merged, _) = try await Self.merge(table, rows, on: ["id"], schema)
        let expected = [Self.row(3, 30, "C"), Self.row(1, 10, "A"), Self.row(9, nil, "new")]
        #expect(try await Self.rows(merged).suffix(3) == expected[...])
    }

    @Test("fields of structs are matched by name; those that the source lacks stay as they are")
    func structFields() async throws {
        func schema(_ names: [String]) -> ArrowSchema {
            ArrowSchema([
                ArrowField("id", .int64), ArrowField("s", .structure(names.map { ArrowField($0, .int64) })),
            ])
        }
        func value(_ names: [String], _ base: Int64) -> ArrowValue {
            .structure(names.map { .init($0, .int(base + ($0 == "x" ? 1 : 2))) })
        }
        let table = try await Self.create([[.int(1), value(["x", "y"], 10)]], schema(["x", "y"]))
        let rows: [Row] = [[.int(1), value(["y", "x"], 20)], [.int(2), value(["y", "x"], 30)]]
        let merged = try await Self.merge(table, rows, on: ["id"], schema(["y", "x"])).table
        #expect(
            try await Self.rows(merged) == [[.int(1), value(["x", "y"], 20)], [.int(2), value(["x", "y"], 30)]]
        )
        let byField = try await Self.merge(
            merged,
            [[.int(7), value(["y", "x"], 20)]],
            on: ["s.x"],
            schema(["y", "x"])
        )
        #expect(byField.counts.updated == 1)
        // Some of the fields: the others stay as they are.
        let fresh = try await Self.create([[.int(1), value(["x", "y"], 10)]], schema(["x", "y"]))
        let part = try await Self.merge(
            fresh,
            [[.int(1), value(["y"], 50)], [.int(5), value(["y"], 60)]],
            on: ["id"],
            schema(["y"])
        )
        let whole: ArrowValue = .structure([.init("x", .int(11)), .init("y", .int(52))])
        let new: ArrowValue = .structure([.init("x", .null), .init("y", .int(62))])
        #expect(try await Self.rows(part.table) == [[.int(1), whole], [.int(5), new]])
    }

    @Test("a column that must not be null cannot be left out of rows to insert, but of rows to update")
    func requiredColumn() async throws {
        let strict = ArrowSchema([ArrowField("id", .int64), ArrowField("n", .int64, nullable: false)])
        let table = try await Self.create([[.int(1), .int(2)]], strict)
        let keys = ArrowSchema([ArrowField("id", .int64)])
        await #expect(throws: LanceError(.schemaMismatch, "")) {
            try await Self.merge(table, [[.int(1)]], on: ["id"], keys)
        }
        let update = MergeClauses(matched: .update(if: nil), notMatched: .ignore, notMatchedBySource: .keep)
        #expect(
            try await Self.rows(Self.merge(table, [[.int(1)]], update, on: ["id"], keys).table) == [[.int(1), .int(2)]]
        )
    }

    @Test("source rows that match deleted rows are inserted")
    func deletedRows() async throws {
        let table = try await Self.create(Self.base).delete([RowAddress(fragment: 0, offset: 2)])
        let (merged, counts) = try await Self.merge(table, [Self.row(3, 33, "again"), Self.row(4, 44, "D")])
        #expect((counts.inserted, counts.updated) == (1, 1))
        #expect(try await Self.rows(merged).suffix(2) == [Self.row(4, 44, "D"), Self.row(3, 33, "again")])
    }

    @Test("several source rows for one row of the table are refused where it would change; nothing is left behind")
    func ambiguous() async throws {
        let store = MemoryStore()
        let table = try await Self.create(Self.base, store: store)
        let before = store.snapshot.keys.sorted()
        let twice = [Self.row(3, 31, "x"), Self.row(3, 5, "y"), Self.row(9, 1, "z"), Self.row(9, 1, "z")]
        for matched in [MergeClauses.Matched.update(if: nil), .delete, .update(if: "source.n > 0")] {
            let clauses = MergeClauses(matched: matched, notMatched: .insert, notMatchedBySource: .keep)
            await #expect(throws: LanceError(.invalidArgument, "")) { try await Self.merge(table, twice, clauses) }
        }
        let fail = MergeClauses(matched: .fail, notMatched: .insert, notMatchedBySource: .keep)
        await #expect(throws: LanceError(.alreadyExists, "")) { try await Self.merge(table, twice, fail) }
        #expect(store.snapshot.keys.sorted() == before)
        // The condition may leave one; and rows that do not change may be matched by many.
        let one = MergeClauses(
            matched: .update(if: "source.n > target.n"),
            notMatched: .insert,
            notMatchedBySource: .keep
        )
        #expect(try await Self.merge(table, twice, one).counts.updated == 1)
        let keep = MergeClauses(matched: .keep, notMatched: .insert, notMatchedBySource: .keep)
        #expect(try await Self.merge(try await Table.open(store), twice, keep).counts.inserted == 0)
    }

    @Test("a source beyond the memory allowed is refused before anything is read of the table")
    func memoryLimit() async throws {
        await #expect(throws: LanceError(.limitExceeded, "")) {
            try await CollectedRows(ReaderSource(BatchList(try Self.batch(Self.base))), byteLimit: 50)
        }
    }

    @Test("a merge that inserts what another writer appended meanwhile starts over and updates it")
    func racingAppend() async throws {
        let store = MemoryStore()
        let stale = try await Self.create(Self.base, store: store)
        let appended = ReaderSource(BatchList(try Self.batch([Self.row(9, 90, "theirs")])))
        _ = try await stale.append(from: appended, try TableFixture.options())
        let (merged, counts) = try await Self.merge(stale, [Self.row(9, 91, "ours"), Self.row(1, 11, "A")])
        #expect(counts.attempts == 2 && counts.inserted == 0 && counts.updated == 2)
        #expect(try await Self.rows(merged).filter { $0[0] == .int(9) } == [Self.row(9, 91, "ours")])
        // What the first attempt wrote is gone.
        let named = Set(merged.manifest.fragments.flatMap { $0.files.map { "data/\($0.path)" } })
        #expect(store.snapshot.keys.filter { $0.hasPrefix("data/") && !named.contains($0) }.count <= 2)
    }

    @Test("two merges of the same new key leave it once; of different rows, both in one go")
    func racingMerges() async throws {
        let stale = try await Self.create(Self.base)
        _ = try await Self.merge(stale, [Self.row(9, 90, "theirs")])
        let second = try await Self.merge(stale, [Self.row(9, 91, "ours")])
        #expect(second.counts.attempts == 2 && second.counts.updated == 1)
        let later = second.table
        _ = try await Self.merge(later, [Self.row(1, 11, "A")])
        let other = try await Self.merge(later, [Self.row(3, 33, "C")])
        #expect(other.counts.attempts == 1)
        let rows = try await Self.rows(other.table)
        #expect(rows.contains(Self.row(1, 11, "A")) && rows.contains(Self.row(3, 33, "C")) && rows.count == 6)
        _ = try await Self.merge(other.table, [Self.row(1, 12, "first")])
        let same = try await Self.merge(other.table, [Self.row(1, 13, "second")])
        #expect(same.counts.attempts == 2)
        #expect(try await Self.rows(same.table).filter { $0[0] == .int(1) } == [Self.row(1, 13, "second")])
    }

    @Test("merging nothing makes no version, a dry run neither")
    func noChange() async throws {
        let table = try await Self.create(Self.base)
        #expect(try await Self.merge(table, []).table.manifest.version == 1)
        let source = try await Self.collected([Self.row(1, 2, "x"), Self.row(77, 2, "x")])
        let dry = try await table.merge(source, on: ["id"], Self.upsert, try Self.options(isDryRun: true))
        #expect(dry.table.manifest.version == 1 && dry.counts == MergeCounts(inserted: 1, updated: 1, attempts: 1))
    }
}
