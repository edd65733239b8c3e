import LancerBytes
import Testing

@Suite("Checked reading")
struct ByteReaderTests {
    @Test("integers are little-endian and need not be aligned")
    func integers() throws {
        var reader = ByteReader(ArrowBuffer([0xFF, 0x01, 0x02, 0x03, 0x04, 0xFE, 0xFF] as [UInt8]), what: "test")
        #expect(try reader.read(UInt8.self) == 0xFF)
        #expect(try reader.read(UInt32.self) == 0x0403_0201)
        #expect(try reader.read(Int16.self) == -2)
        #expect(reader.remaining == 0)
    }

    @Test("a read past the end is refused and moves nothing")
    func pastEnd() throws {
        var reader = ByteReader(ArrowBuffer([1, 2, 3] as [UInt8]), at: 1, what: "the header")
        let error = #expect(throws: LanceError(.truncated, "")) { try reader.read(UInt32.self) }
        #expect(error?.message == "the header needs 4 more bytes, 2 are left")
        #expect(error?.location.offset == 1)
        #expect(reader.offset == 1)
        #expect(throws: LanceError(.truncated, "")) { try reader.take(3) }
        #expect(throws: LanceError(.truncated, "")) { try reader.take(-1) }
        #expect(throws: LanceError(.truncated, "")) { try reader.skip(Int.max) }
        #expect(throws: LanceError(.truncated, "")) { try reader.skip(-1) }
        #expect(try reader.take(2).bytes == [2, 3])
    }

    @Test("alignment counts from the start of the buffer and stays inside it")
    func alignment() throws {
        var reader = ByteReader(ArrowBuffer(zeroed: 20), at: 3, what: "test")
        try reader.align(to: 8)
        #expect(reader.offset == 8)
        try reader.align(to: 8)
        #expect(reader.offset == 8)
        try reader.skip(9)
        #expect(throws: LanceError(.truncated, "")) { try reader.align(to: 8) }
    }
}

@Suite("Checked arithmetic")
struct CheckedArithmeticTests {
    @Test("sums and products report overflow by what they count")
    func overflow() throws {
        #expect(try 3.adding(4, "rows") == 7)
        #expect(try UInt64(3).multiplied(by: 4, "rows") == 12)
        let error = #expect(throws: LanceError(.corrupt, "")) { try UInt64.max.adding(1, "rows") }
        #expect(error?.message.hasPrefix("rows: ") == true)
        #expect(throws: LanceError(.corrupt, "")) { try Int.min.multiplied(by: -1, "rows") }
        #expect(throws: LanceError(.corrupt, "")) { try Int(checked: UInt64.max, "rows") }
        #expect(try Int(checked: UInt64(5), "rows") == 5)
    }

    @Test("rounding goes up to a multiple", arguments: [(0, 8, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16), (100, 64, 128)])
    func rounding(value: Int, alignment: Int, expected: Int) {
        #expect(value.rounded(upTo: alignment) == expected)
    }
}
