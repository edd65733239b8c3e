import LancerArrow
import LancerBytes
import LancerFile
import LancerTestSupport
import Testing

/// Damaged files give errors or other values, never a trap, and a file cut short is always refused.
@Suite("Damaged data files")
struct DamageTests {
    /// A small file with every layout: bit-packed, runs, text, vectors, lists, structs, constants, dictionaries.
    static func file(_ version: FileVersion) async throws -> ArrowBuffer {
        var random = SplitMix64(seed: 11)
        let rows = 40
        var fields = [
            ArrowField("packed", .int64, nullable: true), ArrowField("text", .utf8), ArrowField("flag", .bool),
            ArrowField("vector", .fixedSizeList(ArrowField("item", .float32), 4)),
            ArrowField("wide", .fixedSizeBinary(260)),
            ArrowField("list", .list(ArrowField("item", .list(ArrowField("item", .int16))))),
            ArrowField("pair", .structure([ArrowField("a", .utf8), ArrowField("b", .float64)])),
            ArrowField("word", .dictionary(index: .int8, value: .utf8, ordered: false)),
            ArrowField("none", .null),
        ]
        if version == .v2_2 {
            let entries = ArrowType.structure([ArrowField("key", .utf8, nullable: false), ArrowField("value", .int32)])
            fields.append(ArrowField("map", .map(ArrowField("entries", entries, nullable: false), keysSorted: false)))
        }
        let arrays = RandomArrays()
        var columns = fields.map { arrays.array($0, length: rows, &random) }
        fields.append(ArrowField("same", .utf8))
        columns.append(.utf8(Array(repeating: "constant", count: rows)))
        fields.append(ArrowField("long", .utf8))
        columns.append(.utf8((0..<rows).map { $0 % 3 == 0 ? String(repeating: "word \($0) ", count: 8) : nil }))
        fields.append(ArrowField("runs", .int32))
        columns.append(.int32((0..<rows).map { Int32($0 / 10) }))
        fields.append(ArrowField("zstd", .int64, metadata: ["lance-encoding:compression": "zstd"]))
        columns.append(.int64((0..<rows).map { Int64($0 * $0) }))
        let batch = try RecordBatch(schema: ArrowSchema(fields), columns: columns)
        let sink = MemorySink()
        var writer = try LanceFileWriter(schema: try LanceSchema(arrow: batch.schema), version: version, sink: sink)
        try writer.write(batch)
        _ = try writer.finish()
        return sink.buffer
    }

    /// Opens and reads everything, whole and by single rows; returns whether it succeeded.
    static func readAll(_ bytes: ArrowBuffer) async throws -> Bool {
        do {
            let reader = try await LanceFileReader.open(MemoryRangeSource(bytes))
            // What a table knows bounds a read; a lone file that claims more rows than this is not read whole here.
            let rows = min(reader.rowCount, 4096)
            var complete = true
            for field in reader.schema.fields {
                let columnOf = RoundTripTests.columnOf(reader.schema)
                do {
                    let arrays = try await reader.read([field], columnOf: columnOf, rows: 0..<rows)
                    for array in arrays { try array.validate() }
                    if rows > 0 {
                        _ = try await reader.take(
                            [field],
                            columnOf: columnOf,
                            rows: [rows - 1, 0, rows / 2, rows / 3, rows / 5, rows / 7]
                        )
                    }
                } catch is LanceError {
                    complete = false
                }
            }
            return complete
        } catch is LanceError {
            return false
        }
    }

    @Test("every truncation is refused", arguments: FileVersion.allCases)
    func truncations(version: FileVersion) async throws {
        let whole = try await Self.file(version)
        #expect(try await Self.readAll(whole))
        for length in 0..<whole.count {
            let accepted = try await Self.readAll(whole.slice(0..<length))
            if accepted { Issue.record("a file of \(whole.count) bytes cut to \(length) was read") }
        }
    }

    @Test("no inverted byte traps", arguments: FileVersion.allCases)
    func inversions(version: FileVersion) async throws {
        let whole = try await Self.file(version)
        var refused = 0
        for position in 0..<whole.count {
            var bytes = whole.bytes
            bytes[position] ^= 0xFF
            if try await !Self.readAll(ArrowBuffer(bytes)) { refused += 1 }
        }
        print("DamageTests \(version): \(refused) of \(whole.count) changed files refused")
    }
}
