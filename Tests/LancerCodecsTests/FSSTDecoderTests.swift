import LancerBytes
import LancerCodecs
import Testing

@Suite("FSST decoding")
struct FSSTDecoderTests {
    /// A table of hand-picked symbols.
    private func table(_ symbols: [String], isCompressed: Bool = true) -> [UInt8] {
        var blob: [UInt8] = [UInt8(symbols.count), 0, 0, isCompressed ? 1 : 0] + hex("54535346")
        for symbol in symbols { blob += Array(symbol.utf8) + [UInt8](repeating: 0, count: 8 - symbol.utf8.count) }
        blob += symbols.map { UInt8($0.utf8.count) }
        return blob + [UInt8](repeating: 0, count: 2312 - blob.count)
    }

    private func decode(_ table: FSSTSymbolTable, _ codes: [UInt8], room: Int) throws -> [UInt8] {
        var output = [UInt8](repeating: 0xEE, count: room + 1)
        let count = try codes.withUnsafeBytes { codes in
            try output.withUnsafeMutableBytes { output in
                try table.decode(codes, into: UnsafeMutableRawBufferPointer(rebasing: output[..<room]))
            }
        }
        #expect(output[room] == 0xEE)
        return Array(output[..<count])
    }

    @Test("codes and escapes become symbols and bytes, whatever the room")
    func decodes() throws {
        let symbols = ["http://w", "w", ".com", "ab"]
        let table = try FSSTSymbolTable(blob: ArrowBuffer(table(symbols)))
        #expect(table.symbolCount == 4 && table.isCompressed)
        #expect(table.blob.bytes == self.table(symbols))
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<3000 {
            var codes: [UInt8] = []
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                let code = Int.random(in: 0...4, using: &generator)
                if code == 4 {
                    let byte = UInt8.random(in: 0...255, using: &generator)
                    codes += [255, byte]
                    text.append(byte)
                } else {
                    codes.append(UInt8(code))
                    text += Array(symbols[code].utf8)
                }
            }
            for room in [text.count, text.count + 1, text.count + 40, codes.count * 8] where room >= text.count {
                #expect(try decode(table, codes, room: room) == text)
            }
            if !text.isEmpty {
                #expect(throws: LanceError(.corrupt, "")) { try decode(table, codes, room: text.count - 1) }
            }
        }
    }

    @Test("codes without a symbol and lonely escapes are errors")
    func invalidCodes() throws {
        let table = try FSSTSymbolTable(blob: ArrowBuffer(table(["ab", "c"])))
        for codes: [UInt8] in [[2], [0, 1, 254, 1], [255], [0, 0, 0, 255], [0, 0, 0, 2, 0, 0, 0, 0]] {
            for room in [10, 100] {
                #expect(throws: LanceError(.corrupt, "")) { try decode(table, codes, room: room) }
            }
        }
    }

    @Test("a table whose switch is off passes values through")
    func switchedOff() throws {
        let table = try FSSTSymbolTable(blob: ArrowBuffer(table(["ab"], isCompressed: false)))
        #expect(!table.isCompressed)
        #expect(try decode(table, [0, 255, 9], room: 24) == [0, 255, 9])
    }

    @Test("a table of wrong size, magic or symbol length is refused")
    func badTables() {
        let good = table(["ab", "c"])
        var magic = good
        magic[5] ^= 1
        var zeroLength = good
        zeroLength[8 + 16] = 0
        var longLength = good
        longLength[8 + 16] = 9
        for bad in [[], Array(good.dropLast()), good + [0], magic, zeroLength, longLength] {
            #expect(throws: LanceError(.corrupt, "")) { try FSSTSymbolTable(blob: ArrowBuffer(bad)) }
        }
    }

    @Test("many values decode at once, offsets are checked")
    func bulk() throws {
        let table = try FSSTSymbolTable(blob: ArrowBuffer(table(["hello", "x"])))
        let codes = ArrowBuffer([9, 9, 0, 1, 255, 65, 0] as [UInt8])
        let decoded = try table.decodeAll(
            offsets: ArrowBuffer([2, 2, 4, 6, 7] as [Int32]),
            of: Int32.self,
            count: 4,
            data: codes
        )
        #expect(decoded.data.bytes == Array("helloxAhello".utf8))
        #expect(decoded.offsets.withValues(of: Int32.self) { Array($0) } == [0, 0, 6, 7, 12])
        for bad: [Int32] in [[2, 1, 4, 6, 7], [-1, 2, 4, 6, 7], [2, 2, 4, 6, 8], [2, 2, 4, 6]] {
            #expect(throws: LanceError.self) {
                try table.decodeAll(offsets: ArrowBuffer(bad), of: Int32.self, count: 4, data: codes)
            }
        }
    }
}
