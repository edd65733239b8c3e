import LancerArrow
import LancerBytes

/// Schemas as one line of text: `id:int64 not null,title:string,v:fixed_size_list<item: float>[384]`.
///
/// Fields are `name: type`, separated by commas, nullable unless ` not null` follows the type. A name with one of
/// `:,<>"` or surrounding blanks is written in double quotes, a quote inside doubled. Types are spelled as
/// ``LancerArrow/ArrowType/description`` prints them, or shorter:
///
/// | type | also |
/// |---|---|
/// | `halffloat` `float` `double` | `float16` `float32` `float64` |
/// | `string` `large_string` | `utf8` `large_utf8` |
/// | `bool` | `boolean` |
/// | `date32[day]` `date64[ms]` | `date32` `date64` |
/// | `timestamp[us]` `timestamp[us, tz=UTC]` | |
/// | `decimal128(10, 2)` `decimal256(50, 0)` | `decimal(10, 2)` |
/// | `list<item: int32>` | `list<int32>` (the child is called `item`) |
/// | `fixed_size_list<item: float>[384]` | `fixed_size_list<float>[384]` |
/// | `struct<a: int32, b: string>` | |
/// | `map<string, int32>` | `map<string, int32, keys_sorted>` |
/// | `dictionary<values=string, indices=int32, ordered=0>` | |
package enum SchemaText {
    /// Reads a schema.
    ///
    /// - Throws: `invalidArgument` naming the place and what was expected there.
    package static func parse(_ text: String) throws(LanceError) -> ArrowSchema {
        var parser = SchemaTextParser(text)
        let fields = try parser.fields(until: nil)
        guard !fields.isEmpty else { throw .invalidArgument("the schema \"\(text)\" names no columns") }
        var names: Set<String> = []
        for field in fields where !names.insert(field.name).inserted {
            throw .invalidArgument("the schema names the column \"\(field.name)\" twice")
        }
        return ArrowSchema(fields)
    }

    /// Reads one type.
    ///
    /// - Throws: `invalidArgument` naming the place and what was expected there.
    package static func parseType(_ text: String) throws(LanceError) -> ArrowType {
        var parser = SchemaTextParser(text)
        let type = try parser.type(depth: 0)
        try parser.expectEnd()
        return type
    }

    /// The text that ``parse(_:)`` reads as `schema` (metadata is not written).
    package static func format(_ schema: ArrowSchema) -> String {
        schema.fields.map(format).joined(separator: ",")
    }

    private static func format(_ field: ArrowField) -> String {
        "\(quoted(field.name)):\(format(field.type))\(field.nullable ? "" : " not null")"
    }

    private static func quoted(_ name: String) -> String {
        let special = name.isEmpty || name.contains { ":,<>\"".contains($0) } || name.first == " " || name.last == " "
        return special
            ? "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
            : name
    }

    private static func format(_ type: ArrowType) -> String {
        switch type {
        case .list(let item): "list<\(format(item))>"
        case .largeList(let item): "large_list<\(format(item))>"
        case .fixedSizeList(let item, let size): "fixed_size_list<\(format(item))>[\(size)]"
        case .structure(let fields): "struct<\(fields.map(format).joined(separator: ", "))>"
        case .map(let entries, let sorted):
            "map<\(entries.type.children.map(format).joined(separator: ", "))\(sorted ? ", keys_sorted" : "")>"
        case .dictionary(let index, let value, let ordered):
            "dictionary<values=\(format(value)), indices=\(index), ordered=\(ordered ? 1 : 0)>"
        default: type.description
        }
    }
}

/// Recursive descent over the text of a schema.
private struct SchemaTextParser {
    private let text: [UInt8]
    private var position = 0

    init(_ text: String) { self.text = Array(text.utf8) }

    // MARK: Fields

    /// Fields up to `close` (not taken) or the end of the text.
    mutating func fields(until close: UInt8?, depth: Int = 0) throws(LanceError) -> [ArrowField] {
        var fields: [ArrowField] = []
        skipBlanks()
        while position < text.count, text[position] != close {
            fields.append(try field(depth: depth))
            skipBlanks()
            guard take(",") else { break }
            skipBlanks()
        }
        if close == nil { try expectEnd() }
        return fields
    }

    private mutating func field(depth: Int) throws(LanceError) -> ArrowField {
        let name = try name()
        guard take(":") else { throw expected("\":\" and a type behind the name \"\(name)\"") }
        return try typed(name, depth: depth)
    }

