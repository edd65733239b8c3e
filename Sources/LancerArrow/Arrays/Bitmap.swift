import LancerBytes

/// A run of bits, least significant bit of each byte first; used for validity (1 = valid) and for booleans.
public struct Bitmap: Sendable {
    /// The bytes that hold the bits.
    public let buffer: ArrowBuffer
    /// Bit in `buffer` where the run starts.
    public let bitOffset: Int
    /// Number of bits.
    public let count: Int

    /// Wraps bits of a buffer; the buffer must be large enough.
    public init(_ buffer: ArrowBuffer, bitOffset: Int = 0, count: Int) {
        precondition(bitOffset >= 0 && count >= 0 && bitOffset + count <= buffer.count * 8, "bitmap outside the buffer")
        self.buffer = buffer
        self.bitOffset = bitOffset
        self.count = count
    }

    /// Packs booleans.
    public init(_ bits: [Bool]) {
        self.init(count: bits.count) { bits[$0] }
    }

    /// Packs `count` bits asked of `bit`.
    public init(count: Int, _ bit: (Int) -> Bool) {
        let buffer = ArrowBuffer(count: (count + 7) / 8) { bytes in
            var index = 0
            for byteIndex in 0..<bytes.count {
                var byte: UInt8 = 0
                for position in 0..<8 where index < count {
                    if bit(index) { byte |= 1 << UInt8(position) }
                    index += 1
                }
                bytes[byteIndex] = byte
            }
        }
        self.init(buffer, count: count)
    }

    /// `count` bits of the same value.
    public init(repeating bit: Bool, count: Int) {
        let buffer = ArrowBuffer(count: (count + 7) / 8) { bytes in
            _ = bytes.initializeMemory(as: UInt8.self, repeating: bit ? 0xFF : 0)
        }
        self.init(buffer, count: count)
    }

    /// The bit at `index`.
    @inlinable
    public subscript(index: Int) -> Bool {
        precondition(index >= 0 && index < count, "bit outside the bitmap")
        let bit = bitOffset + index
        let byte = buffer.withUnsafeBytes { $0[bit >> 3] }
        return byte >> UInt8(bit & 7) & 1 == 1
    }

    /// Part of the bits, without a copy.
    public func slice(_ range: Range<Int>) -> Bitmap {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice outside the bitmap")
        return Bitmap(buffer, bitOffset: bitOffset + range.lowerBound, count: range.count)
    }

    /// Number of set bits.
    public var setCount: Int {
        buffer.withUnsafeBytes { bytes in
            var total = 0
            var bit = bitOffset
            let end = bitOffset + count
            while bit < end, bit & 7 != 0 {
                total += Int(bytes[bit >> 3] >> UInt8(bit & 7) & 1)
                bit += 1
            }
            while end - bit >= 64 {
                total += bytes.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self).nonzeroBitCount
                bit += 64
            }
            while end - bit >= 8 {
                total += bytes[bit >> 3].nonzeroBitCount
                bit += 8
            }
            while bit < end {
                total += Int(bytes[bit >> 3] >> UInt8(bit & 7) & 1)
                bit += 1
            }
            return total
        }
    }

    /// The same bits starting at bit 0 of a buffer of exactly the bytes needed, spare bits zero.
    public func compacted() -> Bitmap {
        let byteCount = (count + 7) / 8
        let result = ArrowBuffer(count: byteCount) { target in
            buffer.withUnsafeBytes { source in
                let first = bitOffset >> 3
                let shift = UInt8(bitOffset & 7)
                for index in 0..<byteCount {
                    var byte = source[first + index] >> shift
                    if shift != 0, first + index + 1 < source.count { byte |= source[first + index + 1] << (8 - shift) }
                    target[index] = byte
                }
                if count & 7 != 0 { target[byteCount - 1] &= (1 << UInt8(count & 7)) - 1 }
            }
        }
        return Bitmap(result, count: count)
    }

    /// The bits as booleans.
    public var bools: [Bool] { (0..<count).map { self[$0] } }
}
