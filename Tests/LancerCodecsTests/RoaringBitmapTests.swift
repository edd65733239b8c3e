import LancerBytes
import LancerCodecs
import Testing

@Suite("Roaring bitmaps")
struct RoaringBitmapTests {
    /// Sets with every kind of group and counts around the limit between array and bitmap.
    private static let shapes: [[UInt32]] = [
        [], [0], [UInt32.max], [0, 65_535, 65_536, UInt32.max],
        Array(0..<4096), Array(0..<4097), Array(0..<65_536), Array(65_000..<72_000),
        (0..<4096).map { $0 * 16 }, (0..<4097).map { $0 * 15 }, (0..<60_000).map { $0 * 3 },
        (0..<8).flatMap { group in (0..<3).map { UInt32(group * 65_536 + $0 * 7) } },
        Array(10..<100) + [70_000, 70_002] + Array(200_000..<262_144),
    ]

    @Test("a set has its values, in order, through both serializations", arguments: shapes)
    func roundTrip(values: [UInt32]) throws {
        let bitmap = RoaringBitmap(sortedValues: values)
        for usesRuns in [false, true] {
            let bytes = bitmap.serialized(usesRuns: usesRuns)
            let read = try RoaringBitmap(serialized: bytes)
            #expect(read == bitmap && read.hashValue == bitmap.hashValue)
            #expect(read.values == values)
            #expect(Array(read) == values)
            #expect(read.count == values.count && read.isEmpty == values.isEmpty && read.max == values.last)
            #expect(read.serialized(usesRuns: usesRuns).bytes == bytes.bytes)
            let members = Set(values)
            for value in values {
                for near in [value &- 1, value, value &+ 1] {
                    if read.contains(near) != members.contains(near) { Issue.record("wrong answer for \(near)") }
                }
            }
        }
    }

    @Test("the union has the values of both")
    func union() throws {
        for left in Self.shapes {
            for right in Self.shapes {
                let expected = Set(left).union(right).sorted()
                // Once more with runs on the left.
                let runs = try RoaringBitmap(serialized: RoaringBitmap(left).serialized(usesRuns: true))
                #expect(RoaringBitmap(left).union(RoaringBitmap(right)).values == expected)
                #expect(runs.union(RoaringBitmap(right)) == RoaringBitmap(sortedValues: expected))
            }
        }
        var grown = RoaringBitmap()
        for value: UInt32 in [7, 3, 3, 1 << 20, 0] { grown.insert(value) }
        #expect(grown.values == [0, 3, 7, 1 << 20])
    }

    @Test("deletion files of pylance are read and written byte for byte")
    func pylance() throws {
        // `s % 17 = 0 or 70000 <= s < 76000` of 120 000 rows: an array and a bitmap.
        let mixed = (0..<120_000).filter { $0 % 17 == 0 || (70_000..<76_000).contains($0) }.map { UInt32($0) }
        let written = RoaringBitmap(sortedValues: mixed).serialized().bytes
        #expect(written.starts(with: hex("3a3000000200000000000f0f0100912218000000381e000000001100")))
        #expect(written.count == 15_928 && checksum(written) == 0x8D22_9DFB_036C_E2CE)
        // `65000 <= s < 72000 and s != 65530`
        let pieces = (65_000..<72_000).filter { $0 != 65_530 }.map { UInt32($0) }
        let second = RoaringBitmap(sortedValues: pieces).serialized().bytes
        #expect(second.count == 9286 && checksum(second) == 0x5A70_1F95_8979_CC3D)
    }

    @Test("bytes of the C implementation with run groups are read and written byte for byte")
    func runGroups() throws {
        let small = hex("3b3002000500005900010001000300bff201000a005900701172110100400dbff2")
        let values = Array(10..<100) + [70_000, 70_002] + Array(200_000..<262_144).map { UInt32($0) }
        let read = try RoaringBitmap(serialized: ArrowBuffer(small))
        #expect(read.values == values)
        #expect(read.serialized(usesRuns: true).bytes == small)

        let many = Array(0..<70_000) + Array(stride(from: 131_072, to: 400_000, by: 3)) + [UInt32.max]
        let written = RoaringBitmap(sortedValues: many).serialized(usesRuns: true).bytes
        #expect(written.count == 37_373 && checksum(written) == 0x6470_1135_92BB_03C8)
        #expect(try RoaringBitmap(serialized: ArrowBuffer(written)).values == many)
    }

    @Test("broken rules are errors")
    func broken() {
        let cases: [(String, String)] = [
            ("39300000 00000000", "cookie"),
            ("3a300000 01000100", "too many groups"),
            ("3a300000 02000000 01000000 01000000 18000000 1a000000 0500 0500", "repeated key"),
            ("3a300000 02000000 02000000 01000000 18000000 1a000000 0500 0500", "falling keys"),
            ("3a300000 01000000 00000000 11000000 0500", "wrong position"),
            ("3a300000 01000000 00000100 10000000 0500 0500", "repeated value"),
            ("3a300000 01000000 00000100 10000000 0500 0400", "falling values"),
            ("3a300000 01000000 00000000 10000000 0500 00", "a byte too many"),
            ("3b300000 01 00000400 0100 0a000500", "wrong count of runs"),
            ("3b300000 01 00000600 0200 0a000200 0c000200", "overlapping runs"),
            ("3b300000 01 00000000 0000", "no run"),
            ("3b300000 01 00000100 0100 ffff0100", "run over the end"),
            ("3a300000 01000000 00000010 10000000" + String(repeating: "00", count: 8192), "wrong bit count"),
        ]
        for (bytes, what) in cases {
            #expect(throws: LanceError(.corrupt, ""), "\(what)") {
                try RoaringBitmap(serialized: ArrowBuffer(hex(bytes)))
            }
        }
    }

    @Test("every truncation is an error, damage never a trap")
    func damage() {
        let values = (0..<5000).map { UInt32($0 * 3) } + Array(70_000..<70_050) + [1 << 30]
        for usesRuns in [false, true] {
            let bytes = RoaringBitmap(values).serialized(usesRuns: usesRuns).bytes
            for count in 0..<bytes.count {
                #expect(throws: LanceError.self) { try RoaringBitmap(serialized: ArrowBuffer(Array(bytes[..<count]))) }
            }
            withDamaged(Array(bytes.prefix(64)) + bytes.suffix(200), flips: 500, seed: 1) {
                _ = try? RoaringBitmap(serialized: $0)
            }
            withDamaged(bytes, flips: 500, seed: 2) {
                if let read = try? RoaringBitmap(serialized: $0) { #expect(read.values.count == read.count) }
            }
        }
    }
}
