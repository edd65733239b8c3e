import LancerArrow

/// Names of Arrow types as `arrow_cast` and `arrow_typeof` have them.
enum ArrowTypeName {
    private static let simple: [(String, ArrowType)] = [
        ("Null", .null), ("Boolean", .bool), ("Int8", .int8), ("Int16", .int16), ("Int32", .int32), ("Int64", .int64),
        ("UInt8", .uint8), ("UInt16", .uint16), ("UInt32", .uint32), ("UInt64", .uint64), ("Float16", .float16),
        ("Float32", .float32), ("Float64", .float64), ("Utf8", .utf8), ("LargeUtf8", .largeUtf8), ("Binary", .binary),
        ("LargeBinary", .largeBinary), ("Date32", .date32), ("Date64", .date64),
    ]

    private static let units: [(String, TimeUnit)] = [
        ("Second", .second), ("Millisecond", .millisecond), ("Microsecond", .microsecond), ("Nanosecond", .nanosecond),
    ]

    /// The type a name stands for; nil when there is none that Lance knows.
    static func parse(_ text: String) -> ArrowType? {
        if let type = simple.first(where: { $0.0 == text })?.1 { return type }
        guard let open = text.firstIndex(of: "("), text.last == ")" else { return nil }
        let name = text[..<open]
        let arguments = text[text.index(after: open)...].dropLast().split(separator: ",").map { part in
            part.filter { $0 != " " && $0 != "\"" }
        }
        let unit = arguments.first.flatMap { first in units.first { $0.0 == first || $0.1.rawValue == first }?.1 }
        switch (name, arguments.count) {
        case ("Timestamp", 1...2):
            guard let unit else { return nil }
            let zone = arguments.count == 2 ? arguments[1] : "None"
            if zone == "None" { return .timestamp(unit, timezone: nil) }
            let inner = zone.hasPrefix("Some(") ? String(zone.dropFirst(5).dropLast()) : zone
            return .timestamp(unit, timezone: inner)
        case ("Duration", 1): return unit.map { .duration($0) }
        case ("Time32", 1): return unit.flatMap { $0.fractionDigits <= 3 ? .time32($0) : nil }
        case ("Time64", 1): return unit.flatMap { $0.fractionDigits > 3 ? .time64($0) : nil }
        case ("Decimal128", 2):
            guard let precision = Int(arguments[0]), let scale = Int(arguments[1]), (1...38).contains(precision),
                (-38...precision).contains(scale)
            else { return nil }
            return .decimal128(precision: precision, scale: scale)
        case ("Decimal256", 2):
            guard let precision = Int(arguments[0]), let scale = Int(arguments[1]), (1...76).contains(precision),
                (-76...precision).contains(scale)
            else { return nil }
            return .decimal256(precision: precision, scale: scale)
        case ("FixedSizeBinary", 1): return Int(arguments[0]).flatMap { $0 > 0 ? .fixedSizeBinary($0) : nil }
        case ("List", 1): return parse(arguments[0]).map { .list(ArrowField("item", $0)) }
        case ("LargeList", 1): return parse(arguments[0]).map { .largeList(ArrowField("item", $0)) }
        default: return nil
        }
    }

    /// The name of a type; types without one of these are described in words.
    static func text(_ type: ArrowType) -> String {
        if let name = simple.first(where: { $0.1 == type })?.0 { return name }
        func name(_ unit: TimeUnit) -> String { units.first { $0.1 == unit }?.0 ?? unit.rawValue }
        switch type {
        case .timestamp(let unit, let zone):
            return "Timestamp(\(name(unit)), \(zone.map { "Some(\"\($0)\")" } ?? "None"))"
        case .duration(let unit): return "Duration(\(name(unit)))"
        case .time32(let unit): return "Time32(\(name(unit)))"
        case .time64(let unit): return "Time64(\(name(unit)))"
        case .decimal128(let precision, let scale): return "Decimal128(\(precision), \(scale))"
        case .decimal256(let precision, let scale): return "Decimal256(\(precision), \(scale))"
        case .fixedSizeBinary(let size): return "FixedSizeBinary(\(size))"
        default: return type.description
        }
    }
}
