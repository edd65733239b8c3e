import LancerArrow
import LancerBytes

/// The type strings that schemas of files and manifests carry, and their Arrow types.
///
/// Spec: 08-types.md, "Logical types".
package enum LogicalType {
    /// The string for a type without child fields of its own in the schema tree.
    ///
    /// - Throws: `unsupported` naming a type that Lance cannot store.
    package static func string(for type: ArrowType) throws(LanceError) -> String {
        switch type {
        case .null: return "null"
        case .bool: return "bool"
        case .int8: return "int8"
        case .uint8: return "uint8"
        case .int16: return "int16"
        case .uint16: return "uint16"
        case .int32: return "int32"
        case .uint32: return "uint32"
        case .int64: return "int64"
        case .uint64: return "uint64"
        case .float16: return "halffloat"
        case .float32: return "float"
        case .float64: return "double"
        case .decimal128(let precision, let scale): return "decimal:128:\(precision):\(scale)"
        case .decimal256(let precision, let scale): return "decimal:256:\(precision):\(scale)"
        case .date32: return "date32:day"
        case .date64: return "date64:ms"
        case .time32(let unit): return "time32:\(unit.rawValue)"
        case .time64(let unit): return "time64:\(unit.rawValue)"
        case .timestamp(let unit, let zone): return "timestamp:\(unit.rawValue):\(zone ?? "-")"
        case .duration(let unit): return "duration:\(unit.rawValue)"
        case .utf8: return "string"
        case .largeUtf8: return "large_string"
        case .binary: return "binary"
        case .largeBinary: return "large_binary"
        case .fixedSizeBinary(let size): return "fixed_size_binary:\(size)"
        case .list(let item): return isStruct(item.type) ? "list.struct" : "list"
        case .largeList(let item): return isStruct(item.type) ? "large_list.struct" : "large_list"
        case .fixedSizeList(let item, let size):
            if isStruct(item.type) { return "fixed_size_list:struct:\(size)" }
            if item.metadata["ARROW:extension:name"] == "lance.bfloat16" {
                return "fixed_size_list:lance.bfloat16:\(size)"
            }
            guard isFlat(item.type) else { throw .unsupported("a \(type) (only numbers, vectors and structs)") }
            return "fixed_size_list:\(try string(for: item.type)):\(size)"
        case .structure: return "struct"
        case .map: return "map"
        case .dictionary(let index, let value, let ordered):
            guard value.children.isEmpty else { throw .unsupported("a \(type)") }
            let text = try string(for: value)
            // The reference splits at colons, and cannot open a table with more of them.
            guard !text.contains(":") else {
                throw .unsupported("a \(type) (only values of plain numbers, booleans, text and binary)")
            }
            return "dict:\(text):\(try string(for: index)):\(ordered)"
        }
    }

    /// Whether a fixed-size list of the type can be a leaf column: its items need no schema nodes of their own.
    private static func isFlat(_ type: ArrowType) -> Bool {
        switch type {
        case .list, .largeList, .map, .structure, .dictionary: false
        case .fixedSizeList(let item, _): isFlat(item.type)
        default: true
        }
    }

    private static func isStruct(_ type: ArrowType) -> Bool {
        if case .structure = type { return true }
        return false
    }

    /// The type for a string; `children` are the field's children in the schema tree, already converted.
    ///
    /// - Throws: `unsupported` for a string that is not known, `corrupt` when children are missing.
    package static func type(for text: String, children: [ArrowField]) throws(LanceError) -> ArrowType {
        if let simple = simpleTypes[text] { return simple }
        switch text {
        case "struct": return .structure(children)
        case "list", "list.struct": return .list(try only(children, text))
        case "large_list", "large_list.struct": return .largeList(try only(children, text))
        case "map": return .map(try only(children, text), keysSorted: false)
        default: break
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts[0] {
        case "fixed_size_binary" where parts.count == 2: return .fixedSizeBinary(try number(parts[1], text))
        case "decimal" where parts.count == 4:
            let precision = try number(parts[2], text)
            guard let scale = Int(parts[3]), (-128...127).contains(scale) else { throw unknown(text) }
            switch parts[1] {
            case "128" where (1...38).contains(precision): return .decimal128(precision: precision, scale: scale)
            case "256" where (1...76).contains(precision): return .decimal256(precision: precision, scale: scale)
            default: throw unknown(text)
            }
        case "timestamp" where parts.count >= 3:
            guard let unit = TimeUnit(rawValue: String(parts[1])) else { throw unknown(text) }
            let zone = parts[2...].joined(separator: ":")
            return .timestamp(unit, timezone: zone == "-" ? nil : zone)
        case "dict" where parts.count >= 4: return try dictionary(parts, text)
        case "fixed_size_list" where parts.count >= 3: return try fixedSizeList(parts, text, children)
        default: throw unknown(text)
        }
    }

    private static func fixedSizeList(
        _ parts: [Substring],
        _ text: String,
        _ children: [ArrowField]
    ) throws(LanceError) -> ArrowType {
        // fixed_size_list:<item>:<size>; the item may itself hold colons.
        let size = try number(parts[parts.count - 1], text)
        let item = parts[1..<(parts.count - 1)].joined(separator: ":")
        if item == "struct" { return .fixedSizeList(try only(children, text), size) }
        if item == "lance.bfloat16" {
            let metadata = ["ARROW:extension:name": "lance.bfloat16"]
            return .fixedSizeList(ArrowField("item", .fixedSizeBinary(2), metadata: metadata), size)
        }
        guard parts.count <= 2 * DecodeLimits.standard.schemaDepth else { throw unknown(text) }
        return .fixedSizeList(ArrowField("item", try type(for: item, children: children)), size)
    }

    private static func dictionary(_ parts: [Substring], _ text: String) throws(LanceError) -> ArrowType {
        // dict:<value>:<index>:<ordered>; the value may itself hold colons.
        let value = parts[1..<(parts.count - 2)].joined(separator: ":")
        guard let index = simpleTypes[String(parts[parts.count - 2])], index.isInteger else { throw unknown(text) }
        let ordered = parts[parts.count - 1]
        guard ordered == "true" || ordered == "false", !value.hasPrefix("dict") else { throw unknown(text) }
        return .dictionary(index: index, value: try type(for: value, children: []), ordered: ordered == "true")
    }

    private static func only(_ children: [ArrowField], _ text: String) throws(LanceError) -> ArrowField {
        guard children.count == 1 else {
            throw .corrupt("a field of type \"\(text)\" has \(children.count) children instead of 1", part: "schema")
        }
        return children[0]
    }

    private static func number(_ digits: Substring, _ text: String) throws(LanceError) -> Int {
        guard let value = Int32(digits), value >= 0 else { throw unknown(text) }
        return Int(value)
    }

    private static func unknown(_ text: String) -> LanceError {
        .unsupported("logical type \"\(text)\"", part: "schema")
    }

    private static let simpleTypes: [String: ArrowType] = [
        "null": .null, "bool": .bool,
        "int8": .int8, "uint8": .uint8, "int16": .int16, "uint16": .uint16,
        "int32": .int32, "uint32": .uint32, "int64": .int64, "uint64": .uint64,
        "halffloat": .float16, "float": .float32, "double": .float64,
        "string": .utf8, "large_string": .largeUtf8, "binary": .binary, "large_binary": .largeBinary,
        "blob": .largeBinary, "json": .largeBinary,
        "date32:day": .date32, "date64:ms": .date64,
        "time32:s": .time32(.second), "time32:ms": .time32(.millisecond),
        "time64:us": .time64(.microsecond), "time64:ns": .time64(.nanosecond),
        "duration:s": .duration(.second), "duration:ms": .duration(.millisecond),
        "duration:us": .duration(.microsecond), "duration:ns": .duration(.nanosecond),
    ]
}
