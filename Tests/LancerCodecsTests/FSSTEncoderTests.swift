import LancerBytes
import LancerCodecs
import Testing

@Suite("FSST encoding")
struct FSSTEncoderTests {
    private func roundTrip(_ values: [[UInt8]]) throws -> Int {
        let (offsets, data) = variable(values)
        return try offsets.withUnsafeBufferPointer { offsets in
            try data.withUnsafeBytes { bytes in
                let encoder = try FSSTEncoder(trainingOn: offsets, data: bytes)
                let again = try FSSTEncoder.train(offsets: offsets, data: bytes)
                #expect(again.blob.bytes == encoder.blob.bytes, "training is repeatable")
                #expect(encoder.blob.count == FSSTSymbolTable.serializedSize)
                let encoded = try encoder.encodeAll(offsets: offsets, data: bytes)
                let table = try FSSTSymbolTable(blob: encoder.blob)
                let decoded = try table.decodeAll(
                    offsets: encoded.offsets,
                    of: Int32.self,
                    count: values.count,
                    data: encoded.data
                )
                #expect(decoded.data.bytes == data)
                #expect(decoded.offsets.withValues(of: Int32.self) { Array($0) } == Array(offsets))
                try checkSingles(values, encoder, table)
                return encoded.data.count
            }
        }
    }

    /// One value at a time, in memory of exactly its size: nothing around it may be read or written.
    private func checkSingles(_ values: [[UInt8]], _ encoder: FSSTEncoder, _ table: FSSTSymbolTable) throws {
        for value in values.prefix(50) {
            var codes = [UInt8](repeating: 0, count: value.count * 2)
            let count = value.withUnsafeBytes { value in
                codes.withUnsafeMutableBytes { encoder.encode(value, into: $0) }
            }
            var text = [UInt8](repeating: 0, count: value.count)
            let length = try codes[..<count].withUnsafeBytes { codes in
                try text.withUnsafeMutableBytes { try table.decode(codes, into: $0) }
            }
            #expect(length == value.count && text == value)
        }
    }

    @Test("nothing, empty values and one byte come back")
    func edges() throws {
        #expect(try roundTrip([]) == 0)
        #expect(try roundTrip([[]]) == 0)
        #expect(try roundTrip([[], [], []]) == 0)
        for byte: UInt8 in [0, 1, 254, 255] { #expect(try roundTrip([[byte]]) <= 2) }
        _ = try roundTrip([Array(0...255), [0, 0, 0], [255, 255]])
    }

    @Test("values of every length around a symbol's come back, also with zero bytes")
    func lengths() throws {
        var generator = SeededGenerator(seed: 3)
        for alphabet: ClosedRange<UInt8> in [0...1, 97...99, 0...255] {
            let values = (0..<40).flatMap { length in
                (0..<20).map { _ in generator.bytes(length, alphabet: alphabet) }
            }
            _ = try roundTrip(values)
        }
    }

    @Test("a value may end where the next goes on with the same symbol")
    func ends() throws {
        let text = Array("abcdefghabcdefghabcdefgh".utf8)
        let values = (0..<400).map { Array(text[($0 % 8)..<(8 + $0 % 16)]) }
        _ = try roundTrip(values)
    }

    @Test("text gets smaller, noise at most twice as large")
    func sizes() throws {
        var generator = SeededGenerator(seed: 4)
        let words = ["library ", "development ", "files ", "package ", "for ", "the ", "http://www.", ".org/"]
        let text = (0..<4000).map { _ in
            (0..<6).flatMap { _ in Array((words.randomElement(using: &generator) ?? "").utf8) }
        }
        let total = text.reduce(0) { $0 + $1.count }
        #expect(try roundTrip(text) * 4 < total)
        let noise = (0..<500).map { _ in generator.bytes(300) }
        #expect(try roundTrip(noise) <= 300_000)
    }

    @Test("one value larger than a batch comes back")
    func large() throws {
        var generator = SeededGenerator(seed: 5)
        _ = try roundTrip([[1], generator.bytes(1_500_000, alphabet: 97...122), [], generator.bytes(70_000)])
    }

    @Test("offsets of 64 bits that do not start at 0 work, falling ones are refused")
    func wideOffsets() throws {
        let data = Array("..hello hello hello".utf8)
        let offsets: [Int64] = [2, 8, 14, 19]
        try data.withUnsafeBytes { data in
            try offsets.withUnsafeBufferPointer { offsets in
                let encoder = try FSSTEncoder(trainingOn: offsets, data: data)
                let encoded = try encoder.encodeAll(offsets: offsets, data: data)
                let decoded = try encoder.table.decodeAll(
                    offsets: encoded.offsets,
                    of: Int64.self,
                    count: 3,
                    data: encoded.data
                )
                #expect(decoded.data.bytes == Array("hello hello hello".utf8))
                #expect(decoded.offsets.withValues(of: Int64.self) { Array($0) } == [0, 6, 12, 17])
            }
            for bad: [Int64] in [[3, 2], [0, 20], [-1, 2]] {
                #expect(throws: LanceError(.corrupt, "")) {
                    try bad.withUnsafeBufferPointer { try FSSTEncoder.train(offsets: $0, data: data) }
                }
            }
        }
    }

    @Test("damaged tables and codes give errors or bytes, never a trap")
    func damage() throws {
        let (offsets, data) = variable((0..<300).map { Array("item \($0 % 37) of \($0)".utf8) })
        try offsets.withUnsafeBufferPointer { offsets in
            try data.withUnsafeBytes { data in
                let encoder = try FSSTEncoder(trainingOn: offsets, data: data)
                let encoded = try encoder.encodeAll(offsets: offsets, data: data)
                func read(_ blob: ArrowBuffer, _ ends: ArrowBuffer, _ codes: ArrowBuffer) {
                    guard let table = try? FSSTSymbolTable(blob: blob) else { return }
                    _ = try? table.decodeAll(offsets: ends, of: Int32.self, count: 300, data: codes)
                }
                withDamaged(encoder.blob.bytes, flips: 500, seed: 1) { read($0, encoded.offsets, encoded.data) }
                withDamaged(encoded.offsets.bytes, flips: 500, seed: 2) { read(encoder.blob, $0, encoded.data) }
                withDamaged(encoded.data.bytes, flips: 500, seed: 3) { read(encoder.blob, encoded.offsets, $0) }
            }
        }
    }
}
