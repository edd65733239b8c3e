/// IEEE 754 half precision as bits, since not every platform Swift runs on has `Float16`.
public enum HalfFloat {
    /// The value of 16 bits; exact.
    public static func value(_ bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10 & 0x1F)
        let fraction = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:
            let magnitude = Float(fraction) * 0x1p-24
            return Float(bitPattern: magnitude.bitPattern | sign)
        case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    /// The bits nearest to `value`, ties to even; too large values become infinite, NaN stays NaN.
    public static func bits(_ value: Double) -> UInt16 {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        if value.isNaN {
            let payload = UInt16(truncatingIfNeeded: value.bitPattern >> 42) & 0x3FF
            return sign | 0x7C00 | (payload == 0 ? 0x200 : payload)
        }
        let magnitude = value.magnitude
        // 65520 is half way between the largest finite half and the next power of two.
        if magnitude >= 65520 { return sign | 0x7C00 }
        if magnitude < 0x1p-14 {
            // Subnormal: units of 2^-24; rounding up to 1024 gives the smallest normal number's bits.
            return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
        }
        let exponent = Int(magnitude.exponent)
        let units = (magnitude.significand * 1024).rounded(.toNearestOrEven)
        // A significand rounded up to 2048 carries into the exponent by itself.
        return sign | UInt16((exponent + 15) << 10) &+ (UInt16(units) &- 1024)
    }

    /// Shortest text that reads back as the same half, as Swift prints numbers (`0.1`, `inf`, `nan`).
    public static func text(_ bits: UInt16) -> String {
        #if os(macOS) && arch(x86_64)
        return value(bits).description
        #else
        return Float16(bitPattern: bits).description
        #endif
    }
}
