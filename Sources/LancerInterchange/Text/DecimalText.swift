import LancerArrow
import LancerBytes

/// Decimal numbers in text ↔ two's complement integers of 128 or 256 bits times 10^-scale.
enum DecimalText {
    /// The unscaled integer; nil when the text is not a number, has digits other than zero beyond the scale, or more
    /// digits than `precision`.
    static func parse(_ text: UnsafePointer<UInt8>, _ count: Int, precision: Int, scale: Int) -> Int256? {
        guard let parts = FloatText.split(text, count) else { return nil }
        // All significant digits, and the power of ten of the last one.
        var digits: [UInt8] = []
        var power = exponent(text, count)
        var afterPoint = false
        for position in (text[0] == 0x2D || text[0] == 0x2B ? 1 : 0)..<count {
            let byte = text[position]
            if byte == 0x2E {
                afterPoint = true
                continue
            }
            guard byte &- 0x30 <= 9 else { break }
            if afterPoint { power -= 1 }
            if !digits.isEmpty || byte != 0x30 { digits.append(byte &- 0x30) }
        }
        while digits.last == 0 {
            digits.removeLast()
            power += 1
        }
        if digits.isEmpty { return .zero }
        let zeros = power + scale
        guard zeros >= 0, digits.count + zeros <= Swift.min(precision, 76) else { return nil }
        digits.append(contentsOf: [UInt8](repeating: 0, count: zeros))
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for digit in digits {
            var carry = UInt64(digit)
            carry = multiplyByTen(&words.0, adding: carry)
            carry = multiplyByTen(&words.1, adding: carry)
            carry = multiplyByTen(&words.2, adding: carry)
            _ = multiplyByTen(&words.3, adding: carry)
        }
        let value = Int256(words.0, words.1, words.2, words.3)
        return parts.negative ? value.negated : value
    }

    private static func multiplyByTen(_ word: inout UInt64, adding carry: UInt64) -> UInt64 {
        let (high, low) = word.multipliedFullWidth(by: 10)
        let (sum, overflow) = low.addingReportingOverflow(carry)
        word = sum
        return high &+ (overflow ? 1 : 0)
    }

    /// The number behind `e`, limited to about ±100,000; 0 when there is none.
    private static func exponent(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int {
        guard let mark = (0..<count).first(where: { text[$0] | 0x20 == 0x65 }) else { return 0 }
        var value = 0
        var negative = false
        for index in (mark + 1)..<count {
            if text[index] == 0x2D { negative = true }
            let digit = text[index] &- 0x30
            if digit <= 9, value < 10_000 { value = value * 10 + Int(digit) }
        }
        return negative ? -value : value
    }

    /// Appends `value * 10^-scale`, with exactly `scale` digits behind the point.
    static func append(_ value: Int256, scale: Int, into output: inout BufferBuilder) {
        var digits = Array(value.description.utf8)
        if digits.first == 0x2D {
            output.append(UInt8(0x2D))
            digits.removeFirst()
        }
        if scale < 0, value != .zero { digits.append(contentsOf: [UInt8](repeating: 0x30, count: -scale)) }
        let point = Swift.max(scale, 0)
        if digits.count <= point {
            digits.insert(contentsOf: [UInt8](repeating: 0x30, count: point + 1 - digits.count), at: 0)
        }
        for (index, digit) in digits.enumerated() {
            if point > 0, index == digits.count - point { output.append(UInt8(0x2E)) }
            output.append(digit)
        }
    }
}
