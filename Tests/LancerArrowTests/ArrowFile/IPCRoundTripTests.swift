import LancerArrow
import LancerBytes
import LancerTestSupport
import Testing

@Suite("Arrow IPC: what is written is read again")
struct IPCRoundTripTests {
    static let leafTypes: [ArrowType] =
        [
            .null, .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .float32,
            .float64,
            .decimal128(precision: 38, scale: -3), .decimal256(precision: 76, scale: 9), .date32, .date64,
            .time32(.second), .time32(.millisecond), .time64(.microsecond), .time64(.nanosecond), .utf8, .largeUtf8,
            .binary, .largeBinary, .fixedSizeBinary(5),
        ] + TimeUnit.allCases.map { .timestamp($0, timezone: nil) }
        + [.timestamp(.nanosecond, timezone: "Europe/Paris")] + TimeUnit.allCases.map { .duration($0) }

    /// The leaf types, each in every kind of nested type.
    static let types: [ArrowType] =
        leafTypes.flatMap { leaf -> [ArrowType] in
            let item = ArrowField("item", leaf, metadata: ["unit": "m"])
            let entries = ArrowField(
                "entries",
                .structure([ArrowField("key", .utf8, nullable: false), ArrowField("value", leaf)]),
                nullable: false
            )
            return [
                leaf, .list(item), .largeList(item), .fixedSizeList(item, 3),
                .structure([item, ArrowField("two", .bool)]),
                .map(entries, keysSorted: true), .list(ArrowField("l", .structure([ArrowField("v", .list(item))]))),
            ]
        } + [.structure([]), .dictionary(index: .uint8, value: .utf8, ordered: true)]

