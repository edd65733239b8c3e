import LancerArrow
import LancerBytes
import LancerFile
import Testing

/// The bytes and pages that the writer makes.
@Suite("File writer")
struct FileWriterTests {
    private func file(
        _ batches: [RecordBatch],
        _ version: FileVersion = .v2_2,
        options: FileWriteOptions = FileWriteOptions()
    ) throws -> (ArrowBuffer, WrittenFile) {
        let sink = MemorySink()
        let schema = try LanceSchema(arrow: batches[0].schema)
        var writer = try LanceFileWriter(schema: schema, version: version, sink: sink, options: options)
        for batch in batches { try writer.write(batch) }
        let written = try writer.finish()
        return (sink.buffer, written)
    }

    private func batch(_ columns: [(ArrowField, ArrowArray)]) throws -> RecordBatch {
        try RecordBatch(schema: ArrowSchema(columns.map(\.0)), columns: columns.map(\.1))
    }

    @Test(
        "one nullable int32 column of three rows is, byte for byte and but for checksums, the file that pylance 14 writes"
    )
    func golden() throws {
        let column = ArrowArray.int32([1, nil, 3])
        var options = FileWriteOptions()
        options.checksums = false
        let (bytes, written) = try file([try batch([(ArrowField("a", .int32), column)])], options: options)
        var expected: [UInt8] = [0x30, 0, 0, 0] + [UInt8](repeating: 0x48, count: 60)
        expected += [3, 0, 6, 0, 12, 0, 0, 0] + [0, 0, 1, 0, 0, 0, 0xFE, 0xFE]
        expected += [1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0xFE, 0xFE, 0xFE, 0xFE]
        expected += [UInt8](repeating: 0x48, count: 32)
        expected += [0x0A, 0x1B, 0x0A, 0x19, 0x12, 0x01, 0x61, 0x20] + [UInt8](repeating: 0xFF, count: 9)
        expected += [0x01, 0x2A, 0x05] + Array("int32".utf8) + [0x30, 0x01, 0x38, 0x01, 0x10, 0x03]
        expected += [0x0A, 0x29, 0x12, 0x27, 0x0A, 0x25, 0x0A, 0x1F] + Array("/lance.encodings.ColumnEncoding".utf8)
        expected += [0x12, 0x02, 0x0A, 0x00]
        expected += [0x12, 0x48, 0x0A, 0x02, 0x00, 0x40, 0x12, 0x02, 0x04, 0x20, 0x18, 0x03]
        expected += [0x22, 0x3C, 0x12, 0x3A, 0x0A, 0x38, 0x0A, 0x1D] + Array("/lance.encodings21.PageLayout".utf8)
        expected += [0x12, 0x17, 0x0A, 0x15, 0x12, 0x04, 0x0A, 0x02, 0x08, 0x10, 0x1A, 0x04, 0x0A, 0x02, 0x08, 0x20]
        expected += [0x32, 0x01, 0x03, 0x38, 0x01, 0x48, 0x03, 0x50, 0x01]
        func words(_ values: [UInt64]) -> [UInt8] {
            values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) } }
        }
        expected += words([159, 117]) + words([128, 31]) + words([159, 276, 292])
        expected += [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 2, 0] + Array("LANC".utf8)
        #expect(expected.count == 348)
        #expect(bytes.bytes == expected)
        #expect(written.sizeInBytes == 348)
        #expect(written.rowCount == 3)
        #expect(written.fieldIDs == [0])
        #expect(written.columnIndices == [0])
    }

    @Test("equal input gives equal files, whatever is encoded in parallel")
    func deterministic() throws {
        let columns = (0..<40).map { index in
            (
                ArrowField("c\(index)", .int64, metadata: ["b": "1", "a": "2", "c": "3"]),
                ArrowArray.int64((0..<5000).map { Int64($0 * index % 97) })
            )
        }
        let batches = [try batch(columns), try batch(columns)]
        var options = FileWriteOptions()
        options.pageBytes = 10_000
        let first = try file(batches, options: options).0
        for _ in 0..<3 { #expect(try file(batches, options: options).0.bytes == first.bytes) }
    }

    @Test("hundreds of columns stay within the budget and all rows arrive")
    func wideTable() async throws {
        let columns = (0..<300).map { index in
            (ArrowField("c\(index)", .int64), ArrowArray.int64((0..<1000).map { Int64($0 * index) }))
        }
        let wide = try batch(columns)
        var options = FileWriteOptions()
        options.bufferedBytes = 5_000_000
        let sink = MemorySink()
        let schema = try LanceSchema(arrow: wide.schema)
        var writer = try LanceFileWriter(schema: schema, version: .v2_2, sink: sink, options: options)
        for _ in 0..<6 {
            try writer.write(wide)
            #expect(writer.bytesBuffered <= options.bufferedBytes)
        }
        let written = try writer.finish()
        #expect(written.rowCount == 6000)
        let reader = try await LanceFileReader.open(MemoryRangeSource(sink.buffer))
        let columnOf = RoundTripTests.columnOf(reader.schema)
        let last = try await reader.read([reader.schema.fields[299]], columnOf: columnOf, rows: 5000..<6000)
        #expect(last[0].isEqual(to: columns[299].1))
    }

    @Test("tiny batches, different dictionaries and long gaps between items survive", arguments: FileVersion.allCases)
    func awkwardInput(_ version: FileVersion) async throws {
        func dictionary(_ values: [String], _ indices: [Int8]) -> ArrowArray {
            ArrowArray(
                type: .dictionary(index: .int8, value: .utf8, ordered: false),
                length: indices.count,
                storage: .dictionary(indices: ArrowBuffer(indices), values: .utf8(values))
            )
        }
        let type = dictionary([], []).type
        var batches: [RecordBatch] = []
        for index in 0..<300 {
            let list = ArrowArray.list(of: .int32([Int32(index)]), lengths: [1] + [Int](repeating: 0, count: 299))
            let words = dictionary(["w\(index / 3)", "x"], [Int8](repeating: 0, count: 299) + [1])
            batches.append(try batch([(ArrowField("l", list.type), list), (ArrowField("d", type), words)]))
        }
        let (bytes, _) = try file(batches, version)
        let reader = try await LanceFileReader.open(MemoryRangeSource(bytes))
        let columnOf = RoundTripTests.columnOf(reader.schema)
        let read = try await reader.read(reader.schema.fields, columnOf: columnOf, rows: 0..<90_000)
        #expect(read[0].isEqual(to: try .concatenating(batches.map { $0.columns[0] })))
        #expect(read[1].length == 90_000)
    }

    @Test("what a file version cannot store is refused by name")
    func unsupported() throws {
        let entries = ArrowType.structure([ArrowField("key", .utf8, nullable: false), ArrowField("value", .int32)])
        let map = ArrowType.map(ArrowField("entries", entries, nullable: false), keysSorted: false)
        let vectors = ArrowType.fixedSizeList(ArrowField("item", .structure([ArrowField("x", .int32)])), 2)
        let cases: [(ArrowType, FileVersion)] = [
            (map, .v2_1), (vectors, .v2_1), (.fixedSizeList(ArrowField("item", .utf8), 2), .v2_2),
            (.list(ArrowField("item", vectors)), .v2_2),
        ]
        for (type, version) in cases {
            #expect(throws: LanceError(.unsupported, "")) {
                let schema = try LanceSchema(arrow: ArrowSchema([ArrowField("c", type)]))
                _ = try LanceFileWriter(schema: schema, version: version, sink: MemorySink())
            }
        }
    }

    @Test("a batch with other columns is refused")
    func wrongBatch() throws {
        let schema = try LanceSchema(arrow: ArrowSchema([ArrowField("a", .int32, nullable: false)]))
        var writer = try LanceFileWriter(schema: schema, version: .v2_2, sink: MemorySink())
        let wrong = [
            try batch([(ArrowField("b", .int32), ArrowArray.int32([1]))]),
            try batch([(ArrowField("a", .int64), ArrowArray.int64([1]))]),
            try batch([(ArrowField("a", .int32), ArrowArray.int32([nil]))]),
        ]
        for batch in wrong {
            #expect(throws: LanceError(.schemaMismatch, "")) { try writer.write(batch) }
        }
    }
}
