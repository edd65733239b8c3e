/// A 256-bit two's complement integer, as decimals store it: four little-endian 64-bit words, lowest first.
///
/// Only what decimals need: sign, exact text, multiplication and division by small numbers.
public struct Int256: Sendable, Hashable, BitwiseCopyable {
    /// Bits 0 to 63.
    public var word0: UInt64
    /// Bits 64 to 127.
    public var word1: UInt64
    /// Bits 128 to 191.
    public var word2: UInt64
    /// Bits 192 to 255, with the sign.
    public var word3: UInt64

    /// Puts four words together, lowest first.
    public init(_ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
        self.word0 = word0
        self.word1 = word1
        self.word2 = word2
        self.word3 = word3
    }

    /// A 64-bit integer, sign extended.
    public init(_ value: Int64) {
        let sign: UInt64 = value < 0 ? .max : 0
        self.init(UInt64(bitPattern: value), sign, sign, sign)
    }

    /// A 128-bit integer of two words, sign extended.
    public init(low: UInt64, high: UInt64) {
        let sign: UInt64 = Int64(bitPattern: high) < 0 ? .max : 0
        self.init(low, high, sign, sign)
    }

    /// Zero.
    public static let zero = Int256(0)

    /// Whether the value is below zero.
    public var isNegative: Bool { Int64(bitPattern: word3) < 0 }

    /// Whether the value fits 128 bits.
    public var fits128: Bool {
        let sign: UInt64 = Int64(bitPattern: word1) < 0 ? .max : 0
        return word2 == sign && word3 == sign
    }

    /// The two's complement negation (the smallest value is its own).
    public var negated: Int256 {
        var result = Int256(~word0, ~word1, ~word2, ~word3)
        var carry: Bool
        (result.word0, carry) = result.word0.addingReportingOverflow(1)
        if carry { (result.word1, carry) = result.word1.addingReportingOverflow(1) }
        if carry { (result.word2, carry) = result.word2.addingReportingOverflow(1) }
        if carry { result.word3 &+= 1 }
        return result
    }

    /// The value's distance from zero, to be read as unsigned.
    package var magnitude: Int256 { isNegative ? negated : self }

    /// Multiplies the unsigned value by `factor` and adds `addend`; false when the result needs more than 255 bits.
    package mutating func multiplyAdd(_ factor: UInt64, _ addend: UInt64) -> Bool {
        var carry = addend
        func step(_ word: UInt64) -> UInt64 {
            let product = word.multipliedFullWidth(by: factor)
            let (low, overflow) = product.low.addingReportingOverflow(carry)
            carry = product.high &+ (overflow ? 1 : 0)
            return low
        }
        word0 = step(word0)
        word1 = step(word1)
        word2 = step(word2)
        word3 = step(word3)
        return carry == 0 && !isNegative
    }

    /// Divides the unsigned value by `divisor`, and returns the remainder.
    package mutating func divide(by divisor: UInt64) -> UInt64 {
        var remainder: UInt64 = 0
        (word3, remainder) = divisor.dividingFullWidth((remainder, word3))
        (word2, remainder) = divisor.dividingFullWidth((remainder, word2))
        (word1, remainder) = divisor.dividingFullWidth((remainder, word1))
        (word0, remainder) = divisor.dividingFullWidth((remainder, word0))
        return remainder
    }

    /// Decimal digits of the magnitude, most significant first, as ASCII; `0` for zero.
    package var digits: [UInt8] {
        var rest = magnitude
        var reversed: [UInt8] = []
        reversed.reserveCapacity(78)
        repeat {
            var group = rest.divide(by: 10_000_000_000_000_000_000)
            let isLast = rest == .zero
            for _ in 0..<19 {
                if isLast, group == 0, !reversed.isEmpty { break }
                reversed.append(UInt8(ascii: "0") + UInt8(group % 10))
                group /= 10
            }
        } while rest != .zero
        while reversed.count > 1, reversed.last == UInt8(ascii: "0") { reversed.removeLast() }
        return reversed.reversed()
    }
}

extension Int256: CustomStringConvertible {
    /// Decimal digits with a sign where it is negative.
    public var description: String { (isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self) }
}

extension Int256: Comparable {
    /// Signed order.
    public static func < (left: Int256, right: Int256) -> Bool {
        if left.word3 != right.word3 { return Int64(bitPattern: left.word3) < Int64(bitPattern: right.word3) }
        if left.word2 != right.word2 { return left.word2 < right.word2 }
        if left.word1 != right.word1 { return left.word1 < right.word1 }
        return left.word0 < right.word0
    }
}
