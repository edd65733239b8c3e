import LancerArrow
import LancerBytes
import LancerTestSupport
import Testing

@Suite("Arrow IPC: damaged data")
struct IPCCorruptionTests {
    /// Reads damaged data: either an error or batches that are valid.
    private func survive(_ form: IPCForm, _ bytes: ArrowBuffer, _ note: @autoclosure () -> String) {
        do {
            for batch in try form.read(bytes).batches {
                for column in batch.columns {
                    try column.validate()
                    #expect(column.length == batch.rowCount)
                }
            }
        } catch {
            #expect(error is LanceError, "\(note()): \(error)")
        }
    }

    private func damage(_ form: IPCForm, _ bytes: ArrowBuffer, _ name: String) {
        for count in 0..<bytes.count { survive(form, bytes.slice(0..<count), "\(name) cut at \(count)") }
        let original = bytes.bytes
        for place in original.indices {
            for mask: UInt8 in [0xFF, 0x01, 0x80] {
                var damaged = original
                damaged[place] ^= mask
                survive(form, ArrowBuffer(damaged), "\(name) with byte \(place) ^ \(mask)")
            }
        }
    }

    @Test("every truncation and every inverted byte of small files and streams is an error or valid data")
    func everyByte() throws {
        let entries = ArrowField("e", .structure([ArrowField("k", .int8), ArrowField("v", .utf8)]), nullable: false)
        let types: [ArrowType] = [
            .list(ArrowField("item", .utf8)), .dictionary(index: .int8, value: .utf8, ordered: false), .null,
            .fixedSizeList(ArrowField("item", .bool), 2), .map(entries, keysSorted: false),
            .decimal128(precision: 9, scale: 2),
        ]
        var random = SplitMix64(seed: 3)
        let schema = ArrowSchema(types.enumerated().map { ArrowField("c\($0)", $1) }, metadata: ["k": "v"])
        let batch = try RecordBatch(schema: schema, columns: types.map { RandomArrays().array($0, length: 9, &random) })
        for form in IPCForm.allCases {
            for compression in [IPCCompression.none, .lz4, .zstd(level: 1)] {
                let bytes = try form.write(schema, [batch, batch.slice(2..<5)], compression)
                damage(form, bytes, "\(form) \(compression)")
            }
        }
    }

    @Test(
        "every inverted byte of what other programs wrote",
        arguments: [
            "views.arrow", "polars.arrow", "dictionary-delta.arrow", "dictionary-replaced.arrows",
            "dictionary-nested.arrow",
        ]
    )
    func vectors(_ name: String) throws {
        damage(name.hasSuffix("s") ? .stream : .file, try ipcVector(name), name)
    }

    @Test("after an error a stream keeps throwing it")
    func failedStream() throws {
        let schema = ArrowSchema([ArrowField("x", .int32)])
        let batch = try RecordBatch(schema: schema, columns: [.int32([1, 2, 3])])
        let bytes = try IPCForm.stream.write(schema, [batch, batch])
        var reader = try ArrowIPCStreamReader(BufferStream(bytes.slice(0..<(bytes.count - 20))))
        _ = try reader.next()
        for _ in 0..<2 { #expect(throws: LanceError(.truncated, "")) { try reader.next() } }
    }

    @Test("a message that claims gigabytes does not reserve them")
    func claims() throws {
        let schema = ArrowSchema([ArrowField("x", .int32)])
        let start = try IPCForm.stream.write(schema, [])
        var bytes = Array(start.bytes.dropLast(8))
        bytes += [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F]
        #expect(throws: LanceError(.truncated, "")) { try IPCForm.stream.read(ArrowBuffer(bytes)) }
        bytes[bytes.count - 1] = 0x7F
        #expect(throws: LanceError(.limitExceeded, "")) { try IPCForm.stream.read(ArrowBuffer(bytes)) }
        bytes[bytes.count - 1] = 0xFF
        #expect(throws: LanceError(.corrupt, "")) {
            try IPCForm.stream.read(ArrowBuffer(Array(start.bytes.dropLast(8)) + [0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]))
        }
    }
}
