import LancerArrow
import LancerBytes
import Testing

@Suite("Arrow IPC: files that other programs wrote")
struct IPCVectorTests {
    private func read(_ name: String) throws -> (schema: ArrowSchema, batches: [RecordBatch]) {
        let form = name.hasSuffix("s") ? IPCForm.stream : .file
        return try form.read(ipcVector(name))
    }

    private func column(_ batch: RecordBatch?, _ name: String) throws -> [ArrowValue] {
        let column = try #require(batch?.column(name))
        return (0..<column.length).map { column.value(at: $0) }
    }

    @Test("pyarrow: the values of every type")
    func values() throws {
        let (schema, batches) = try read("types.arrow")
        #expect(batches.map(\.rowCount) == [4, 2, 0, 1])
        #expect(schema.metadata == ["z": "last", "a": "first"])
        let first = batches.first
        #expect(try column(first, "null") == [nil, nil, nil, nil])
        #expect(try column(first, "bool") == [true, nil, false, true])
        #expect(try column(first, "float16") == [1.5, nil, -2.0, 0.0])
        #expect(try column(first, "date32") == [.int(19782), nil, .int(19782), .int(19782)])
        #expect(try column(first, "time32") == [.int(45296), nil, .int(45296), .int(45296)])
        #expect(try column(first, "timestampZone") == [.int(1), nil, .int(-2), .int(3)])
        #expect(try column(first, "utf8") == ["a", nil, "", "héllo, a somewhat longer text"])
        #expect(
            try column(first, "fixed") == [
                .bytes(Array("abc".utf8)), nil, .bytes(Array("def".utf8)), .bytes(Array("ghi".utf8)),
            ]
        )
        #expect(
            try column(first, "list") == [.list([.int(1), nil]), nil, .list([]), .list([.int(2), .int(3), .int(4)])]
        )
        #expect(try column(first, "dictionary") == ["x", nil, "y", "x"])
        #expect(try column(first, "uint8") == [.uint(1), nil, .uint(0), .uint(127)])
        #expect(try column(batches[1], "utf8") == [nil, ""])
        #expect(try column(batches[3], "list") == [.list([.int(2), .int(3), .int(4)])])
        let field = try #require(schema.index(of: "required").map { schema.fields[$0] })
        #expect(!field.nullable && field.type == .int32)
        #expect(schema.fields[schema.index(of: "utf8") ?? 0].metadata == ["note": "utf8"])
        #expect(
            schema.fields[schema.index(of: "timestampZone") ?? 0].type
                == .timestamp(.nanosecond, timezone: "Europe/Paris")
        )
        #expect(schema.fields[schema.index(of: "decimal256") ?? 0].type == .decimal256(precision: 50, scale: 2))
    }

    @Test(
        "pyarrow: streams, compressed and old files have the same values",
        arguments: ["types.arrows", "types-lz4.arrow", "types-zstd.arrows", "types-v4-legacy.arrows"]
    )
    func variants(_ name: String) throws {
        let wanted = try read("types.arrow")
        let found = try read(name)
        #expect(found.schema == wanted.schema)
        expectSame(found.batches, wanted.batches)
        for form in IPCForm.allCases {
            expectSame(try form.read(form.write(found.schema, found.batches)).batches, wanted.batches)
        }
    }

    @Test("pyarrow: views become texts and bytes, with 64-bit offsets if asked for")
    func views() throws {
        let (schema, batches) = try read("views.arrow")
        expectSame(batches, try read("plain.arrow").batches)
        #expect(schema.fields.map(\.type).prefix(2) == [.utf8, .binary])
        var options = IPCReadOptions()
        options.largeViews = true
        let large = try IPCForm.file.read(ipcVector("views.arrow"), options: options)
        #expect(large.schema.fields.map(\.type).prefix(2) == [.largeUtf8, .largeBinary])
        #expect(try column(large.batches[0], "text") == column(batches[0], "text"))
    }

    @Test("polars: views, categories, lists and LZ4")
    func polars() throws {
        let (_, batches) = try read("polars.arrow")
        let batch = batches.first
        #expect(batches.count == 1)
        #expect(try column(batch, "text") == ["short", nil, "a text of more than twelve bytes"])
        #expect(try column(batch, "category") == ["x", "y", "x"])
        #expect(try column(batch, "items") == [["one"], [], .list(["a second text of more than twelve bytes", nil])])
        #expect(try column(batch, "number") == [.int(1), .int(2), nil])
    }

    @Test(
        "pyarrow: delta dictionaries and replaced dictionaries",
        arguments: ["dictionary-delta.arrows", "dictionary-delta.arrow", "dictionary-replaced.arrows"]
    )
    func dictionaries(_ name: String) throws {
        let batches = try read(name).batches
        #expect(try batches.map { try column($0, "d") } == [["a", "b", "a"], ["c", "b", nil]])
    }

    @Test("pyarrow: a dictionary inside the values of another")
    func nestedDictionary() throws {
        let q = ArrowValue.structure([.init("inner", "q")])
        let p = ArrowValue.structure([.init("inner", "p")])
        #expect(try column(read("dictionary-nested.arrow").batches.first, "d") == [q, p, nil, q])
    }

    @Test("Lance: a deletion file is one column of row numbers")
    func deletions() throws {
        let (schema, batches) = try read("lance-deletions.arrow")
        #expect(schema.fields.map(\.type) == [.uint32])
        #expect(try Set(column(batches.first, "row_id")) == [.uint(7), .uint(307), .uint(607), .uint(907)])
    }

    @Test(
        "types that Lancer has not are refused with type and column",
        arguments: [
            ("dense_union", "union"), ("run_end_encoded", "run_end_encoded"), ("interval", "interval"),
            ("decimal32", "decimal32"), ("decimal64", "decimal64"), ("list_view", "list_view"),
            ("large_list_view", "large_list_view"),
        ]
    )
    func unsupported(_ name: String, _ type: String) throws {
        let error = #expect(throws: LanceError.self) { try read("unsupported-\(name).arrows") }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("\"s.x\"") == true && error?.message.contains(type) == true, "\(error as Any)")
    }

    @Test("a file given to the stream reader, and other formats, are named")
    func otherFormats() throws {
        #expect(throws: LanceError(.invalidArgument, "")) { try IPCForm.stream.read(ipcVector("types.arrow")) }
        #expect(throws: LanceError(.unsupported, "")) { try IPCForm.stream.read(ArrowBuffer(Array("FEA1....".utf8))) }
        #expect(throws: LanceError(.corrupt, "")) { try IPCForm.file.read(ArrowBuffer(Array("PAR1.......".utf8))) }
        #expect(throws: LanceError(.truncated, "")) { try IPCForm.file.read(.empty) }
        #expect(throws: LanceError(.truncated, "")) { try IPCForm.stream.read(.empty) }
    }
}
