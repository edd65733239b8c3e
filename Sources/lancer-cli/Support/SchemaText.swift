import Lancer

/// Reads schemas written as text: `id: int64 not null, tags: list<string>, vector: fixed_size_list<float>[384]`.
///
/// Types are spelled as `lancer inspect --schema` prints them, with a few synonyms. Columns are separated by commas or
/// line ends.
struct SchemaText {
    private static let deepest = 64

    private let text: [Character]
    private var position = 0
    private var depth = 0

    private init(_ text: String) { self.text = Array(text) }

    /// Reads `text`.
    ///
    /// - Throws: `invalidArgument` that says where the text makes no sense.
    static func parse(_ text: String) throws(LanceError) -> ArrowSchema {
        var parser = SchemaText(text)
        var fields: [ArrowField] = []
        parser.skipSeparators()
        while parser.position < parser.text.count {
            fields.append(try parser.field())
            parser.skipBlanks()
            guard
                parser.position == parser.text.count || parser.text[parser.position] == ","
                    || parser.text[parser.position].isNewline
            else { throw parser.failure("a comma between columns") }
            parser.skipSeparators()
        }
        guard !fields.isEmpty else { throw parser.failure("name: type") }
        for (index, field) in fields.enumerated() where fields[..<index].contains(where: { $0.name == field.name }) {
            throw LanceError(.invalidArgument, "--schema: column \"\(field.name)\" is there twice")
        }
        return ArrowSchema(fields)
    }

    private mutating func field() throws(LanceError) -> ArrowField {
        skipBlanks()
        let name = try fieldName()
        skipBlanks()
        try expect(":")
        let type = try type()
        return ArrowField(name, type, nullable: try !takesNotNull())
    }

    private mutating func fieldName() throws(LanceError) -> String {
        var name = ""
        if peek() == "\"" {
            position += 1
            while let next = peek(), next != "\"" {
                name.append(next)
                position += 1
            }
            try expect("\"")
            return name
        }
        while let next = peek(), !":,<>".contains(next), !next.isNewline {
            name.append(next)
            position += 1
        }
        while name.last?.isWhitespace == true { name.removeLast() }
        guard !name.isEmpty else { throw failure("a column name") }
        return name
    }

    private mutating func takesNotNull() throws(LanceError) -> Bool {
        let start = position
        skipBlanks()
        guard word() == "not" else {
            position = start
            return false
        }
        skipBlanks()
        guard word() == "null" else { throw failure("not null") }
        return true
    }

