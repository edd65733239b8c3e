import LancerArrow
import LancerBytes
import LancerInterchange
import LancerTestSupport
import Testing

/// A NumPy file with the header text as given.
private func file(_ header: String, _ values: [UInt8], major: UInt8 = 1) -> ArrowBuffer {
    let text = Array(header.utf8)
    var bytes: [UInt8] = [
        0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, major, 0, UInt8(text.count & 255), UInt8(text.count >> 8),
    ]
    if major > 1 { bytes += [0, 0] }
    return ArrowBuffer(bytes + text + values)
}

private func header(_ type: String, _ shape: String, fortran: Bool = false) -> String {
    "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
}

private func read(_ bytes: ArrowBuffer, batchBytes: Int = 8 << 20) throws -> ArrowArray {
    try all(NPYReader(BufferSource(bytes), name: "v", batchBytes: batchBytes)).columns[0]
}

@Suite("NPY")
struct NPYTests {
    @Test("one dimension is a column, two are fixed-size lists", arguments: [1, 2, 3] as [UInt8])
    func dimensions(version: UInt8) throws {
        let values: [UInt8] = [1, 0, 2, 0, 3, 0, 255, 255]
        #expect(try read(file(header("<i2", "(4,)"), values, major: version)).isEqual(to: .int16([1, 2, 3, -1])))
        let matrix = try read(file(header("<u2", "(2, 2)"), values, major: version), batchBytes: 1)
        #expect(matrix.isEqual(to: .fixedSizeList(of: .uint16([1, 2, 3, 65535]), size: 2)))
        #expect(try read(file(header("<f8", "(0,)"), [], major: version)).length == 0)
    }

    @Test("big-endian values and Fortran order are turned around")
    func orders() throws {
        let bytes: [UInt8] = [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]
        #expect(try read(file(header(">i2", "(6,)"), bytes)).isEqual(to: .int16([1, 2, 3, 4, 5, 6])))
        for batchBytes in [1, 4, 100] {
            let matrix = try read(file(header(">i2", "(2, 3)", fortran: true), bytes), batchBytes: batchBytes)
            #expect(matrix.isEqual(to: .fixedSizeList(of: .int16([1, 3, 5, 2, 4, 6]), size: 3)))
        }
        #expect(try read(file(header("|b1", "(3,)"), [1, 0, 1])).isEqual(to: .bool([true, false, true])))
    }

    @Test(
        "files that are damaged or of another kind are named",
        arguments: [
            ("<i2", "(5,)", "truncated"), ("<i2", "(9223372036854775807, 9)", "corrupt"),
            ("<c8", "(1,)", "unsupported"),
            ("<U4", "(1,)", "unsupported"), ("|O", "(1,)", "unsupported"), ("<i2", "()", "unsupported"),
            ("<i2", "(1, 1, 1)", "unsupported"), ("<i2", "(1, 0)", "unsupported"), ("<i2", "(-1,)", "corrupt"),
            ("<i2", "(1", "corrupt"), ("<i2", "5", "corrupt"), ("<i3", "(1,)", "unsupported"),
        ]
    )
    func damaged(type: String, shape: String, code: String) throws {
        #expect(failure { _ = try read(file(header(type, shape), [0, 0, 0, 0])) }?.code.description == code)
    }

    @Test("random damage never traps")
    func garbage() throws {
        var random = SplitMix64(seed: 11)
        let good = file(header("<f4", "(3, 2)", fortran: true), [UInt8](repeating: 1, count: 24)).bytes
        for _ in 0..<5000 {
            var bytes = good
            if random.chance(0.3) { bytes.removeLast(random.int(0...bytes.count)) }
            for _ in 0..<random.int(0...3) where !bytes.isEmpty {
                bytes[random.int(0...(bytes.count - 1))] =
                    random.chance(0.7) ? random.pick(good) : UInt8(truncatingIfNeeded: random.next())
            }
            do { _ = try read(ArrowBuffer(bytes)) } catch is LanceError {}
        }
    }

