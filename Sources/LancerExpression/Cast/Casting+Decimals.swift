import LancerArrow
import LancerBytes

/// A decimal of any width while it is converted: `unscaled * 10^-scale`.
struct Decimal {
    var unscaled: Int256
    var scale: Int

    init(_ unscaled: Int256, scale: Int) {
        self.unscaled = unscaled
        self.scale = scale
    }

    /// The float as a decimal of `scale` digits, rounded half away from zero; nil for NaN and what is beyond 38 digits.
    init?(_ value: Double, scale: Int) {
        var factor = 1.0
        for _ in 0..<Swift.min(scale.magnitude, 400) { factor *= 10 }
        let scaled = (scale < 0 ? value / factor : value * factor).rounded(.toNearestOrAwayFromZero)
        guard let whole = Int128(exactly: scaled) else { return nil }
        self.init(Int256(wide: whole), scale: scale)
    }

    /// The same value with `scale` digits, rounded half away from zero; nil when it overflows.
    func rescaled(to scale: Int) -> Int256? {
        let isNegative = unscaled.isNegative
        var value = unscaled.magnitude
        if scale >= self.scale {
            guard scale - self.scale <= 80 else { return value == .zero ? .zero : nil }
            for _ in self.scale..<scale where !value.multiplyAdd(10, 0) { return nil }
        } else {
            guard self.scale - scale <= 80 else { return .zero }
            var isHalf = false
            for _ in scale..<self.scale { isHalf = value.divide(by: 10) >= 5 }
            if isHalf, !value.multiplyAdd(1, 1) { return nil }
        }
        return isNegative ? value.negated : value
    }
}

extension Int256 {
    /// A 128-bit integer, sign extended.
    init(wide value: Int128) {
        self.init(low: UInt64(truncatingIfNeeded: value), high: UInt64(truncatingIfNeeded: value >> 64))
    }

    /// The low 128 bits.
    var low128: Int128 { Int128(Int64(bitPattern: word1)) << 64 | Int128(word0) }

    /// 10 to the power of `exponent`, at most 76.
    static func power(_ exponent: Int) -> Int256 {
        var result = Int256(1)
        for _ in 0..<Swift.min(exponent, 76) { _ = result.multiplyAdd(10, 0) }
        return result
    }
}

extension Casting {
    /// Decimals made from values one by one; nil and what has too many digits does not fit.
    static func decimals<S: BitwiseCopyable>(
        _ array: ArrowArray,
        _ source: S.Type,
        to type: ArrowType,
        _ mode: CastMode,
        _ body: (S) -> Decimal?
    ) throws(LanceError) -> ArrowArray {
        guard let (precision, scale) = TypeCoercion.decimal(of: type) else {
            throw .invalidArgument("\(type.shortName) is no decimal")
        }
        let limit = Int256.power(precision)
        func convert(_ value: S) -> (Int256, Bool) {
            guard let decimal = body(value) else {
                // NaN and infinities come after all numbers, negative ones before.
                let isNegative = (value as? Double).map { $0.sign == .minus } ?? false
                return (isNegative ? limit.negated : limit, false)
            }
            let isNegative = decimal.unscaled.isNegative
            guard let result = decimal.rescaled(to: scale), result.magnitude < limit else {
                return (isNegative ? limit.negated : limit, false)
            }
            return (result, true)
        }
        if type.isWideDecimal { return try Self.convert(array, source, to: type, mode, convert) }
        return try Self.convert(array, source, to: type, mode) { value in
            let (result, fits) = convert(value)
            return (result.low128, fits)
        }
    }

    /// Decimals to numbers and booleans.
    static func castDecimal(_ array: ArrowArray, to type: ArrowType, _ mode: CastMode) throws(LanceError) -> ArrowArray
    {
        switch array.type {
        case .decimal128(_, let scale):
            return try decimal(array, Int128.self, to: type, mode) { Decimal(Int256(wide: $0), scale: scale) }
        case .decimal256(_, let scale):
            return try decimal(array, Int256.self, to: type, mode) { Decimal($0, scale: scale) }
        default: throw .invalidArgument("\(array.type.shortName) is no decimal")
        }
    }

    private static func decimal<S: BitwiseCopyable>(
        _ array: ArrowArray,
        _ source: S.Type,
        to type: ArrowType,
        _ mode: CastMode,
        _ body: (S) -> Decimal
    ) throws(LanceError) -> ArrowArray {
        if type.isDecimal { return try decimals(array, source, to: type, mode) { body($0) } }
        if type.isFloat || type == .bool {
            let doubles = try convert(array, source, to: .float64, mode) { (double(body($0)), true) }
            return type == .float64 ? doubles : try castFloat(doubles, to: type, mode)
        }
        let limit = Int256(wide: .max)
        let whole = try convert(array, source, to: .decimal128(precision: 38, scale: 0), mode) { value in
            let result = truncated(body(value))
            if result.magnitude > limit { return (result.isNegative ? Int128.min : Int128.max, false) }
            return (result.low128, true)
        }
        // Cut off, as from floats; the integers then fit or not.
        let small = try convert(whole, Int128.self, to: .int64, mode) {
            (Int64(clamping: $0), Int64(exactly: $0) != nil)
        }
        if type == .uint64 {
            return try convert(whole, Int128.self, to: type, mode) {
                (UInt64(clamping: $0), UInt64(exactly: $0) != nil)
            }
        }
        return try castInteger(small, to: type, mode)
    }

    private static func truncated(_ decimal: Decimal) -> Int256 {
        if decimal.scale <= 0 { return decimal.rescaled(to: 0) ?? Int256(wide: .max) }
        var value = decimal.unscaled.magnitude
        for _ in 0..<Swift.min(decimal.scale, 80) { _ = value.divide(by: 10) }
        return decimal.unscaled.isNegative ? value.negated : value
    }

    /// The nearest float.
    private static func double(_ decimal: Decimal) -> Double {
        if decimal.unscaled.fits128, decimal.scale >= 0, decimal.scale <= 22 {
            let unscaled = decimal.unscaled.low128
            if unscaled.magnitude <= 1 << 53 {
                // Both exact, so one rounding (Clinger 1990).
                var factor = 1.0
                for _ in 0..<decimal.scale { factor *= 10 }
                return Double(unscaled) / factor
            }
        }
        return Double("\(decimal.unscaled)e\(-decimal.scale)") ?? .nan
    }
}
