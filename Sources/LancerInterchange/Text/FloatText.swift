/// Floating-point numbers in text, rounded correctly to nearest, ties to even.
///
/// Algorithm: Daniel Lemire, "Number Parsing at a Gigabyte per Second" (2021): the decimal significand times a
/// truncated 128-bit power of five gives the binary significand; Mushtak and Lemire (2022) show that no retry is
/// needed for up to 19 digits.
enum FloatText {
    /// A decimal number taken apart: `significand * 10^exponent`, negative or not.
    struct Decimal {
        var negative = false
        /// The first 19 significant digits.
        var significand: UInt64 = 0
        var exponent = 0
        /// Whether digits other than zero were left out of the significand.
        var truncated = false
        /// Whether the text has no point and no exponent.
        var isInteger = true
        /// Whether the number starts with a zero that JSON does not allow (`007`, `00.5`).
        var hasLeadingZero = false
    }

    /// Takes `[+-] digits [. digits] [e [+-] digits]` apart; `5.`, `.5` are accepted; nil for any other text.
    @inline(__always)
    static func split(_ text: UnsafePointer<UInt8>, _ count: Int) -> Decimal? {
        var result = Decimal()
        var position = 0
        if count > 0, text[0] == 0x2D || text[0] == 0x2B {
            result.negative = text[0] == 0x2D
            position = 1
        }
        let firstDigit = position
        var significand: UInt64 = 0
        while position < count {
            let digit = text[position] &- 0x30
            if digit > 9 { break }
            significand = significand &* 10 &+ UInt64(digit)
            position += 1
        }
        let integerDigits = position - firstDigit
        result.hasLeadingZero = integerDigits > 1 && text[firstDigit] == 0x30
        var fractionDigits = 0
        if position < count, text[position] == 0x2E {
            result.isInteger = false
            position += 1
            let firstFraction = position
            while position < count {
                let digit = text[position] &- 0x30
                if digit > 9 { break }
                significand = significand &* 10 &+ UInt64(digit)
                position += 1
            }
            fractionDigits = position - firstFraction
        }
        guard integerDigits + fractionDigits > 0 else { return nil }
        let digitsEnd = position
        var exponent = 0
        if position < count {
            guard text[position] | 0x20 == 0x65 else { return nil }
            result.isInteger = false
            position += 1
            var negative = false
            if position < count, text[position] == 0x2D || text[position] == 0x2B {
                negative = text[position] == 0x2D
                position += 1
            }
            guard position < count else { return nil }
            while position < count {
                let digit = text[position] &- 0x30
                guard digit <= 9 else { return nil }
                // Far beyond any double already; the digits that follow are only checked.
                if exponent < 1_000_000 { exponent = exponent * 10 + Int(digit) }
                position += 1
            }
            if negative { exponent = -exponent }
        }
        result.significand = significand
        result.exponent = exponent - fractionDigits
        if integerDigits + fractionDigits > 19 {
            recount(text + firstDigit, digitsEnd - firstDigit, exponent: exponent, into: &result)
        }
        return result
    }

    /// The significand again for more than 19 digits, where the fast sum may have wrapped.
    private static func recount(
        _ text: UnsafePointer<UInt8>,
        _ count: Int,
        exponent: Int,
        into result: inout Decimal
    ) {
        var significand: UInt64 = 0
        var kept = 0
        var scale = exponent
        var afterPoint = false
        result.truncated = false
        for index in 0..<count {
            if text[index] == 0x2E {
                afterPoint = true
                continue
            }
            let digit = text[index] &- 0x30
            if kept < 19 {
                significand = significand &* 10 &+ UInt64(digit)
                if significand > 0 { kept += 1 }
                if afterPoint { scale -= 1 }
            } else {
                if digit != 0 { result.truncated = true }
                if !afterPoint { scale += 1 }
            }
        }
        result.significand = significand
        result.exponent = scale
    }

    /// The nearest double; infinity when the number is too large. `text` is what `decimal` was made of.
    @inline(__always)
    static func double(_ decimal: Decimal, _ text: UnsafePointer<UInt8>, _ count: Int) -> Double {
        if decimal.significand <= 1 << 53, !decimal.truncated, decimal.exponent >= -22, decimal.exponent <= 22 {
            // Both factors are exact, so one rounding is the right one.
            let significand = Double(decimal.significand)
            let value =
                decimal.exponent < 0
                ? significand / PowersOfTen.exact[-decimal.exponent] : significand * PowersOfTen.exact[decimal.exponent]
            return decimal.negative ? -value : value
        }
        return slowDouble(decimal, text, count)
    }

    @inline(never)
    private static func slowDouble(_ decimal: Decimal, _ text: UnsafePointer<UInt8>, _ count: Int) -> Double {
        let bits = nearest(decimal.significand, decimal.exponent)
        if decimal.truncated, bits != nearest(decimal.significand &+ 1, decimal.exponent) {
            // The digits left out decide; leave those rare texts to the standard library.
            return Double(String(decoding: TextBytes(start: text, count: count), as: UTF8.self)) ?? .nan
        }
        let value = Double(bitPattern: bits)
        return decimal.negative ? -value : value
    }

