import LancerBytes

/// The one-line type descriptions of the C data interface.
enum FormatString {
    /// The format of a type; a dictionary's is that of its index.
    static func format(of type: ArrowType) -> String {
        switch type {
        case .null: "n"
        case .bool: "b"
        case .int8: "c"
        case .uint8: "C"
        case .int16: "s"
        case .uint16: "S"
        case .int32: "i"
        case .uint32: "I"
        case .int64: "l"
        case .uint64: "L"
        case .float16: "e"
        case .float32: "f"
        case .float64: "g"
        case .binary: "z"
        case .largeBinary: "Z"
        case .utf8: "u"
        case .largeUtf8: "U"
        case .decimal128(let precision, let scale): "d:\(precision),\(scale)"
        case .decimal256(let precision, let scale): "d:\(precision),\(scale),256"
        case .fixedSizeBinary(let size): "w:\(size)"
        case .date32: "tdD"
        case .date64: "tdm"
        case .time32(let unit), .time64(let unit): "tt\(letter(of: unit))"
        case .timestamp(let unit, let timezone): "ts\(letter(of: unit)):\(timezone ?? "")"
        case .duration(let unit): "tD\(letter(of: unit))"
        case .list: "+l"
        case .largeList: "+L"
        case .fixedSizeList(_, let size): "+w:\(size)"
        case .structure: "+s"
        case .map: "+m"
        case .dictionary(let index, _, _): format(of: index)
        }
    }

    private static func letter(of unit: TimeUnit) -> String {
        switch unit {
        case .second: "s"
        case .millisecond: "m"
        case .microsecond: "u"
        case .nanosecond: "n"
        }
    }

    /// The type of a format and its children.
    ///
    /// - Throws: `unsupported` for types Lancer has no use for, `corrupt` for what is no format.
    static func type(
        of format: String,
        children: [ArrowField],
        keysSorted: Bool
    ) throws(LanceError) -> ArrowType {
        if format.hasPrefix("+") { return try nested(format, children, keysSorted) }
        guard children.isEmpty else { throw .corrupt("Arrow format \"\(format)\" with children") }
        if let simple = simpleTypes[format] { return simple }
        if format.hasPrefix("ts") {
            let parts = format.dropFirst(2).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let unit = unit(of: parts[0]) else { throw unknown(format) }
            return .timestamp(unit, timezone: parts[1].isEmpty ? nil : String(parts[1]))
        }
        if format.hasPrefix("w:"), let size = Int(format.dropFirst(2)), size >= 0 { return .fixedSizeBinary(size) }
        if format.hasPrefix("d:") { return try decimal(format) }
        for (prefix, name) in unsupported where format.hasPrefix(prefix) {
            throw .unsupported("Arrow type \(name) (format \"\(format)\")")
        }
        throw unknown(format)
    }

    private static let simpleTypes: [String: ArrowType] = {
        let simple: [ArrowType] = [
            .null, .bool, .int8, .uint8, .int16, .uint16, .int32, .uint32, .int64, .uint64, .float16, .float32,
            .float64,
            .binary, .largeBinary, .utf8, .largeUtf8, .date32, .date64, .time32(.second), .time32(.millisecond),
            .time64(.microsecond), .time64(.nanosecond),
        ]
        let types = simple + TimeUnit.allCases.map { .duration($0) }
        return Dictionary(uniqueKeysWithValues: types.map { (format(of: $0), $0) })
    }()

    private static let unsupported = [("vz", "binary_view"), ("vu", "string_view"), ("ti", "interval")]

    private static func unit(of letter: Substring) -> TimeUnit? {
        TimeUnit.allCases.first { self.letter(of: $0) == letter }
    }

    private static func decimal(_ format: String) throws(LanceError) -> ArrowType {
        let numbers = format.dropFirst(2).split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2 || numbers.count == 3, let precision = numbers[0], let scale = numbers[1] else {
            throw unknown(format)
        }
        let isPlausible = Int32(exactly: scale) != nil && precision >= 1
        switch numbers.count == 2 ? 128 : numbers[2] {
        case 128 where isPlausible && precision <= 38: return .decimal128(precision: precision, scale: scale)
        case 256 where isPlausible && precision <= 76: return .decimal256(precision: precision, scale: scale)
        case 32, 64: throw .unsupported("Arrow type decimal32 or decimal64 (format \"\(format)\")")
        default: throw unknown(format)
        }
    }

    private static func nested(
        _ format: String,
        _ children: [ArrowField],
        _ keysSorted: Bool
    ) throws(LanceError) -> ArrowType {
        if format == "+s" { return .structure(children) }
        for (prefix, name) in [
            ("+u", "union"), ("+vl", "list_view"), ("+vL", "large_list_view"), ("+r", "run_end_encoded"),
        ]
        where format.hasPrefix(prefix) {
            throw .unsupported("Arrow type \(name) (format \"\(format)\")")
        }
        guard children.count == 1, let item = children.first else {
            throw .corrupt("Arrow format \"\(format)\" with \(children.count) children")
        }
        switch format {
        case "+l": return .list(item)
        case "+L": return .largeList(item)
        case "+m": return .map(item, keysSorted: keysSorted)
        default:
            guard format.hasPrefix("+w:"), let size = Int(format.dropFirst(3)), size >= 0, size <= Int(Int32.max) else {
                throw unknown(format)
            }
            return .fixedSizeList(item, size)
        }
    }

    private static func unknown(_ format: String) -> LanceError { .corrupt("unknown Arrow format \"\(format)\"") }
}
