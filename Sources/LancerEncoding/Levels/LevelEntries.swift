import LancerArrow
import LancerBytes

/// The entries of one piece of a column on the way from its outermost layer to its values.
///
/// Codes are those of ``LevelBuilder``.
struct LevelEntries {
    var count: Int
    /// Nil as long as no list was met: every entry starts a row.
    var repetition: [UInt16]?
    /// Nil as long as no entry is null or empty.
    var codes: [UInt16]?
    /// Entries with a code at or above this have no slot in the array at hand; they ended in a list further out.
    var slotless = UInt16.max

    /// Every entry a row.
    init(count: Int) { self.count = count }

    /// Gives the entries whose slot is null the code `null`, unless something further out is null already.
    ///
    /// - Returns: Whether any got it.
    mutating func markNulls(of validity: Bitmap?, as null: UInt16) -> Bool {
        guard let validity, validity.setCount != validity.count else { return false }
        guard var codes else {
            // Nothing further out is null or empty, so that every entry has a slot.
            self.codes = Self.codes(of: validity, null: null)
            return true
        }
        self.codes = nil
        let slotless = slotless
        let first = validity.bitOffset
        var marked = false
        validity.buffer.withUnsafeBytes { bits in
            codes.withUnsafeMutableBufferPointer { codes in
                var slot = first
                for index in 0..<codes.count where codes[index] < slotless {
                    if bits[slot >> 3] >> UInt8(truncatingIfNeeded: slot & 7) & 1 == 0, codes[index] == 0 {
                        codes[index] = null
                        marked = true
                    }
                    slot += 1
                }
            }
        }
        self.codes = codes
        return marked
    }

    /// 0 for each set bit, `null` for the others.
    private static func codes(of validity: Bitmap, null code: UInt16) -> [UInt16] {
        let bits = validity.compacted()
        return [UInt16](unsafeUninitializedCapacity: bits.count) { codes, initialized in
            bits.buffer.withUnsafeBytes { bytes in
                let target = UnsafeMutableRawBufferPointer(codes)
                // A multiplication brings four bits to the lowest bits of four levels, another makes them the code.
                func spread(_ nulls: UInt64) -> UInt64 {
                    ((nulls & 15) &* 0x2000_4000_8001 & 0x0001_0001_0001_0001) &* UInt64(code)
                }
                for byte in 0..<(bits.count / 8) {
                    let nulls = UInt64(~bytes[byte])
                    target.storeBytes(of: spread(nulls).littleEndian, toByteOffset: byte &* 16, as: UInt64.self)
                    target.storeBytes(
                        of: spread(nulls &>> 4).littleEndian,
                        toByteOffset: byte &* 16 &+ 8,
                        as: UInt64.self
                    )
                }
            }
            for index in (bits.count / 8 * 8)..<bits.count { codes[index] = bits[index] ? 0 : code }
            initialized = bits.count
        }
    }

    /// Replaces every entry by `dimension` equal ones.
    mutating func repeatEach(_ dimension: Int) {
        if let old = codes {
            var repeated: [UInt16] = []
            repeated.reserveCapacity(old.count * dimension)
            for code in old { repeated.append(contentsOf: repeatElement(code, count: dimension)) }
            codes = repeated
        }
        count *= dimension
    }
}