    /// Bits of the double nearest to `significand * 10^exponent`.
    private static func nearest(_ significand: UInt64, _ exponent: Int) -> UInt64 {
        let infinity: UInt64 = 0x7FF << 52
        if significand == 0 || exponent < PowersOfFive.smallest { return 0 }
        if exponent > PowersOfFive.largest { return infinity }
        let leadingZeros = significand.leadingZeroBitCount
        let shifted = significand << UInt64(leadingZeros)
        let power = PowersOfFive.table[exponent - PowersOfFive.smallest]
        var (high, low) = shifted.multipliedFullWidth(by: power.high)
        if high & 0x1FF == 0x1FF {
            let more = shifted.multipliedFullWidth(by: power.low).high
            let (sum, carry) = low.addingReportingOverflow(more)
            low = sum
            if carry { high &+= 1 }
        }
        let upper = Int(high >> 63)
        let shift = upper + 64 - 52 - 3
        var mantissa = high >> UInt64(shift)
        var binary = ((217_706 * exponent) >> 16) + 63 + upper - leadingZeros + 1023
        if binary <= 0 {
            let down = 1 - binary
            if down >= 64 { return 0 }
            mantissa >>= UInt64(down)
            mantissa += mantissa & 1
            mantissa >>= 1
            return mantissa
        }
        if low <= 1, exponent >= -4, exponent <= 23, mantissa & 3 == 1, mantissa << UInt64(shift) == high {
            // Exactly between two doubles: to the even one.
            mantissa &= ~1
        }
        mantissa += mantissa & 1
        mantissa >>= 1
        if mantissa >= 2 << 52 {
            mantissa = 1 << 52
            binary += 1
        }
        if binary >= 0x7FF { return infinity }
        return mantissa & ~(1 << 52) | UInt64(binary) << 52
    }

    /// `NaN`, `Infinity` and their usual other spellings; nil for any other text.
    static func special(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
        guard count >= 3, count <= 9 else { return nil }
        switch String(decoding: TextBytes(start: text, count: count), as: UTF8.self) {
        case "NaN", "nan": return .nan
        case "inf", "Inf", "+inf", "+Inf", "Infinity", "+Infinity", "infinity", "+infinity": return .infinity
        case "-inf", "-Inf", "-Infinity", "-infinity": return -.infinity
        default: return nil
        }
    }

    /// The nearest double of a number or special text; nil for other text and for finite numbers beyond the range.
    @inline(__always)
    static func double(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
        guard let decimal = split(text, count) else { return special(text, count) }
        let value = double(decimal, text, count)
        return value.isFinite ? value : nil
    }

    /// The nearest single; see ``double(_:_:)-(UnsafePointer<UInt8>,Int)``.
    static func float(_ text: UnsafePointer<UInt8>, _ count: Int) -> Float? {
        guard let decimal = split(text, count) else { return special(text, count).map(Float.init) }
        let wide = double(decimal, text, count)
        // Rounding twice goes wrong only from a double that lies in the middle of two singles (or near the subnormals).
        if wide.bitPattern & 0x1FFF_FFFF == 0x1000_0000 || wide.magnitude < 0x1p-125 && wide != 0 {
            let value = Float(String(decoding: TextBytes(start: text, count: count), as: UTF8.self))
            return value.flatMap { $0.isFinite ? $0 : nil }
        }
        let value = Float(wide)
        return value.isFinite ? value : nil
    }
}

/// Powers of ten that a double holds exactly.
enum PowersOfTen {
    static let exact: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]
}

/// 128-bit significands of the powers of five from 5^-342 to 5^308, made once by exact long arithmetic.
enum PowersOfFive {
    static let smallest = -342
    static let largest = 308

    /// The significands, top bit set: truncated, those of 5^-27…5^-1 rounded up.
    static let table: [(high: UInt64, low: UInt64)] = {
        var positive: [(high: UInt64, low: UInt64)] = []
        var number: [UInt64] = [1]
        for _ in 0...largest {
            positive.append(top(number))
            var carry: UInt64 = 0
            for index in number.indices {
                let (high, low) = number[index].multipliedFullWidth(by: 5)
                let (sum, overflow) = low.addingReportingOverflow(carry)
                number[index] = sum
                carry = high &+ (overflow ? 1 : 0)
            }
            if carry > 0 { number.append(carry) }
        }
        // floor(2^1152 / 5^k): more than 128 bits beyond the largest power of five.
        var negative: [(high: UInt64, low: UInt64)] = []
        number = [UInt64](repeating: 0, count: 18) + [1]
        for exponent in 1...(-smallest) {
            var remainder: UInt64 = 0
            for index in number.indices.reversed() {
                let division = UInt64(5).dividingFullWidth((remainder, number[index]))
                number[index] = division.quotient
                remainder = division.remainder
            }
            while number.last == 0 { number.removeLast() }
            var word = top(number)
            if exponent <= 27 {
                let (sum, overflow) = word.low.addingReportingOverflow(1)
                word = (word.high &+ (overflow ? 1 : 0), sum)
            }
            negative.append(word)
        }
        return negative.reversed() + positive
    }()

    /// The 128 highest bits of a number of 64-bit words, lowest word first.
    private static func top(_ number: [UInt64]) -> (high: UInt64, low: UInt64) {
        func word(_ fromTop: Int) -> UInt64 { fromTop < number.count ? number[number.count - 1 - fromTop] : 0 }
        let shift = UInt64(word(0).leadingZeroBitCount)
        if shift == 0 { return (word(0), word(1)) }
        return (word(0) << shift | word(1) >> (64 - shift), word(1) << shift | word(2) >> (64 - shift))
    }
}
