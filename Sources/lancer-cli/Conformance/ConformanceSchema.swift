import Lancer

/// Schemas in the form of the conformance suite.
enum ConformanceSchema {
    /// The schema as JSON.
    static func json(_ schema: ArrowSchema) -> JSONText {
        var members: [(String, JSONText)] = [("fields", .array(schema.fields.map(json)))]
        if !schema.metadata.isEmpty { members.append(("metadata", json(schema.metadata))) }
        return .object(members)
    }

    private static func json(_ metadata: [String: String]) -> JSONText {
        .object(metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }

    private static func json(_ field: ArrowField) -> JSONText {
        var members: [(String, JSONText)] = [
            ("name", .string(field.name)), ("type", .string(name(of: field.type))), ("nullable", .bool(field.nullable)),
        ]
        let children = children(of: field.type)
        if !children.isEmpty { members.append(("children", .array(children.map(json)))) }
        if !field.metadata.isEmpty { members.append(("metadata", json(field.metadata))) }
        return .object(members)
    }

    /// The fields below a type; of a map key and value without the entries between.
    static func children(of type: ArrowType) -> [ArrowField] {
        switch type {
        case .map(let entries, _): entries.type.children
        case .dictionary(_, let value, _): [ArrowField("values", value)]
        default: type.children
        }
    }

    private static func name(of type: ArrowType) -> String {
        switch type {
        case .null: "null"
        case .bool: "bool"
        case .int8: "int8"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .uint8: "uint8"
        case .uint16: "uint16"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .float16: "float16"
        case .float32: "float32"
        case .float64: "float64"
        case .decimal128(let precision, let scale): "decimal128(\(precision),\(scale))"
        case .decimal256(let precision, let scale): "decimal256(\(precision),\(scale))"
        case .date32: "date32"
        case .date64: "date64"
        case .time32(let unit): "time32(\(unit.rawValue))"
        case .time64(let unit): "time64(\(unit.rawValue))"
        case .timestamp(let unit, let zone): "timestamp(\(unit.rawValue)\(zone.map { ",\($0)" } ?? ""))"
        case .duration(let unit): "duration(\(unit.rawValue))"
        case .utf8: "utf8"
        case .largeUtf8: "large_utf8"
        case .binary: "binary"
        case .largeBinary: "large_binary"
        case .fixedSizeBinary(let size): "fixed_size_binary(\(size))"
        case .list: "list"
        case .largeList: "large_list"
        case .fixedSizeList(_, let size): "fixed_size_list(\(size))"
        case .structure: "struct"
        case .map: "map"
        case .dictionary(let index, _, _): "dictionary(\(name(of: index)))"
        }
    }

    /// The schema that JSON describes.
    ///
    /// - Throws: `invalidArgument`.
    static func schema(_ json: JSONDocument) throws(LanceError) -> ArrowSchema {
        guard let fields = json["fields"]?.items else { throw wrong("a schema without fields") }
        var result: [ArrowField] = []
        for json in fields { result.append(try field(json)) }
        return ArrowSchema(result, metadata: try metadata(json["metadata"]))
    }

    /// The field that JSON describes.
    ///
    /// - Throws: `invalidArgument`.
    static func field(_ json: JSONDocument) throws(LanceError) -> ArrowField {
        guard let name = json["name"]?.text, let type = json["type"]?.text, let nullable = json["nullable"]?.boolean
        else {
            throw wrong("a field without name, type or nullable")
        }
        var children: [ArrowField] = []
        for child in json["children"]?.items ?? [] { children.append(try field(child)) }
        return ArrowField(
            name,
            try self.type(type, children),
            nullable: nullable,
            metadata: try metadata(json["metadata"])
        )
    }

    private static func metadata(_ json: JSONDocument?) throws(LanceError) -> [String: String] {
        guard let json else { return [:] }
        guard case .object(let members) = json else { throw wrong("metadata that is no object") }
        var result: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.text else { throw wrong("metadata that is no text") }
            result[key] = text
        }
        return result
    }

    private static let simple: [String: ArrowType] = [
        "null": .null, "bool": .bool, "int8": .int8, "int16": .int16, "int32": .int32, "int64": .int64, "uint8": .uint8,
        "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "float16": .float16, "float32": .float32,
        "float64": .float64, "date32": .date32, "date64": .date64, "utf8": .utf8, "large_utf8": .largeUtf8,
        "binary": .binary, "large_binary": .largeBinary,
    ]

    private static func type(_ text: String, _ children: [ArrowField]) throws(LanceError) -> ArrowType {
        if let type = simple[text] { return type }
        let name = text.prefix { $0 != "(" }
        let rest = text.dropFirst(name.count).dropFirst().dropLast()
        // A zone may hold what separates elsewhere, so only the first comma counts.
        let parts = rest.split(separator: ",", maxSplits: 1).map(String.init)
        let numbers = parts.compactMap { Int($0) }
        let unit = parts.first.flatMap { TimeUnit(rawValue: $0) }
        switch (name, children.count) {
        case ("struct", _): return .structure(children)
        case ("list", 1): return .list(children[0])
        case ("large_list", 1): return .largeList(children[0])
        case ("fixed_size_list", 1) where numbers.count == 1: return .fixedSizeList(children[0], numbers[0])
        case ("map", 2):
            return .map(ArrowField("entries", .structure(children), nullable: false), keysSorted: false)
        case ("dictionary", 1):
            if let index = parts.first.flatMap({ simple[$0] }), index.isInteger {
                return .dictionary(index: index, value: children[0].type, ordered: false)
            }
        case ("fixed_size_binary", 0) where numbers.count == 1: return .fixedSizeBinary(numbers[0])
        case ("decimal128", 0) where numbers.count == 2: return .decimal128(precision: numbers[0], scale: numbers[1])
        case ("decimal256", 0) where numbers.count == 2: return .decimal256(precision: numbers[0], scale: numbers[1])
        default: break
        }
        if let unit {
            switch name {
            case "time32": return .time32(unit)
            case "time64": return .time64(unit)
            case "duration": return .duration(unit)
            case "timestamp": return .timestamp(unit, timezone: parts.count > 1 ? parts[1] : nil)
            default: break
            }
        }
        throw wrong("type \(text) with \(children.count) children")
    }

    private static func wrong(_ what: String) -> LanceError { .invalidArgument("the question has \(what)") }
}
