import LancerArrow

/// Which type values of two types are brought to before they meet.
enum TypeCoercion {
    /// The type for comparing, or nil when the values have nothing in common.
    ///
    /// Kinds of text and binary are compared byte by byte and keep their types; the result is then one of the two.
    static func comparison(_ left: ArrowType, _ right: ArrowType) -> ArrowType? {
        if left == right { return left }
        if left == .null { return right }
        if right == .null { return left }
        if left.isNumeric, right.isNumeric { return numeric(left, right, forComparison: true) }
        if left.isBytes, right.isBytes { return left.isText ? right : left }
        if left.isText { return right.isNumeric || right.isTemporal ? right : nil }
        if right.isText { return comparison(right, left) }
        if left.isTemporal, right.isTemporal { return temporal(left, right) }
        return nested(left, right)
    }

    /// The type for values of one column: branches of CASE, arguments of coalesce, items of a list.
    static func union(_ left: ArrowType, _ right: ArrowType) -> ArrowType? {
        if left == right { return left }
        if left == .null { return right }
        if right == .null { return left }
        if left.isNumeric, right.isNumeric { return numeric(left, right, forComparison: false) }
        if left.isText || right.isText {
            if left.isText, right.isText { return left == .largeUtf8 ? left : right }
            let other = left.isText ? right : left
            let text = left.isText ? left : right
            return other.isNumeric || other.isTemporal || other == .bool ? text : other.isBytes ? .binary : nil
        }
        if left.isBytes, right.isBytes { return left == .largeBinary || right == .largeBinary ? .largeBinary : .binary }
        if left.isTemporal, right.isTemporal { return temporal(left, right) }
        return nested(left, right)
    }

    /// The type of two numbers: the narrowest that holds both, a float where there is one.
    static func numeric(_ left: ArrowType, _ right: ArrowType, forComparison: Bool) -> ArrowType? {
        if left == right { return left }
        if left.isDecimal || right.isDecimal { return decimal(left, right, forComparison: forComparison) }
        if left.isFloat || right.isFloat {
            let floats = [left, right].filter(\.isFloat)
            if floats.contains(.float64) { return .float64 }
            return floats.contains(.float32) ? .float32 : .float16
        }
        guard let leftBits = left.bitWidth, let rightBits = right.bitWidth else { return nil }
        if left.isSignedInteger == right.isSignedInteger { return leftBits >= rightBits ? left : right }
        let (signed, unsigned) = left.isSignedInteger ? (leftBits, rightBits) : (rightBits, leftBits)
        switch Swift.max(signed, unsigned * 2) {
        case ...16: return .int16
        case ...32: return .int32
        case ...64: return .int64
        default: return .decimal128(precision: 20, scale: 0)
        }
    }

    /// Digits of an integer type as a decimal.
    static func decimal(of type: ArrowType) -> (precision: Int, scale: Int)? {
        switch type {
        case .int8, .uint8: (3, 0)
        case .int16, .uint16: (5, 0)
        case .int32, .uint32: (10, 0)
        case .int64, .uint64: (20, 0)
        case .decimal128(let precision, let scale), .decimal256(let precision, let scale): (precision, scale)
        default: nil
        }
    }

    private static func decimal(_ left: ArrowType, _ right: ArrowType, forComparison: Bool) -> ArrowType? {
        if left.isFloat || right.isFloat {
            // A float is compared as a decimal of as many digits as it is sure of, but calculated with as a float.
            if !forComparison { return .float64 }
            let float: (precision: Int, scale: Int) = left == .float32 || right == .float32 ? (14, 7) : (30, 15)
            guard let other = decimal(of: left.isFloat ? right : left) else { return nil }
            return joined(other, float, isWide: left.isWideDecimal || right.isWideDecimal)
        }
        guard let first = decimal(of: left), let second = decimal(of: right) else { return nil }
        return joined(first, second, isWide: left.isWideDecimal || right.isWideDecimal)
    }

    private static func joined(
        _ left: (precision: Int, scale: Int),
        _ right: (precision: Int, scale: Int),
        isWide: Bool
    ) -> ArrowType {
        let scale = Swift.max(left.scale, right.scale)
        let whole = Swift.max(left.precision - left.scale, right.precision - right.scale)
        if isWide || whole + scale > 38 { return .decimal256(precision: Swift.min(76, whole + scale), scale: scale) }
        return .decimal128(precision: whole + scale, scale: scale)
    }

    private static func temporal(_ left: ArrowType, _ right: ArrowType) -> ArrowType? {
        switch (left, right) {
        case (.date32, .date64), (.date64, .date32): return .date64
        case (.date32, .timestamp), (.date64, .timestamp): return right
        case (.timestamp, .date32), (.timestamp, .date64): return left
        case (.timestamp(let one, let zone), .timestamp(let other, let otherZone)):
            return .timestamp(Swift.max(one, other), timezone: zone ?? otherZone)
        case (.duration(let one), .duration(let other)): return .duration(Swift.max(one, other))
        default: break
        }
        guard let one = left.timeOfDayUnit, let other = right.timeOfDayUnit else { return nil }
        let unit = Swift.max(one, other)
        return unit.fractionDigits > 3 ? .time64(unit) : .time32(unit)
    }

    private static func nested(_ left: ArrowType, _ right: ArrowType) -> ArrowType? {
        if let one = left.listItem, let other = right.listItem {
            return comparison(one.type, other.type).map { .list(ArrowField("item", $0)) }
        }
        if case .structure(let one) = left, case .structure(let other) = right, one.count == other.count,
            zip(one, other).allSatisfy({ $0.name == $1.name && comparison($0.type, $1.type) != nil })
        {
            return .structure(
                zip(one, other).map { ArrowField($0.name, comparison($0.type, $1.type) ?? $0.type) }
            )
        }
        return nil
    }
}

extension ArrowType {
    var isDecimal: Bool {
        switch self {
        case .decimal128, .decimal256: true
        default: false
        }
    }

    var isWideDecimal: Bool {
        if case .decimal256 = self { return true }
        return false
    }

    /// Integers, floats and decimals.
    var isNumeric: Bool { isInteger || isFloat || isDecimal }

    var isText: Bool { self == .utf8 || self == .largeUtf8 }

    /// Text and binary of all kinds.
    var isBytes: Bool {
        switch self {
        case .utf8, .largeUtf8, .binary, .largeBinary, .fixedSizeBinary: true
        default: false
        }
    }

    /// Dates, times, timestamps and durations.
    var isTemporal: Bool {
        switch self {
        case .date32, .date64, .time32, .time64, .timestamp, .duration: true
        default: false
        }
    }

    /// The unit of a time of day.
    var timeOfDayUnit: TimeUnit? {
        switch self {
        case .time32(let unit), .time64(let unit): unit
        default: nil
        }
    }

    /// The field of a list's items; maps are not lists here.
    var listItem: ArrowField? {
        switch self {
        case .list(let item), .largeList(let item), .fixedSizeList(let item, _): item
        default: nil
        }
    }

    /// The type of a dictionary's values, or the type itself.
    var plain: ArrowType {
        if case .dictionary(_, let value, _) = self { return value.plain }
        return self
    }

    /// The type as expressions name it.
    var shortName: String {
        switch self {
        case .float16: "float16"
        case .float32: "float32"
        case .float64: "float64"
        default: description
        }
    }
}

extension TimeUnit: Comparable {
    /// Coarse units first.
    public static func < (left: TimeUnit, right: TimeUnit) -> Bool { left.fractionDigits < right.fractionDigits }
}
