import Lancer

/// A parsed JSON text, as questions of the conformance suite are written. Numbers are whole.
indirect enum JSONDocument: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Int)
    case string(String)
    case array([JSONDocument])
    case object([String: JSONDocument])

    /// Parses a whole text.
    ///
    /// - Throws: `invalidArgument` with the position.
    init(parsing bytes: [UInt8]) throws(LanceError) {
        var parser = JSONDocumentParser(bytes: bytes)
        self = try parser.document()
    }

    /// The member of an object.
    subscript(name: String) -> JSONDocument? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    var text: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    var integer: Int? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    var boolean: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    var items: [JSONDocument]? {
        guard case .array(let value) = self else { return nil }
        return value
    }
}

/// Recursive descent over UTF-8.
private struct JSONDocumentParser {
    let bytes: [UInt8]
    private var position = 0
    private static let deepest = 200

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(LanceError) -> JSONDocument {
        let value = try self.value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("more follows") }
        return value
    }

    private mutating func value(depth: Int) throws(LanceError) -> JSONDocument {
        guard depth < Self.deepest else { throw failure("too deep") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(_ depth: Int) throws(LanceError) -> JSONDocument {
        position += 1
        var members: [String: JSONDocument] = [:]
        if accept("}") { return .object(members) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw failure("a name is missing") }
            let name = try string()
            guard accept(":") else { throw failure("a colon is missing") }
            members[name] = try value(depth: depth + 1)
        } while accept(",")
        guard accept("}") else { throw failure("a brace is missing") }
        return .object(members)
    }

    private mutating func array(_ depth: Int) throws(LanceError) -> JSONDocument {
        position += 1
        var items: [JSONDocument] = []
        if accept("]") { return .array(items) }
        repeat { items.append(try value(depth: depth + 1)) } while accept(",")
        guard accept("]") else { throw failure("a bracket is missing") }
        return .array(items)
    }

    private mutating func number() throws(LanceError) -> JSONDocument {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        guard let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
            throw failure("neither a value nor a whole number")
        }
        return .number(value)
    }

    private mutating func string() throws(LanceError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            default: text.append(byte)
            }
        }
        throw failure("a text has no end")
    }

    private mutating func escape() throws(LanceError) -> [UInt8] {
        guard let byte = peek else { throw failure("an escape has no end") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"):
            var unit = UInt32(try hex())
            if (0xD800..<0xDC00).contains(unit) {
                guard peek == UInt8(ascii: "\\") else { throw failure("half a surrogate pair") }
                position += 2
                unit = 0x10000 + (unit - 0xD800) << 10 + (UInt32(try hex()) &- 0xDC00) & 0x3FF
            }
            guard let scalar = Unicode.Scalar(unit) else { throw failure("no character") }
            return Array(String(Character(scalar)).utf8)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        default: throw failure("an unknown escape")
        }
    }

    private mutating func hex() throws(LanceError) -> UInt16 {
        guard position + 4 <= bytes.count,
            let value = UInt16(String(decoding: bytes[position..<(position + 4)], as: UTF8.self), radix: 16)
        else { throw failure("four hex digits are missing") }
        position += 4
        return value
    }

    private mutating func word(_ text: String, _ value: JSONDocument) throws(LanceError) -> JSONDocument {
        guard bytes[position...].starts(with: text.utf8) else { throw failure("an unknown word") }
        position += text.utf8.count
        return value
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private func failure(_ what: String) -> LanceError {
        LanceError(.invalidArgument, "JSON: \(what) at byte \(position)")
    }
}
