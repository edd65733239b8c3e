import Lancer
import LancerTestSupport
import Testing

@Suite("Dataset")
struct DatasetTests {
    private static let schema = ArrowSchema([
        ArrowField("id", .int64, nullable: false),
        ArrowField("name", .utf8),
        ArrowField(
            "place",
            .structure([ArrowField("x", .int32), ArrowField("deep", .structure([ArrowField("y", .utf8)]))])
        ),
    ])

    /// Rows `range`; the struct of every third row is null, the name of every seventh.
    private static func batch(_ range: Range<Int>) throws -> RecordBatch {
        let deep = ArrowArray.structure([("y", .utf8(range.map { "y\($0)" }))])
        return try RecordBatch(
            schema: schema,
            columns: [
                .int64(range.map { Int64($0) }),
                .utf8(range.map { $0 % 7 == 0 ? nil : "name \($0)" }),
                .structure(
                    [("x", .int32(range.map { Int32($0) * 2 })), ("deep", deep)],
                    validity: range.map { $0 % 3 != 0 }
                ),
            ]
        )
    }

    private static func reader(_ range: Range<Int>, step: Int = 100) throws -> BatchList {
        BatchList(
            schema,
            try stride(from: range.lowerBound, to: range.upperBound, by: step)
                .map { try batch($0..<Swift.min($0 + step, range.upperBound)) }
        )
    }

    private static func expectRows(_ scan: Scan, _ range: Range<Int>) async throws {
        let all = try await scan.collect()
        #expect(all.firstDifference(from: try batch(range)) == nil)
    }

    @Test("what is written is read back, in order, by every file version", arguments: WriteOptions.FileVersion.allCases)
    func roundTrip(version: WriteOptions.FileVersion) async throws {
        let directory = TemporaryDirectory()
        var options = WriteOptions()
        options.fileVersion = version
        options.maxRowsPerFile = 300
        let made = try await Dataset.create(at: directory.path + "/t", from: Self.reader(0..<1000), options: options)
        #expect(made.version == 1 && made.fileVersion == version.rawValue)
        let dataset = try await Dataset.open(directory.path + "/t")
        #expect(try await dataset.countRows() == 1000)
        #expect(dataset.schema == Self.schema)
        try await Self.expectRows(try dataset.scan(), 0..<1000)
        try await Self.expectRows(try dataset.scan(batchRows: 7), 0..<1000)
        #expect(try await dataset.versions().first?.fragmentCount == 4)
    }

    @Test("offset and limit cut rows across fragments", arguments: [0, 1, 299, 300, 301, 899, 999, 1000, 5000])
    func offsetAndLimit(offset: Int) async throws {
        let directory = TemporaryDirectory()
        var options = WriteOptions()
        options.maxRowsPerFile = 300
        let dataset = try await Dataset.create(at: directory.path, from: Self.reader(0..<1000), options: options)
        for limit in [0, 1, 2, 300, 599, 1000, .max] {
            let end = Swift.min(1000, offset.addingReportingOverflow(limit).overflow ? 1000 : offset + limit)
            let expected = Swift.min(offset, end)..<end
            try await Self.expectRows(try dataset.scan(offset: offset, limit: limit), expected)
        }
        #expect(throws: LanceError(.invalidArgument, "")) { try dataset.scan(offset: -1) }
        #expect(throws: LanceError(.invalidArgument, "")) { try dataset.scan(limit: -1) }
        #expect(throws: LanceError(.invalidArgument, "")) { try dataset.scan(batchRows: 0) }
    }

    @Test("a dotted path reads one field of a struct, null where the struct is")
    func nestedColumns() async throws {
        let directory = TemporaryDirectory()
        let dataset = try await Dataset.create(at: directory.path, from: Self.reader(0..<50))
        let batch = try await dataset.scan(columns: ["place.deep.y", "id", "place.x"]).collect()
        #expect(batch.schema.fields.map(\.name) == ["place.deep.y", "id", "place.x"])
        #expect(batch.columns[0].isEqual(to: .utf8((0..<50).map { $0 % 3 == 0 ? nil : "y\($0)" })))
        #expect(batch.columns[2].isEqual(to: .int32((0..<50).map { $0 % 3 == 0 ? nil : Int32($0) * 2 })))
        let taken = try await dataset.take([3, 4], columns: ["place.x"])
        #expect(taken.columns[0].isEqual(to: .int32([nil, 8])))
        for name in ["nope", "place.z", "id.x", "place.", ".", ""] {
            #expect(throws: LanceError(.notFound, "")) { try dataset.scan(columns: [name]) }
        }
        #expect(throws: LanceError(.invalidArgument, "")) { try dataset.scan(columns: ["id", "id"]) }
        #expect(try await dataset.scan(columns: []).collect().rowCount == 50)
    }

