import LancerBytes

/// Growing run of bits that becomes a ``Bitmap``; appends single bits, words and whole bitmaps.
public struct BitmapBuilder: ~Copyable {
    private var bytes: BufferBuilder
    private var pending: UInt64 = 0
    /// Number of bits so far.
    public private(set) var count = 0

    /// An empty builder with room for `capacity` bits.
    public init(capacity: Int = 0) { bytes = BufferBuilder(capacity: (capacity + 63) / 64 * 8) }

    /// Appends one bit.
    @inline(__always)
    public mutating func append(_ bit: Bool) {
        pending |= (bit ? 1 : 0) << UInt64(truncatingIfNeeded: count & 63)
        count &+= 1
        if count & 63 == 0 { flush() }
    }

    @inline(never)
    private mutating func flush() {
        bytes.append(pending)
        pending = 0
    }

    /// Appends the low `bits` (1…64) bits of `word`.
    @inline(__always)
    public mutating func append(word: UInt64, bits: Int) {
        let shift = UInt64(truncatingIfNeeded: count & 63)
        let kept = bits == 64 ? word : word & ((1 &<< UInt64(truncatingIfNeeded: bits)) &- 1)
        pending |= kept &<< shift
        if Int(shift) + bits >= 64 {
            bytes.append(pending)
            pending = shift == 0 ? 0 : kept &>> (64 &- shift)
        }
        count += bits
    }

    /// Appends `bit` `repeated` times.
    public mutating func append(_ bit: Bool, repeated: Int) {
        let word: UInt64 = bit ? .max : 0
        var left = repeated
        if left > 0, count & 63 != 0 {
            let first = Swift.min(left, 64 - count & 63)
            append(word: word, bits: first)
            left -= first
        }
        if left >= 64 {
            bytes.append(bit ? 0xFF : 0, repeated: left / 64 * 8)
            count += left / 64 * 64
            left %= 64
        }
        if left > 0 { append(word: word, bits: left) }
    }

    /// Appends all bits of a bitmap.
    public mutating func append(contentsOf bitmap: Bitmap) { append(contentsOf: bitmap, 0..<bitmap.count) }

    /// Appends bits `range` of a bitmap.
    public mutating func append(contentsOf bitmap: Bitmap, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bitmap.count, "bits outside the bitmap")
        bytes.reserve((range.count + 63) / 64 * 8)
        bitmap.buffer.withUnsafeBytes { source in
            let reader = BitReader(source, offset: bitmap.bitOffset)
            var index = range.lowerBound
            while index < range.upperBound {
                let bits = Swift.min(64, range.upperBound - index)
                append(word: reader.word(at: index, bits: bits), bits: bits)
                index += bits
            }
        }
    }

    /// The bits, starting at bit 0 of a buffer of exactly the bytes needed, spare bits zero.
    public consuming func finish() -> Bitmap {
        let total = count
        if total & 63 != 0 { flush() }
        return Bitmap(bytes.finish().slice(0..<((total + 7) / 8)), count: total)
    }
}

/// Reads up to 64 bits at a time from bytes, at any bit.
package struct BitReader {
    private let bytes: UnsafeRawBufferPointer
    private let offset: Int

    /// Bits of `bytes`, bit 0 being bit `offset` of them. The bytes must outlive the reader.
    package init(_ bytes: UnsafeRawBufferPointer, offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    /// `bits` (1…64) bits from bit `index` on, in the low bits of the result; the bits above are unspecified.
    @inline(__always)
    package func word(at index: Int, bits: Int) -> UInt64 {
        let bit = offset &+ index
        let first = bit >> 3
        let shift = UInt64(truncatingIfNeeded: bit & 7)
        if first &+ 9 <= bytes.count {
            let low = bytes.loadUnaligned(fromByteOffset: first, as: UInt64.self)
            if shift == 0 { return low }
            return low &>> shift | UInt64(bytes[first &+ 8]) &<< (64 &- shift)
        }
        return slowWord(first: first, shift: shift)
    }

    @inline(never)
    private func slowWord(first: Int, shift: UInt64) -> UInt64 {
        var result: UInt64 = 0
        for position in 0..<9 where first + position < bytes.count {
            let byte = UInt64(bytes[first + position])
            // Byte p holds bits 8p - shift and up of the result.
            let target = Int(position) * 8 - Int(shift)
            if target < 0 {
                result |= byte &>> UInt64(-target)
            } else if target < 64 {
                result |= byte &<< UInt64(target)
            }
        }
        return result
    }

    /// One bit.
    @inline(__always)
    package func bit(at index: Int) -> Bool {
        let bit = offset &+ index
        return bytes[bit >> 3] &>> UInt8(truncatingIfNeeded: bit & 7) & 1 == 1
    }
}
