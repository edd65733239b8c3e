import LancerBytes

extension ArrowText {
    /// Appends an integer in decimal.
    @inline(__always)
    public static func append(integer value: Int64, to text: inout BufferBuilder) {
        text.append(upTo: 24) { target in
            var writer = ASCIIWriter(target)
            if value < 0 { writer.put("-") }
            writer.put(value.magnitude)
            return writer.count
        }
    }

    /// Appends an integer in decimal.
    public static func append(integer value: UInt64, to text: inout BufferBuilder) {
        text.append(upTo: 24) { target in
            var writer = ASCIIWriter(target)
            writer.put(value)
            return writer.count
        }
    }

    /// Appends text.
    public static func append(_ string: String, to text: inout BufferBuilder) {
        var string = string
        string.withUTF8 { text.append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends the unscaled integer of a decimal with its point where `scale` says, exactly: no exponent, `scale`
    /// digits after the point, zeros appended for a negative scale. Only scales beyond ±1000, which no real column has,
    /// are written with an exponent.
    public static func append(decimal value: Int256, scale: Int, to text: inout BufferBuilder) {
        if value.isNegative { text.append(UInt8(ascii: "-")) }
        let digits = value.digits
        if scale.magnitude > 1000 {
            text.append(contentsOf: digits)
            append(scale < 0 ? "e+" : "e-", to: &text)
            return append(integer: UInt64(scale.magnitude), to: &text)
        }
        if scale <= 0 {
            text.append(contentsOf: digits)
            if value != .zero { text.append(UInt8(ascii: "0"), repeated: -scale) }
            return
        }
        let whole = digits.count - scale
        if whole > 0 {
            text.append(contentsOf: Array(digits[..<whole]))
        } else {
            text.append(UInt8(ascii: "0"))
        }
        text.append(UInt8(ascii: "."))
        if whole < 0 { text.append(UInt8(ascii: "0"), repeated: -whole) }
        text.append(contentsOf: whole > 0 ? Array(digits[whole...]) : digits)
    }

    /// An integer: an optional sign and digits.
    @inline(__always)
    public static func parseInteger<T: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as type: T.Type) -> T? {
        var index = 0
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        guard index < bytes.count else { return nil }
        if bytes.count - index <= 18 {
            // Cannot overflow 64 bits.
            var value: Int64 = 0
            while index < bytes.count {
                let digit = bytes[index] &- UInt8(ascii: "0")
                guard digit <= 9 else { return nil }
                value = value &* 10 &+ Int64(digit)
                index &+= 1
            }
            return T(exactly: isNegative ? 0 &- value : value)
        }
        var value: T = 0
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let step = T(truncatingIfNeeded: digit)
            let (sum, carry) = isNegative ? tens.subtractingReportingOverflow(step) : tens.addingReportingOverflow(step)
            if overflow || carry { return nil }
            value = sum
            index += 1
        }
        return value
    }

    /// A decimal number (`-12.50`, `1e3`) as the unscaled integer for `scale`.
    ///
    /// Nil when it is no number, has digits that the scale would cut off, or more digits than `precision`.
    public static func parseDecimal(_ bytes: UnsafeRawBufferPointer, precision: Int, scale: Int) -> Int256? {
        guard let number = DecimalNumber(bytes) else { return nil }
        var value = number.mantissa
        if value == .zero { return value }
        let (zeros, overflow) = number.exponent.addingReportingOverflow(scale)
        // The mantissa ends in a digit other than zero, so nothing can be cut off.
        guard !overflow, zeros >= 0, zeros <= 76 else { return nil }
        for _ in 0..<zeros where !value.multiplyAdd(10, 0) { return nil }
        guard value.digits.count <= precision else { return nil }
        return number.isNegative ? value.negated : value
    }
}

/// A number in decimal notation, `mantissa * 10^exponent`, the mantissa without zeros at its end.
private struct DecimalNumber {
    var isNegative = false
    var mantissa = Int256.zero
    var exponent = 0

    init?(_ bytes: UnsafeRawBufferPointer) {
        var cursor = TextCursor(bytes)
        if cursor.take("-") { isNegative = true } else { _ = cursor.take("+") }
        var digits = 0
        var afterPoint = 0
        var isAfterPoint = false
        // Zeros wait until another digit shows that they are not at the end.
        var waitingZeros = 0
        while true {
            if let digit = cursor.digit() {
                digits += 1
                if isAfterPoint { afterPoint += 1 }
                if digit == 0 {
                    waitingZeros += 1
                    continue
                }
                if mantissa != .zero {
                    guard waitingZeros <= 76 else { return nil }
                    for _ in 0..<waitingZeros where !mantissa.multiplyAdd(10, 0) { return nil }
                }
                waitingZeros = 0
                guard mantissa.multiplyAdd(10, UInt64(digit)) else { return nil }
            } else if !isAfterPoint, cursor.take(".") {
                isAfterPoint = true
            } else {
                break
            }
        }
        guard digits > 0 else { return nil }
        exponent = waitingZeros - afterPoint
        guard let power = cursor.exponent(), cursor.isAtEnd else { return nil }
        exponent += power
    }
}