    @Test("take gives rows in the order asked, repeats included")
    func take() async throws {
        let directory = TemporaryDirectory()
        var options = WriteOptions()
        options.maxRowsPerFile = 300
        let dataset = try await Dataset.create(at: directory.path, from: Self.reader(0..<1000), options: options)
        let whole = try Self.batch(0..<1000)
        var random = SplitMix64(seed: 5)
        var wanted: [[Int]] = [[], [0], [999], [5, 5, 5], [999, 0, 300, 299], Array(0..<1000)]
        wanted += (0..<20).map { _ in (0..<random.int(1...100)).map { _ in random.int(0...999) } }
        for rows in wanted {
            let batch = try await dataset.take(rows)
            #expect(batch.firstDifference(from: try whole.gather(rows)) == nil)
        }
        for rows in [[-1], [1000], [0, .max], [.min]] {
            await #expect(throws: LanceError(.invalidArgument, "")) { try await dataset.take(rows) }
        }
    }

    @Test("append adds behind, overwrite replaces, old versions stay")
    func versions() async throws {
        let directory = TemporaryDirectory()
        var options = WriteOptions()
        options.message = "first"
        let one = try await Dataset.create(at: directory.path, from: Self.reader(0..<10), options: options)
        let two = try await one.append(try Self.reader(10..<20))
        let three = try await Dataset.overwrite(at: directory.path, from: try Self.reader(100..<105))
        #expect([one.version, two.version, three.version] == [1, 2, 3])
        try await Self.expectRows(try one.scan(), 0..<10)
        try await Self.expectRows(try Dataset.open(directory.path, at: .version(2)).scan(), 0..<20)
        try await Self.expectRows(try Dataset.open(directory.path).scan(), 100..<105)
        let versions = try await three.versions()
        #expect(versions.map(\.version) == [1, 2, 3])
        #expect(versions.map(\.rowCount) == [10, 20, 5])
        #expect(versions.map(\.operation) == ["Overwrite", "Append", "Overwrite"])
        #expect(versions.map(\.message) == ["first", nil, nil])
        #expect(versions[0].timestamp < versions[2].timestamp)
    }

    @Test("a table can be made from, and appended with, a scan")
    func fromScan() async throws {
        let directory = TemporaryDirectory()
        let source = try await Dataset.create(at: directory.path + "/a", from: Self.reader(0..<100))
        let copy = try await Dataset.create(at: directory.path + "/b", from: source.scan(offset: 10, limit: 20))
        try await Self.expectRows(try copy.scan(), 10..<30)
        let doubled = try await copy.append(copy.scan())
        #expect(try await doubled.countRows() == 40)
    }

    @Test("a table without rows has no fragments and grows")
    func emptyTable() async throws {
        let directory = TemporaryDirectory()
        let empty = try await Dataset.create(at: directory.path, from: BatchList(Self.schema, [Self.batch(0..<0)]))
        #expect(try await empty.versions()[0].fragmentCount == 0)
        #expect(try await empty.scan().collect().rowCount == 0)
        #expect(try await empty.take([]).rowCount == 0)
        let grown = try await empty.append(try Self.reader(0..<5))
        try await Self.expectRows(try grown.scan(), 0..<5)
    }

