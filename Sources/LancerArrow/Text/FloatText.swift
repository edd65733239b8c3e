import LancerBytes

extension ArrowText {
    /// Appends the shortest decimal that reads back as the same double; `NaN`, `Infinity` and `-Infinity` by name.
    public static func append(float value: Double, to text: inout BufferBuilder) {
        value.isFinite ? append(value.description, to: &text) : append(name(of: value), to: &text)
    }

    /// Appends the shortest decimal that reads back as the same float; `NaN`, `Infinity` and `-Infinity` by name.
    public static func append(float value: Float, to text: inout BufferBuilder) {
        value.isFinite ? append(value.description, to: &text) : append(name(of: Double(value)), to: &text)
    }

    /// Appends the shortest decimal that reads back as the same half; `NaN`, `Infinity` and `-Infinity` by name.
    public static func append(half bits: UInt16, to text: inout BufferBuilder) {
        let value = HalfFloat.value(bits)
        value.isFinite ? append(HalfFloat.text(bits), to: &text) : append(name(of: Double(value)), to: &text)
    }

    private static func name(of value: Double) -> String {
        value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }

    /// A number in decimal notation, or `NaN`, `Inf`, `Infinity` in any case with an optional sign; rounded to nearest.
    public static func parseFloat(_ bytes: UnsafeRawBufferPointer) -> Double? {
        parse(bytes, exactMantissa: 1 << 53, powers: doublePowers)
    }

    /// The same as ``parseFloat(_:)``, rounded once to single precision.
    public static func parseFloat32(_ bytes: UnsafeRawBufferPointer) -> Float? {
        parse(bytes, exactMantissa: 1 << 24, powers: floatPowers)
    }

    /// Powers of ten that are exact.
    private static let doublePowers: [Double] = (0...22).map { power in (0..<power).reduce(1) { value, _ in value * 10 }
    }
    private static let floatPowers: [Float] = (0...10).map { power in (0..<power).reduce(1) { value, _ in value * 10 } }

    private static func parse<T: BinaryFloatingPoint & LosslessStringConvertible>(
        _ bytes: UnsafeRawBufferPointer,
        exactMantissa: UInt64,
        powers: [T]
    ) -> T? {
        var cursor = TextCursor(bytes)
        let isNegative = cursor.take("-")
        if !isNegative { _ = cursor.take("+") }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        var isShort = true
        var isAfterPoint = false
        while true {
            if let digit = cursor.digit() {
                digits += 1
                if mantissa < 1_000_000_000_000_000_000 {
                    mantissa = mantissa * 10 + UInt64(digit)
                } else {
                    isShort = false
                }
                if isAfterPoint { exponent -= 1 }
            } else if !isAfterPoint, cursor.take(".") {
                isAfterPoint = true
            } else {
                break
            }
        }
        guard digits > 0 else { return special(bytes) }
        guard let power = cursor.exponent(), cursor.isAtEnd else { return nil }
        exponent += power
        // Both operands exact: one rounding, so the result is the nearest (Clinger 1990).
        if isShort, mantissa <= exactMantissa, exponent.magnitude < powers.count {
            let whole = T(mantissa)
            let value = exponent < 0 ? whole / powers[-exponent] : whole * powers[exponent]
            return isNegative ? -value : value
        }
        return T(String(decoding: bytes, as: UTF8.self))
    }

    private static func special<T: BinaryFloatingPoint>(_ bytes: UnsafeRawBufferPointer) -> T? {
        guard bytes.count <= 9 else { return nil }
        switch String(decoding: bytes, as: UTF8.self).lowercased() {
        case "nan", "+nan", "-nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: return nil
        }
    }
}
