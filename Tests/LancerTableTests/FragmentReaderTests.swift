import LancerArrow
import LancerBytes
import LancerFile
import LancerProto
import LancerStorage
import LancerTable
import LancerTestSupport
import SwiftProtobuf
import Testing

@Suite("Fragments of several files")
struct FragmentReaderTests {
    private static let point = ArrowField("p", .structure([ArrowField("x", .int32), ArrowField("y", .utf8)]))
    private static let path = ArrowField("l", .list(ArrowField("item", .structure([ArrowField("z", .int32)]))))

    private static func table(_ store: MemoryStore) async throws -> Table {
        let items = ArrowArray.structure([("z", .int32([1, 2, 3]))])
        let batch = try RecordBatch(
            schema: ArrowSchema([point, path]),
            columns: [
                .structure(
                    [("x", .int32([1, 2, 3])), ("y", .utf8(["a", "b", "c"]))],
                    validity: [true, false, true]
                ),
                .list(of: items, lengths: [2, nil, 1], item: ArrowField("item", items.type)),
            ]
        )
        return try await Table.create(store, from: ReaderSource(BatchList(batch)), try TableFixture.options())
    }

    private static func read(_ table: Table, _ names: [String]? = nil) async throws -> RecordBatch {
        try await table.take([0, 1, 2], try Projection(names, of: table.manifest.schema))
    }

    /// A new version with a changed schema or changed fragments.
    private static func change(
        _ store: MemoryStore,
        _ change: (inout ManifestDraft) throws -> Void
    ) async throws -> Table {
        var draft = ManifestDraft(after: try await Table.open(store).manifest)
        try change(&draft)
        let name = ManifestName(version: draft.message.version, naming: .v2)
        try await store.put(
            name.path,
            try draft.serialized(transaction: .empty, transactionFile: "", time: (0, 0))
        )
        return try await Table.open(store)
    }

    @Test("columns and nested fields that no file has are null")
    func missingColumns() async throws {
        let store = MemoryStore()
        _ = try await Self.table(store)
        let table = try await Self.change(store) { draft in
            var fields = draft.schema.fields
            fields.append(try LanceField(id: 20, name: "new", logicalType: "string", nullable: true))
            let more = try LanceField(id: 21, name: "w", logicalType: "int64", nullable: true)
            fields[0] = try fields[0].withChildren([more] + fields[0].children)
            let item = fields[1].children[0]
            let extra = try LanceField(id: 22, name: "v", logicalType: "int8", nullable: true)
            fields[1] = try fields[1].withChildren([try item.withChildren(item.children + [extra])])
            draft.schema = LanceSchema(fields: fields)
        }
        let batch = try await Self.read(table)
        #expect(batch.schema == table.manifest.schema.arrowSchema)
        for column in batch.columns { try column.validate() }
        #expect(batch.columns[2].isEqual(to: .utf8([nil, nil, nil])))
        #expect(batch.columns[0].isNull(1) && !batch.columns[0].isNull(0))
        let nested = try await Self.read(table, ["p.w", "p.y", "p.x"])
        #expect(nested.columns[0].isEqual(to: .int64([nil, nil, nil])))
        #expect(nested.columns[1].isEqual(to: .utf8(["a", nil, "c"])))
        let items = ArrowArray.structure([("z", .int32([1, 2, 3])), ("v", .int8([nil, nil, nil]))])
        let lists = ArrowArray.list(of: items, lengths: [2, nil, 1], item: ArrowField("item", items.type))
        #expect(batch.columns[1].isEqual(to: lists))
        #expect(try await Self.read(table, ["new"]).columns[0].nullCount == 3)
    }

    @Test("a struct whose fields are in two files is put together, the newer file wins")
    func spreadStruct() async throws {
        let store = MemoryStore()
        let first = try await Self.table(store)
        // A second file with new values for p.y, as a column update leaves it.
        let other = MemoryStore()
        let pruned = try RecordBatch(
            schema: ArrowSchema([ArrowField("p", .structure([ArrowField("y", .utf8)]))]),
            columns: [.structure([("y", .utf8(["A", "B", "C"]))], validity: [true, false, true])]
        )
        let second = try await Table.create(
            other,
            from: ReaderSource(BatchList(pruned)),
            try TableFixture.options()
        )
        let file = second.manifest.fragments[0].files[0]
        try await store.put("data/\(file.path)", try await other.read("data/\(file.path)"))
        let y = first.manifest.schema.fields[0].children[1].id
        for isTombstoned in [true, false] {
            let table = try await Self.change(store) { draft in
                var message = first.manifest.fragments[0].message
                if isTombstoned {
                    message.files[0].fields = message.files[0].fields.map { $0 == y ? -2 : $0 }
                }
                message.files.append(
                    .with {
                        $0.path = file.path
                        $0.fields = [y]
                        $0.columnIndices = [0]
                        $0.fileMajorVersion = 2
                        $0.fileMinorVersion = 2
                    }
                )
                draft.fragments = [try Fragment(message)]
            }
            let batch = try await Self.read(table, ["p", "l"])
            let expected = ArrowArray.structure(
                [("x", .int32([1, 2, 3])), ("y", .utf8(["A", "B", "C"]))],
                validity: [true, false, true]
            )
            #expect(batch.columns[0].isEqual(to: expected))
            #expect(
                try await TableScan(
                    table: table,
                    projection: try Projection(["p.x"], of: table.manifest.schema),
                    offset: 1,
                    limit: 1,
                    batchRows: nil
                ).makeIterator().next()?.columns[0].isEqual(to: .int32([nil])) == true
            )
        }
    }

    @Test("files of one fragment with different numbers of rows are corrupt")
    func differentLengths() async throws {
        let store = MemoryStore()
        _ = try await Self.table(store)
        let table = try await Self.change(store) { draft in
            var message = draft.fragments[0].message
            message.physicalRows = 4
            draft.fragments = [try Fragment(message)]
        }
        await #expect(throws: LanceError(.corrupt, "")) { try await Self.read(table) }
    }
}
