import LancerBytes

/// A small JSON text as a whole: metadata of files, questions, nothing with rows.
package indirect enum JSONDocument: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A whole number that fits.
    case integer(Int)
    /// Any other number; finite.
    case number(Double)
    case string(String)
    case array([JSONDocument])
    case object([String: JSONDocument])

    /// Parses a whole text.
    ///
    /// - Parameter fault: Code of the error when it is not JSON.
    /// - Throws: That, with the position.
    package init(parsing text: some Sequence<UInt8>, fault: LanceError.Code) throws(LanceError) {
        var parser = JSONDocumentParser(bytes: Array(text), fault: fault)
        self = try parser.document()
    }

    /// The member of an object; nil if it is not there or null.
    package subscript(name: String) -> JSONDocument? {
        guard case .object(let members) = self, let value = members[name], value != .null else { return nil }
        return value
    }

    package var text: String? { if case .string(let value) = self { value } else { nil } }
    package var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var items: [JSONDocument]? { if case .array(let value) = self { value } else { nil } }

    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A number without a fraction, however it is written.
    package var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// A number without a fraction in a range.
    package func integer(_ range: ClosedRange<Int>) -> Int? {
        integer.flatMap { range.contains($0) ? $0 : nil }
    }
}

/// Recursive descent over UTF-8.
private struct JSONDocumentParser {
    let bytes: [UInt8]
    let fault: LanceError.Code
    private var position = 0
    private static let deepest = 200

    init(bytes: [UInt8], fault: LanceError.Code) {
        self.bytes = bytes
        self.fault = fault
    }

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
        while let byte = peek, "+-.0123456789eE".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("neither a value nor a number") }
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
                guard bytes[position...].starts(with: "\\u".utf8) else { throw failure("half a surrogate pair") }
                position += 2
                let low = UInt32(try hex())
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half a surrogate pair") }
                unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
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
        LanceError(fault, "JSON: \(what) at byte \(position)")
    }
}