    /// The type and nullability of a field whose name was read.
    private mutating func typed(_ name: String, depth: Int) throws(LanceError) -> ArrowField {
        let type = try type(depth: depth)
        skipBlanks()
        let start = position
        if word() == "not" {
            skipBlanks()
            guard word() == "null" else { throw expected("\"not null\"") }
            return ArrowField(name, type, nullable: false)
        }
        position = start
        return ArrowField(name, type)
    }

    private mutating func name() throws(LanceError) -> String {
        skipBlanks()
        var bytes: [UInt8] = []
        if take("\"") {
            while true {
                guard position < text.count else { throw expected("a closing quote") }
                let byte = text[position]
                position += 1
                if byte == 0x22, !take("\"") { break }
                bytes.append(byte)
            }
            skipBlanks()
        } else {
            while position < text.count, !":,<>".utf8.contains(text[position]) {
                bytes.append(text[position])
                position += 1
            }
            while bytes.last == 0x20 { bytes.removeLast() }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    // MARK: Types

    mutating func type(depth: Int) throws(LanceError) -> ArrowType {
        guard depth < DecodeLimits.standard.schemaDepth else {
            throw .limitExceeded("the schema is nested deeper than \(DecodeLimits.standard.schemaDepth) levels")
        }
        skipBlanks()
        let start = position
        let name = word()
        if let simple = Self.simple[name] { return simple }
        switch name {
        case "date32":
            try bracketed(["day"])
            return .date32
        case "date64":
            try bracketed(["ms"])
            return .date64
        case "time32":
            let unit = try unit(of: name, [.second, .millisecond])
            return .time32(unit)
        case "time64":
            let unit = try unit(of: name, [.microsecond, .nanosecond])
            return .time64(unit)
        case "duration": return .duration(try unit(of: name, TimeUnit.allCases))
        case "timestamp": return try timestamp()
        case "decimal", "decimal128": return try decimal(digits: 38, ArrowType.decimal128)
        case "decimal256": return try decimal(digits: 76, ArrowType.decimal256)
        case "fixed_size_binary": return .fixedSizeBinary(try size())
        case "list": return .list(try item(depth: depth))
        case "large_list": return .largeList(try item(depth: depth))
        case "fixed_size_list":
            let item = try item(depth: depth)
            return .fixedSizeList(item, try size())
        case "struct": return try structure(depth: depth)
        case "map": return try map(depth: depth)
        case "dictionary": return try dictionary(depth: depth)
        default:
            position = start
            throw expected("a type")
        }
    }

    private static let simple: [String: ArrowType] = [
        "null": .null, "bool": .bool, "boolean": .bool,
        "int8": .int8, "int16": .int16, "int32": .int32, "int64": .int64,
        "uint8": .uint8, "uint16": .uint16, "uint32": .uint32, "uint64": .uint64,
        "halffloat": .float16, "float16": .float16, "float": .float32, "float32": .float32,
        "double": .float64, "float64": .float64,
        "string": .utf8, "utf8": .utf8, "large_string": .largeUtf8, "large_utf8": .largeUtf8,
        "binary": .binary, "large_binary": .largeBinary,
    ]

    private mutating func bracketed(_ allowed: [String]) throws(LanceError) {
        guard take("[") else { return }
        skipBlanks()
        let found = word()
        skipBlanks()
        guard allowed.contains(found), take("]") else { throw expected("[\(allowed.joined(separator: "|"))]") }
    }

    private mutating func unit(of name: String, _ allowed: [TimeUnit]) throws(LanceError) -> TimeUnit {
        let names = allowed.map(\.rawValue).joined(separator: "|")
        guard take("["), let unit = TimeUnit(rawValue: word()), allowed.contains(unit), take("]") else {
            throw expected("\(name)[\(names)]")
        }
        return unit
    }

    private mutating func timestamp() throws(LanceError) -> ArrowType {
        guard take("["), let unit = TimeUnit(rawValue: word()) else {
            throw expected("timestamp[s|ms|us|ns] or timestamp[us, tz=UTC]")
        }
        skipBlanks()
        if take("]") { return .timestamp(unit, timezone: nil) }
        guard take(",") else { throw expected("\"]\" or \", tz=…\"") }
        skipBlanks()
        guard word() == "tz", take("=") else { throw expected("tz=…") }
        let start = position
        while position < text.count, text[position] != 0x5D { position += 1 }
        let zone = String(decoding: text[start..<position], as: UTF8.self)
        guard take("]"), !zone.isEmpty else { throw expected("a time zone and \"]\"") }
        return .timestamp(unit, timezone: zone)
    }

    private mutating func decimal(
        digits: Int,
        _ make: (_ precision: Int, _ scale: Int) -> ArrowType
    ) throws(LanceError) -> ArrowType {
        guard take("("), let precision = number(), take(",") else { throw expected("(precision, scale)") }
        skipBlanks()
        guard let scale = number(), take(")") else { throw expected("a scale and \")\"") }
        guard precision >= 1, precision <= digits, scale >= -128, scale <= 127 else {
            throw .invalidArgument("a decimal of precision \(precision) and scale \(scale): at most \(digits) digits")
        }
        return make(precision, scale)
    }

    private mutating func size() throws(LanceError) -> Int {
        guard take("["), let size = number(), size >= 0, size <= Int(Int32.max), take("]") else {
            throw expected("[size]")
        }
        return size
    }

    /// `<type>` or `<name: type>`.
    private mutating func item(depth: Int) throws(LanceError) -> ArrowField {
        guard take("<") else { throw expected("\"<\" and the type of the items") }
        let field = try fieldOrType("item", depth: depth + 1)
        guard take(">") else { throw expected("\">\"") }
        return field
    }

    /// `name: type` when a colon follows the name, else a type for a field called `name`.
    private mutating func fieldOrType(_ name: String, depth: Int) throws(LanceError) -> ArrowField {
        let start = position
        if (try? self.name()) != nil, take(":") {
            position = start
            return try field(depth: depth)
        }
        position = start
        return try typed(name, depth: depth)
    }

    private mutating func structure(depth: Int) throws(LanceError) -> ArrowType {
        guard take("<") else { throw expected("\"<\" and the fields of the struct") }
        let fields = try fields(until: 0x3E, depth: depth + 1)
        guard take(">") else { throw expected("\",\" or \">\"") }
        return .structure(fields)
    }

    private mutating func map(depth: Int) throws(LanceError) -> ArrowType {
        guard take("<") else { throw expected("\"<\" and the types of key and value") }
        var key = try fieldOrType("key", depth: depth + 1)
        key.nullable = false
        skipBlanks()
        guard take(",") else { throw expected("\",\" and the type of the values") }
        let value = try fieldOrType("value", depth: depth + 1)
        skipBlanks()
        var sorted = false
        if take(",") {
            skipBlanks()
            guard word() == "keys_sorted" else { throw expected("keys_sorted") }
            sorted = true
        }
        guard take(">") else { throw expected("\">\"") }
        return .map(ArrowField("entries", .structure([key, value]), nullable: false), keysSorted: sorted)
    }

    private mutating func dictionary(depth: Int) throws(LanceError) -> ArrowType {
        guard take("<"), word() == "values", take("=") else { throw expected("<values=…, indices=…, ordered=0>") }
        let value = try type(depth: depth + 1)
        skipBlanks()
        guard take(",") else { throw expected(", indices=…") }
        skipBlanks()
        guard word() == "indices", take("=") else { throw expected("indices=…") }
        let index = try type(depth: depth + 1)
        guard index.isInteger else { throw .invalidArgument("dictionary indices are integers, not \(index)") }
        skipBlanks()
        var ordered = false
        if take(",") {
            skipBlanks()
            guard word() == "ordered", take("="), let flag = number(), flag == 0 || flag == 1 else {
                throw expected("ordered=0 or ordered=1")
            }
            ordered = flag == 1
        }
        guard take(">") else { throw expected("\">\"") }
        return .dictionary(index: index, value: value, ordered: ordered)
    }

    // MARK: Words

    private mutating func skipBlanks() {
        while position < text.count, text[position] == 0x20 || (0x09...0x0D).contains(text[position]) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < text.count, UInt32(text[position]) == character.value else { return false }
        position += 1
        return true
    }

    /// Letters, digits and underscores from here on; may be empty.
    private mutating func word() -> String {
        let start = position
        while position < text.count {
            switch text[position] {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: position += 1
            default: return String(decoding: text[start..<position], as: UTF8.self)
            }
        }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    private mutating func number() -> Int? {
        let negative = take("-")
        guard let value = Int(word()) else { return nil }
        return negative ? -value : value
    }

    mutating func expectEnd() throws(LanceError) {
        skipBlanks()
        guard position == text.count else { throw expected("\",\" or the end") }
    }

    private func expected(_ what: String) -> LanceError {
        let rest = String(decoding: text[position...].prefix(40), as: UTF8.self)
        let found = rest.isEmpty ? "the end" : "\"\(rest)\""
        return .invalidArgument("schema text, character \(position + 1): expected \(what), found \(found)")
    }
}