    @Test("every type is written and read back equal, with the row count known or not", arguments: [1, 2, 3])
    func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let types: [ArrowType] = [
            .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .float32, .float64,
        ]
        for type in types {
            for field in [ArrowField("v", type), ArrowField("v", .fixedSizeList(ArrowField("item", type), 3))] {
                let rows = random.int(0...50)
                var arrays = RandomArrays()
                arrays.nullRate = 0
                let array = arrays.array(field, length: rows, &random)
                let sink = MemorySink()
                let isKnown = random.chance(0.5)
                var writer = try NPYWriter(field: field, rowCount: isKnown ? rows : nil, sink: sink)
                try writer.write(array.slice(0..<(rows / 2)))
                try writer.write(array.slice((rows / 2)..<rows))
                let header = try writer.finish()
                #expect(header.count % 64 == 0)
                let bytes = header.bytes + sink.buffer.bytes.dropFirst(header.count)
                if isKnown { #expect(bytes == sink.buffer.bytes) }
                #expect(try read(ArrowBuffer(bytes)).isEqual(to: array), "seed \(seed), \(field)")
            }
        }
    }

    @Test("nulls, other types and wrong counts are refused")
    func refused() throws {
        let list = ArrowField("v", .fixedSizeList(ArrowField("item", .int8), 2))
        var writer = try NPYWriter(field: list, rowCount: 3, sink: MemorySink())
        try writer.write(.fixedSizeList(of: .int8([1, 2]), size: 2))
        let null = failure { try writer.write(.fixedSizeList(of: .int8([1, 2, 3, nil]), size: 2)) }
        #expect(null?.message == "column \"v\", row 2, item 1 is null, which NPY cannot hold")
        #expect(failure { try writer.write(.int8([1])) }?.code == .schemaMismatch)
        #expect(failure { try writer.write(.fixedSizeList(of: .int8([1, 2, 3]), size: 3)) }?.code == .schemaMismatch)
        #expect(failure { _ = try writer.finish() }?.message.contains("3 rows got 1") == true)
        #expect(
            failure { _ = try NPYWriter(field: ArrowField("s", .utf8), rowCount: 1, sink: MemorySink()) }?.code
                == .unsupported
        )
    }
}

@Suite("Vectors beside a table")
struct VectorColumnReaderTests {
    private func vectors(_ rows: Int, name: String = "v") throws -> NPYReader {
        let bytes = file(header("|u1", "(\(rows), 2)"), (0..<(rows * 2)).map { UInt8(truncatingIfNeeded: $0) })
        return try NPYReader(BufferSource(bytes), name: name)
    }

    private func table(_ rows: Int) throws -> CSVReader {
        let text = "a\n" + (0..<rows).map { "\($0)\n" }.joined()
        var options = CSVOptions()
        options.batchRows = 7
        return try CSVReader(options: options) { () throws(LanceError) in BufferStream(buffer(text)) }
    }

    @Test("rows are put side by side")
    func zip() throws {
        let batch = try all(
            VectorColumnReader(table(20), adding: [vectors(20), vectors(20, name: "w")], baseRowCount: 20)
        )
        #expect(types(batch) == "a:int64,v:fixed_size_list<item:uint8>[2],w:fixed_size_list<item:uint8>[2]")
        #expect(batch.columns[1].isEqual(to: .fixedSizeList(of: .uint8((0..<40).map { $0 }), size: 2)))
        #expect(batch.columns[0].isEqual(to: .int64((0..<20).map { $0 })))
    }

    @Test("different row counts are named, at once when they are known")
    func mismatch() throws {
        #expect(
            failure { _ = try VectorColumnReader(table(20), adding: [vectors(19)], baseRowCount: 20) }?.message
                == "the vectors \"v\" have 19 rows, the table has 20"
        )
        #expect(
            failure { _ = try all(VectorColumnReader(table(20), adding: [vectors(21)])) }?.message
                == "the vectors \"v\" have 21 rows, the table has 20"
        )
        #expect(
            failure { _ = try all(VectorColumnReader(table(20), adding: [vectors(19)])) }?.message.contains(
                "have 19 rows, the table has at least 20"
            ) == true
        )
        #expect(
            failure { _ = try VectorColumnReader(table(2), adding: [vectors(2, name: "a")]) }?.code == .schemaMismatch
        )
    }
}
