import LancerArrow
import LancerBytes
import LancerInterchange
import LancerTestSupport
import Testing

@Suite("Tables as text and back")
struct RoundTripTests {
    @Test("random tables survive JSON lines when the schema is known", arguments: Array(UInt64(1)...40))
    func json(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<10 {
            let batch = try canonical(
                RandomArrays().batch(columns: random.int(1...6), rows: random.int(0...80), &random)
            )
            let bytes = try writeJSON(batch)
            var options = JSONLinesOptions()
            options.schema = batch.schema
            options.batchBytes = random.pick([64, 1000, 1 << 20])
            let back = try readJSON(bytes, options, piece: random.pick([1, 100, 1 << 20]))
            let isEqual = back.isEqual(to: batch)
            #expect(isEqual, "seed \(seed): \(batch.schema)\n\(String(text(bytes).prefix(2000)))")
        }
    }

    @Test("random tables survive CSV and TSV when the schema is known", arguments: Array(UInt64(1)...40))
    func csv(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<10 {
            let batch = try canonical(
                RandomArrays().batch(columns: random.int(1...6), rows: random.int(0...80), &random)
            )
            var layout = CSVWriterOptions()
            layout.header = random.chance(0.5)
            layout.delimiter = random.pick([0x2C, 0x09, 0x3B, 0x3A, 0x2D, 0x20])
            let bytes = try writeCSV(batch, layout)
            var options = CSVOptions()
            options.schema = batch.schema
            options.header = layout.header
            options.delimiter = layout.delimiter
            options.batchBytes = random.pick([64, 1000, 1 << 20])
            let back = try readCSV(bytes, options, piece: random.pick([1, 100, 1 << 20]))
            let isEqual = back.isEqual(to: batch)
            #expect(isEqual, "seed \(seed): \(batch.schema)\n\(String(text(bytes).prefix(2000)))")
        }
    }

    @Test("cells are quoted where they must be and nowhere else")
    func quoting() throws {
        let batch = try RecordBatch(
            schema: ArrowSchema([
                ArrowField("a,b", .utf8), ArrowField("c", .float64), ArrowField("d", .list(ArrowField("item", .utf8))),
            ]),
            columns: [
                .utf8(["x", "", nil, " y", "q\"q", "l\nl", "é"]),
                .float64([0.1, 1, nil, .infinity, -0.0, 1e300, .nan]),
                try .of(.list(ArrowField("item", .utf8)), [["a", nil], [], nil, nil, nil, nil, nil]),
            ]
        )
        #expect(
            text(try writeCSV(batch)) == """
                "a,b",c,d
                x,0.1,"[""a"",null]"
                "",1.0,[]
                ,,
                " y",Infinity,
                "q""q",-0.0,
                "l
                l",1e+300,
                é,NaN,

                """
        )
        #expect(
            text(try writeJSON(batch)).split(separator: "\n").prefix(4) == [
                "{\"a,b\":\"x\",\"c\":0.1,\"d\":[\"a\",null]}", "{\"a,b\":\"\",\"c\":1.0,\"d\":[]}",
                "{\"a,b\":null,\"c\":null,\"d\":null}", "{\"a,b\":\" y\",\"c\":\"Infinity\",\"d\":null}",
            ]
        )
    }

    @Test("a batch of another schema is refused")
    func otherSchema() throws {
        let sink = MemorySink()
        var writer = try CSVWriter(schema: ArrowSchema([ArrowField("a", .int8)]), sink: sink)
        let batch = try RecordBatch(schema: ArrowSchema([ArrowField("b", .int8)]), columns: [.int8([1])])
        #expect(failure { try writer.write(batch) }?.code == .schemaMismatch)
        #expect(failure { _ = try CSVWriter(schema: ArrowSchema([]), sink: sink) }?.code == .invalidArgument)
    }
}