    @Test("missing and present tables are told apart")
    func existence() async throws {
        let directory = TemporaryDirectory()
        for path in [directory.path, directory.path + "/no/where"] {
            let isThere = try await Dataset.exists(path)
            #expect(!isThere)
        }
        await #expect(throws: LanceError(.notFound, "")) { try await Dataset.open(directory.path) }
        let dataset = try await Dataset.create(at: directory.path, from: Self.reader(0..<1))
        let isThere = try await Dataset.exists("file://" + directory.path)
        #expect(isThere)
        await #expect(throws: LanceError(.notFound, "")) { try await Dataset.open(directory.path, at: .version(2)) }
        await #expect(throws: LanceError(.alreadyExists, "")) {
            try await Dataset.create(at: directory.path, from: Self.reader(0..<1))
        }
        await #expect(throws: LanceError(.unsupported, "")) { try await Dataset.open("s3://bucket/table") }
        #expect(dataset.version == 1)
    }

    @Test("data that does not fit is refused and leaves nothing behind")
    func refusals() async throws {
        let directory = TemporaryDirectory()
        let dataset = try await Dataset.create(at: directory.path, from: Self.reader(0..<1))
        let before = directory.files()
        let batch = try Self.batch(0..<1)
        func refuse(_ fields: [ArrowField], _ columns: [ArrowArray]) async throws {
            let wrong = try RecordBatch(schema: ArrowSchema(fields), columns: columns)
            await #expect(throws: LanceError(.schemaMismatch, "")) { try await dataset.append(BatchList(wrong)) }
        }
        let fields = Self.schema.fields
        try await refuse(Array(fields.dropFirst()), Array(batch.columns.dropFirst()))
        try await refuse(fields + [ArrowField("more", .int8)], batch.columns + [.int8([1])])
        try await refuse([ArrowField("id", .int32)] + fields.dropFirst(), [.int32([1])] + batch.columns.dropFirst())
        try await refuse([ArrowField("id", .int64)] + fields.dropFirst(), [.int64([nil])] + batch.columns.dropFirst())
        let failing = BatchList(Self.schema, [batch], failure: LanceError(.invalidArgument, "line 7"))
        await #expect(throws: LanceError(.invalidArgument, "")) { try await dataset.append(failing) }
        #expect(directory.files() == before)
        // Another order of the columns, a column that could be null but is not, and one left out that may be null are fine.
        let shuffled = try RecordBatch(
            schema: ArrowSchema([fields[2], ArrowField("id", .int64), fields[1]]),
            columns: [batch.columns[2], batch.columns[0], batch.columns[1]]
        )
        #expect(try await dataset.append(BatchList(shuffled)).countRows() == 2)

        let dotted = try RecordBatch(schema: ArrowSchema([ArrowField("a.b", .int8)]), columns: [.int8([1])])
        await #expect(throws: LanceError(.schemaMismatch, "")) {
            try await Dataset.create(at: directory.path + "/x", from: BatchList(dotted))
        }
        let twice = try RecordBatch(
            schema: ArrowSchema([ArrowField("a", .int8), ArrowField("a", .int8)]),
            columns: [.int8([1]), .int8([1])]
        )
        await #expect(throws: LanceError(.schemaMismatch, "")) {
            try await Dataset.create(at: directory.path + "/x", from: BatchList(twice))
        }
        var options = WriteOptions()
        options.maxRowsPerFile = 0
        let impossible = options
        await #expect(throws: LanceError(.invalidArgument, "")) {
            try await dataset.append(Self.reader(0..<1), options: impossible)
        }
    }

    @Test("appends at the same time all arrive")
    func concurrentAppends() async throws {
        let directory = TemporaryDirectory()
        let dataset = try await Dataset.create(at: directory.path, from: Self.reader(0..<10))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 1...24 {
                group.addTask { _ = try await dataset.append(Self.reader((writer * 10)..<(writer * 10 + 10))) }
            }
            try await group.waitForAll()
        }
        let latest = try await Dataset.open(directory.path)
        #expect(latest.version == 25)
        let ids = try await latest.scan(columns: ["id"]).collect()
        let values: [Int64] = (0..<ids.rowCount).compactMap { Int64(ids.columns[0].formatted(at: $0)) }
        #expect(values.sorted() == (0..<250).map(Int64.init))
        #expect(directory.files().filter { $0.hasPrefix("data/") }.count == 25)
        #expect(directory.files().filter { $0.hasPrefix("_transactions/") }.count == 25)
    }

    @Test("of several creators at the same time one wins")
    func concurrentCreates() async throws {
        for _ in 0..<10 {
            let directory = TemporaryDirectory()
            let results = await withTaskGroup(of: LanceError.Code?.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        do {
                            _ = try await Dataset.create(at: directory.path, from: Self.reader(0..<3))
                            return nil
                        } catch {
                            return (error as? LanceError)?.code ?? .io
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.filter { $0 == nil }.count == 1)
            #expect(results.compactMap { $0 }.allSatisfy { $0 == .alreadyExists })
            #expect(directory.files().filter { $0.hasPrefix("data/") }.count == 1)
        }
    }

    @Test("overwriting at the same time is a conflict, appending to what was overwritten too")
    func conflicts() async throws {
        let directory = TemporaryDirectory()
        let stale = try await Dataset.create(at: directory.path, from: Self.reader(0..<3))
        _ = try await Dataset.overwrite(at: directory.path, from: Self.reader(5..<6))
        let before = directory.files()
        await #expect(throws: LanceError(.conflict, "")) { try await stale.append(Self.reader(0..<1)) }
        #expect(directory.files() == before)
    }

    @Test("a scan that is not read to its end stops its tasks")
    func abandonedScan() async throws {
        let directory = TemporaryDirectory()
        let dataset = try await Dataset.create(at: directory.path, from: Self.reader(0..<5000))
        var iterator = try dataset.scan(batchRows: 10).makeAsyncIterator()
        #expect(try await iterator.next()?.rowCount == 10)
        let task = Task {
            var rows = 0
            for try await batch in try dataset.scan(batchRows: 1) { rows += batch.rowCount }
            return rows
        }
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
    }
}
