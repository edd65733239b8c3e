import LancerBytes
import LancerCodecs
import Testing

@Suite("FastLanes bit packing")
struct FastLanesTests {
    @Test("every width of every word type comes back, also one value at a time and unaligned")
    func roundTrip() {
        checkAllWidths(UInt8.self)
        checkAllWidths(UInt16.self)
        checkAllWidths(UInt32.self)
        checkAllWidths(UInt64.self)
    }

    private func checkAllWidths<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_ type: T.Type) {
        var generator = SeededGenerator(seed: UInt64(T.bitWidth))
        for width in 0...T.bitWidth {
            let mask: T = width == 0 ? 0 : T.max >> T(T.bitWidth - width)
            let values = (0..<1024).map { _ in T.random(in: 0...T.max, using: &generator) & mask }
            // One byte off, with guard bytes on both sides.
            let size = FastLanes.packedByteCount(width: width)
            var packed = [UInt8](repeating: 0xA5, count: size + 2)
            packed.withUnsafeMutableBytes { room in
                guard let base = room.baseAddress else { return }
                FastLanes.pack(values, width: width, into: base + 1)
            }
            #expect(packed.first == 0xA5 && packed.last == 0xA5, "T\(T.bitWidth) width \(width) writes outside")
            #expect(Array(packed[1..<(1 + size)]) == reference(values, width: width), "T\(T.bitWidth) width \(width)")
            var unpacked = [T](repeating: 1, count: 1024)
            packed.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                FastLanes.unpack(base + 1, width: width, into: &unpacked)
                let single = (0..<1024).map { FastLanes.unpackSingle(base + 1, width: width, index: $0, as: T.self) }
                #expect(single == values, "T\(T.bitWidth) width \(width)")
            }
            #expect(unpacked == values, "T\(T.bitWidth) width \(width)")
        }
    }

    /// Bit by bit, straight from the definition.
    private func reference<T: FixedWidthInteger>(_ values: [T], width: Int) -> [UInt8] {
        let lanes = 1024 / T.bitWidth
        let order = [0, 4, 2, 6, 1, 5, 3, 7]
        var bytes = [UInt8](repeating: 0, count: 128 * width)
        for row in 0..<T.bitWidth {
            for lane in 0..<lanes {
                let value = values[order[row / 8] * 16 + (row % 8) * 128 + lane]
                for bit in 0..<width where value >> T(bit) & 1 == 1 {
                    let inLane = row * width + bit
                    let word = inLane / T.bitWidth * lanes + lane
                    let position = word * T.bitWidth + inLane % T.bitWidth
                    bytes[position / 8] |= 1 << UInt8(position % 8)
                }
            }
        }
        return bytes
    }

    @Test("the logical index covers every value once")
    func logicalIndex() {
        for bits in [8, 16, 32, 64] {
            var seen = Set<Int>()
            for row in 0..<bits {
                for lane in 0..<(1024 / bits) { seen.insert(FastLanes.logicalIndex(row: row, lane: lane)) }
            }
            #expect(seen == Set(0..<1024))
        }
    }

    @Test("the width of values is that of the largest")
    func bitWidth() {
        let cases: [([UInt32], Int)] = [
            ([], 0), ([0, 0], 0), ([1], 1), ([3, 4, 0], 3), ([255, 256], 9), ([.max], 32),
        ]
        for (values, width) in cases {
            #expect(values.withUnsafeBufferPointer { FastLanes.bitWidth(of: $0) } == width)
        }
    }
}
