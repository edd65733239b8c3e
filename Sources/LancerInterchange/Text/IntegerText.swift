/// Integers in text: an optional sign and decimal digits, nothing else.
enum IntegerText {
    /// The value of 1…8 digits packed in a word, first digit lowest, unused high places filled with "0" at the front;
    /// nil when one of the bytes is not a digit.
    @inline(__always)
    private static func eightDigits(_ word: UInt64) -> UInt64? {
        let value = word &- 0x3030_3030_3030_3030
        // A byte is a digit when neither it nor it + 6 leaves the range 0x30...0x3F.
        let above = word &+ 0x0606_0606_0606_0606
        guard (word & 0xF0F0_F0F0_F0F0_F0F0) | ((above & 0xF0F0_F0F0_F0F0_F0F0) >> 4) == 0x3333_3333_3333_3333 else {
            return nil
        }
        let pairs = (value &* 10) &+ (value >> 8)
        let low = (pairs & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
        let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
        return (low &+ high) >> 32
    }

    /// The value of `count` digits, or nil: no digits, another byte, or more than `UInt64.max`.
    ///
    /// Eight bytes from `text` on must be readable.
    @inline(__always)
    static func magnitude(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64? {
        guard count > 0 else { return nil }
        if count <= 8 {
            let shift = UInt64(8 - count) * 8
            let word = ByteScan.load(text)
            // Moves the digits to the high end and fills the low end with "0".
            return eightDigits(shift == 0 ? word : (word << shift) | (0x3030_3030_3030_3030 >> (64 - shift)))
        }
        return longMagnitude(text, count)
    }

    private static func longMagnitude(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64? {
        guard var total = eightDigits(ByteScan.load(text)) else { return nil }
        for index in 8..<count {
            let digit = text[index] &- 0x30
            guard digit <= 9 else { return nil }
            let (product, overflow) = total.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            total = sum
        }
        return total
    }

    /// A signed integer, `+` allowed.
    @inline(__always)
    static func signed(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
        guard count > 0 else { return nil }
        let first = text[0]
        if first == 0x2D {
            guard let value = magnitude(text + 1, count - 1), value <= 1 << 63 else { return nil }
            return Int64(truncatingIfNeeded: 0 &- value)
        }
        let skipped = first == 0x2B ? 1 : 0
        guard let value = magnitude(text + skipped, count - skipped) else { return nil }
        return Int64(exactly: value)
    }

    /// An unsigned integer, `+` allowed.
    @inline(__always)
    static func unsigned(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64? {
        guard count > 0 else { return nil }
        let skipped = text[0] == 0x2B ? 1 : 0
        return magnitude(text + skipped, count - skipped)
    }
}
