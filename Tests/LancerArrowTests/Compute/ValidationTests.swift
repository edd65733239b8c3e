import LancerArrow
import LancerBytes
import LancerTestSupport
import Testing

@Suite("Validation")
struct ValidationTests {
    private func expectCorrupt(
        _ type: ArrowType,
        _ length: Int,
        _ storage: ArrowArray.Storage,
        _ validity: Bitmap? = nil
    ) {
        let array = ArrowArray(type: type, length: length, validity: validity, storage: storage)
        #expect(throws: LanceError.corrupt(""), "\(type)") { try array.validate() }
    }

    @Test("buffers that are too short are found")
    func shortBuffers() {
        expectCorrupt(.int32, 3, .fixedWidth(ArrowBuffer(zeroed: 8)))
        expectCorrupt(.int32, Int.max / 2, .fixedWidth(ArrowBuffer(zeroed: 8)))
        expectCorrupt(.int32, -1, .fixedWidth(ArrowBuffer(zeroed: 8)))
        expectCorrupt(.bool, 9, .boolean(Bitmap([true])))
        expectCorrupt(.int32, 1, .fixedWidth(ArrowBuffer(zeroed: 4)), Bitmap([]))
        expectCorrupt(.utf8, 2, .variableWidth(offsets: ArrowBuffer([Int32(0), 0]), data: .empty))
        expectCorrupt(.utf8, Int.max, .variableWidth(offsets: .empty, data: .empty))
        expectCorrupt(.fixedSizeList(ArrowField("item", .int8), 3), 2, .fixedSizeList(child: .int8([1, 2, 3])))
        expectCorrupt(.structure([ArrowField("a", .int8)]), 2, .structure([.int8([1])]))
        expectCorrupt(.structure([ArrowField("a", .int8)]), 2, .structure([]))
    }

    @Test("storage of another kind than the type's is found")
    func kinds() {
        expectCorrupt(.int32, 1, .boolean(Bitmap([true])))
        expectCorrupt(.null, 1, .fixedWidth(.empty))
        expectCorrupt(.null, 1, .null, Bitmap([true]))
        expectCorrupt(.utf8, 0, .fixedWidth(.empty))
        expectCorrupt(
            .list(ArrowField("item", .int8)),
            1,
            .list(offsets: ArrowBuffer([Int32(0), 1]), child: .int16([1]))
        )
        let dictionary = ArrowType.dictionary(index: .int8, value: .utf8, ordered: false)
        expectCorrupt(dictionary, 1, .fixedWidth(ArrowBuffer([Int8(0)])))
        expectCorrupt(
            .dictionary(index: .float16, value: .utf8, ordered: false),
            1,
            .dictionary(indices: ArrowBuffer([Int16(0)]), values: .utf8(["a"]))
        )
    }

    @Test("offsets that go back or outside are found")
    func offsets() {
        let data = ArrowBuffer(Array("abc".utf8))
        for offsets: [Int32] in [[0, 2, 1], [-1, 0, 1], [0, 1, 4], [.max, .max, .max], [0, .min, 1]] {
            expectCorrupt(.binary, 2, .variableWidth(offsets: ArrowBuffer(offsets), data: data))
            expectCorrupt(
                .list(ArrowField("item", .int8)),
                2,
                .list(offsets: ArrowBuffer(offsets), child: .int8([1, 2, 3]))
            )
        }
        for offsets: [Int64] in [[0, 2, 1], [-1, 0, 1], [0, 1, .max], [.min, 0, 0]] {
            expectCorrupt(.largeBinary, 2, .variableWidth(offsets: ArrowBuffer(offsets), data: data))
        }
    }