    private mutating func type() throws(LanceError) -> ArrowType {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("fewer nested types") }
        skipBlanks()
        let start = position
        let name = word()
        if let plain = Self.plain[name] { return plain }
        switch name {
        case "date32":
            try skipUnit("day")
            return .date32
        case "date64":
            try skipUnit("ms")
            return .date64
        case "time32", "time64", "timestamp", "duration": return try temporal(name)
        case "decimal", "decimal128", "decimal256": return try decimal(is256: name == "decimal256")
        case "fixed_size_binary": return .fixedSizeBinary(try size())
        case "list": return .list(try item())
        case "large_list": return .largeList(try item())
        case "fixed_size_list":
            let item = try item()
            return .fixedSizeList(item, try size())
        case "struct": return .structure(try structFields())
        case "map": return try map()
        default:
            position = start
            throw failure("a type such as int64, double, string, timestamp[us], list<string>")
        }
    }

    private static let plain: [String: ArrowType] = [
        "null": .null, "bool": .bool, "boolean": .bool, "int8": .int8, "int16": .int16, "int32": .int32, "int": .int32,
        "int64": .int64, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32, "uint64": .uint64,
        "halffloat": .float16, "float16": .float16, "float": .float32, "float32": .float32, "double": .float64,
        "float64": .float64, "string": .utf8, "utf8": .utf8, "large_string": .largeUtf8, "large_utf8": .largeUtf8,
        "binary": .binary, "large_binary": .largeBinary, "date": .date32,
    ]

    private mutating func temporal(_ name: String) throws(LanceError) -> ArrowType {
        skipBlanks()
        try expect("[")
        skipBlanks()
        guard let unit = TimeUnit(rawValue: word()) else { throw failure("a unit: s, ms, us or ns") }
        var zone: String?
        skipBlanks()
        if name == "timestamp", peek() == "," {
            position += 1
            skipBlanks()
            guard word() == "tz" else { throw failure("tz=ZONE") }
            try expect("=")
            var text = ""
            while let next = peek(), next != "]" {
                text.append(next)
                position += 1
            }
            zone = text
        }
        try expect("]")
        switch (name, unit) {
        case ("time32", .second), ("time32", .millisecond): return .time32(unit)
        case ("time64", .microsecond), ("time64", .nanosecond): return .time64(unit)
        case ("timestamp", _): return .timestamp(unit, timezone: zone)
        case ("duration", _): return .duration(unit)
        default: throw failure("time32[s], time32[ms], time64[us] or time64[ns]")
        }
    }

    private mutating func decimal(is256: Bool) throws(LanceError) -> ArrowType {
        skipBlanks()
        try expect("(")
        let precision = try integer()
        skipBlanks()
        try expect(",")
        let scale = try integer()
        skipBlanks()
        try expect(")")
        guard (1...(is256 ? 76 : 38)).contains(precision), scale <= precision else {
            throw failure("a precision of 1 to \(is256 ? 76 : 38) digits and a scale not above it")
        }
        return is256 ? .decimal256(precision: precision, scale: scale) : .decimal128(precision: precision, scale: scale)
    }

    /// `<type>` or `<name: type>`.
    private mutating func item() throws(LanceError) -> ArrowField {
        skipBlanks()
        try expect("<")
        let start = position
        var result: ArrowField
        if let type = try? type() {
            result = ArrowField("item", type, nullable: try !takesNotNull())
        } else {
            position = start
            result = try field()
        }
        skipBlanks()
        try expect(">")
        return result
    }

    private mutating func structFields() throws(LanceError) -> [ArrowField] {
        skipBlanks()
        try expect("<")
        var fields: [ArrowField] = []
        skipBlanks()
        while peek() != ">" {
            fields.append(try field())
            skipBlanks()
            if peek() == "," { position += 1 } else { break }
        }
        try expect(">")
        return fields
    }

    private mutating func map() throws(LanceError) -> ArrowType {
        skipBlanks()
        try expect("<")
        let key = try type()
        skipBlanks()
        try expect(",")
        let value = try type()
        skipBlanks()
        try expect(">")
        let entry = ArrowType.structure([ArrowField("key", key, nullable: false), ArrowField("value", value)])
        return .map(ArrowField("entries", entry, nullable: false), keysSorted: false)
    }

    /// `[N]`.
    private mutating func size() throws(LanceError) -> Int {
        skipBlanks()
        try expect("[")
        let size = try integer()
        skipBlanks()
        try expect("]")
        guard size > 0, size <= Int(Int32.max) else { throw failure("a size above 0") }
        return size
    }

    private mutating func skipUnit(_ unit: String) throws(LanceError) {
        guard peek() == "[" else { return }
        position += 1
        guard word() == unit else { throw failure("[\(unit)]") }
        try expect("]")
    }

    private mutating func integer() throws(LanceError) -> Int {
        skipBlanks()
        var digits = ""
        while let next = peek(), next.isASCII, next.isNumber || (next == "-" && digits.isEmpty) {
            digits.append(next)
            position += 1
        }
        guard let value = Int(digits) else { throw failure("a number") }
        return value
    }

    private mutating func word() -> String {
        var word = ""
        while let next = peek(), next.isASCII, next.isLetter || next.isNumber || next == "_" {
            word.append(next)
            position += 1
        }
        return word.lowercased()
    }

    private func peek() -> Character? { position < text.count ? text[position] : nil }

    private mutating func skipBlanks() {
        while let next = peek(), next.isWhitespace, !next.isNewline { position += 1 }
    }

    private mutating func skipSeparators() {
        while let next = peek(), next.isWhitespace || next == "," { position += 1 }
    }

    private mutating func expect(_ character: Character) throws(LanceError) {
        guard peek() == character else { throw failure("\"\(character)\"") }
        position += 1
    }

    private func failure(_ expected: String) -> LanceError {
        let rest = String(text[min(position, text.count)...].prefix(20))
        let place = rest.isEmpty ? "at the end" : "at \"\(rest)\""
        return LanceError(.invalidArgument, "--schema: \(expected) is expected \(place) (character \(position + 1))")
    }
}