    @Test("every type, alone and nested, whole and sliced, in both formats")
    func everyType() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        for type in Self.types {
            let column = RandomArrays().array(type, length: 77, &random)
            let field = ArrowField("c", type, metadata: ["b": "1", "a": "2"])
            let schema = ArrowSchema([field], metadata: ["z": "", "y": "x"])
            let batch = try RecordBatch(schema: schema, columns: [column])
            let batches = [batch, batch.slice(13..<64), batch.slice(5..<5), batch.slice(76..<77)]
            for form in IPCForm.allCases {
                let read = try form.read(form.write(schema, batches))
                #expect(read.schema == schema)
                expectSame(read.batches, batches, "seed \(seed)")
            }
        }
    }

    @Test("random schemas, several batches with dictionaries of their own, all compressions")
    func randomBatches() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        var types = RandomTypes()
        types.depth = 4
        for _ in 0..<100 {
            let first = try RandomArrays().batch(
                columns: random.int(0...5),
                rows: random.int(0...100),
                types: types,
                &random
            )
            var batches = [first]
            for _ in 0..<random.int(0...3) {
                let rows = random.int(0...70)
                let columns = first.schema.fields.map { RandomArrays().array($0, length: rows, &random) }
                batches.append(try RecordBatch(schema: first.schema, columns: columns, rowCount: rows))
            }
            let compression = random.pick([IPCCompression.none, .lz4, .zstd(level: 1)])
            for form in IPCForm.allCases {
                let read = try form.read(form.write(first.schema, batches, compression))
                #expect(read.schema == first.schema)
                expectSame(read.batches, batches, "seed \(seed)")
            }
        }
    }

    @Test("compressed buffers, also those that do not get smaller", arguments: [IPCCompression.lz4, .zstd(level: 1)])
    func compression(_ compression: IPCCompression) throws {
        var random = SplitMix64(seed: 7)
        let types: [ArrowType] = [.int64, .utf8, .list(ArrowField("item", .float64)), .bool]
        let schema = ArrowSchema(types.enumerated().map { ArrowField("c\($0)", $1) })
        var batches: [RecordBatch] = []
        for count in [0, 1, 500] {
            batches.append(
                try RecordBatch(schema: schema, columns: types.map { RandomArrays().array($0, length: count, &random) })
            )
        }
        let zeros = ArrowArray.int64([Int64?](repeating: 0, count: 5000))
        let plain = ArrowSchema([ArrowField("z", .int64)])
        let even = try RecordBatch(schema: plain, columns: [zeros])
        for form in IPCForm.allCases {
            expectSame(try form.read(form.write(schema, batches, compression)).batches, batches)
            let bytes = try form.write(plain, [even], compression)
            #expect(bytes.count < 2000)
            expectSame(try form.read(bytes).batches, [even])
        }
    }

    @Test("no batches, no columns, no rows")
    func nothing() throws {
        let schema = ArrowSchema([ArrowField("d", .dictionary(index: .int8, value: .utf8, ordered: false))])
        let empty = ArrowSchema([])
        for form in IPCForm.allCases {
            let read = try form.read(form.write(schema, []))
            #expect(read.schema == schema && read.batches.isEmpty)
            let rows = try RecordBatch(schema: empty, columns: [], rowCount: 5)
            #expect(try form.read(form.write(empty, [rows])).batches.map(\.rowCount) == [5])
        }
    }

    @Test("batches of a file are read in any order")
    func randomAccess() throws {
        let schema = ArrowSchema([ArrowField("x", .int32)])
        var batches: [RecordBatch] = []
        for start in Int32(0)..<5 {
            batches.append(try RecordBatch(schema: schema, columns: [.int32([start, nil, start * 2])]))
        }
        var reader = try ArrowIPCFileReader(BufferSource(IPCForm.file.write(schema, batches)))
        #expect(reader.batchCount == 5)
        for index in [3, 0, 4, 4] { expectSame([try reader.batch(at: index)], [batches[index]]) }
        #expect(throws: LanceError(.invalidArgument, "")) { try reader.batch(at: 5) }
        #expect(throws: LanceError(.invalidArgument, "")) { try reader.batch(at: -1) }
    }

    @Test("a stream that comes in pieces of any size is the same stream")
    func pieces() throws {
        let schema = ArrowSchema([ArrowField("x", .utf8)])
        let batch = try RecordBatch(schema: schema, columns: [.utf8(["a", nil, "bcd"])])
        let bytes = try IPCForm.stream.write(schema, [batch, batch])
        for piece in 1...30 { expectSame(try IPCForm.stream.read(bytes, piece: piece).batches, [batch, batch]) }
    }

    @Test("a stream may end without its end mark")
    func noEndMark() throws {
        let schema = ArrowSchema([ArrowField("x", .utf8)])
        let batch = try RecordBatch(schema: schema, columns: [.utf8(["a", nil, "bcd"])])
        let bytes = try IPCForm.stream.write(schema, [batch])
        expectSame(try IPCForm.stream.read(bytes.slice(0..<(bytes.count - 8))).batches, [batch])
    }

    @Test("a batch of other types is refused, and so is one after the end")
    func refusals() throws {
        let schema = ArrowSchema([ArrowField("x", .utf8)])
        let good = try RecordBatch(schema: schema, columns: [.utf8(["a"])])
        let bad = try RecordBatch(schema: ArrowSchema([ArrowField("x", .int32)]), columns: [.int32([1])])
        var writer = try ArrowIPCStreamWriter(schema: schema, sink: MemorySink())
        #expect(throws: LanceError(.schemaMismatch, "")) { try writer.write(bad) }
        try writer.write(good)
        try writer.finish()
        #expect(throws: LanceError(.invalidArgument, "")) { try writer.write(good) }
    }

    @Test("values are slices of the memory that was read")
    func zeroCopy() throws {
        let schema = ArrowSchema([ArrowField("x", .int64)])
        let batch = try RecordBatch(schema: schema, columns: [.int64([1, 2, 3])])
        let bytes = try IPCForm.file.write(schema, [batch])
        let column = try #require(try IPCForm.file.read(bytes).batches.first?.columns.first)
        guard case .fixedWidth(let values) = column.storage else {
            Issue.record("\(column.storage)")
            return
        }
        let place = values.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        let start = bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(place >= start && place < start + UInt(bytes.count))
    }
}