    @Test("texts that are not UTF-8 are found, unless they are null")
    func text() throws {
        let bad: [[UInt8]] = [
            [0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80],
            [0xC3], [0xE4, 0xB8], [0xF0, 0x9F, 0xA6], Array("0123456789abcdef".utf8) + [0xFF],
        ]
        for bytes in bad {
            let storage = ArrowArray.Storage.variableWidth(
                offsets: ArrowBuffer([Int32(0), Int32(bytes.count)]),
                data: ArrowBuffer(bytes)
            )
            expectCorrupt(.utf8, 1, storage)
            try ArrowArray(type: .utf8, length: 1, validity: Bitmap([false]), storage: storage).validate()
            try ArrowArray(type: .binary, length: 1, storage: storage).validate()
        }
        // Well-formed as a whole, but cut within a character.
        let split = ArrowBuffer(Array("\u{e9}".utf8))
        expectCorrupt(.utf8, 2, .variableWidth(offsets: ArrowBuffer([Int32(0), 1, 2]), data: split))
        try ArrowArray.utf8(["\u{e9}\u{4e2d}\u{1f980}", "", nil, "plain ascii of some length"]).validate()
    }

    @Test("the UTF-8 check agrees with the standard library")
    func utf8() {
        var random = SplitMix64(seed: 11)
        let pieces: [[UInt8]] = [
            [0x41], [0xC3, 0xA9], [0xE4, 0xB8, 0xAD], [0xF0, 0x9F, 0xA6, 0x80], [0x80], [0xE0], [0xED, 0x9F, 0xBF],
            [0xEE, 0x80],
            [0xF4, 0x8F, 0xBF, 0xBF], Array("sixteen bytes of".utf8),
        ]
        for _ in 0..<20_000 {
            var bytes = (0..<random.int(0...5)).flatMap { _ in random.pick(pieces) }
            if random.chance(0.2), !bytes.isEmpty {
                bytes[random.int(0...(bytes.count - 1))] = UInt8(random.int(0...255))
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            #expect(bytes.withUnsafeBytes { UTF8Validation.isValid($0) } == isValid, "\(bytes)")
        }
    }

    @Test("dictionary indices outside the values are found, unless they are null")
    func dictionaries() throws {
        let type = ArrowType.dictionary(index: .int8, value: .utf8, ordered: false)
        for index: Int8 in [2, -1, .min, .max] {
            let storage = ArrowArray.Storage.dictionary(indices: ArrowBuffer([index]), values: .utf8(["a", "b"]))
            expectCorrupt(type, 1, storage)
            try ArrowArray(type: type, length: 1, validity: Bitmap([false]), storage: storage).validate()
        }
        let wide = ArrowType.dictionary(index: .uint64, value: .utf8, ordered: false)
        expectCorrupt(wide, 1, .dictionary(indices: ArrowBuffer([UInt64.max]), values: .utf8(["a"])))
    }

    @Test("faults deep inside are found and named")
    func nested() {
        let bad = ArrowArray(type: .int32, length: 2, storage: .fixedWidth(.empty))
        let list = ArrowArray.structure([("s", .list(of: bad, lengths: [1, 1]))])
        do {
            try list.validate()
            Issue.record("no error")
        } catch {
            #expect(error.description.contains("\"s\", \"item\""))
        }
    }

    @Test("null keys and entries of maps are found")
    func maps() {
        let key = ArrowField("key", .int8, nullable: false)
        let entries = ArrowType.structure([key, ArrowField("value", .int8)])
        let type = ArrowType.map(ArrowField("entries", entries, nullable: false), keysSorted: false)
        func pairs(_ keys: [Int8?], _ validity: Bitmap?) -> ArrowArray {
            ArrowArray(type: entries, length: 1, validity: validity, storage: .structure([.int8(keys), .int8([1])]))
        }
        let offsets = ArrowBuffer([Int32(0), 1])
        expectCorrupt(type, 1, .list(offsets: offsets, child: pairs([nil], nil)))
        expectCorrupt(type, 1, .list(offsets: offsets, child: pairs([1], Bitmap([false]))))
    }
}
