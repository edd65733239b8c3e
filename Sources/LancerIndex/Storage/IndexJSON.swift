import LancerBytes

/// A value of the small JSON texts in the metadata of index files.
enum IndexJSON: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([IndexJSON])
    case object([String: IndexJSON])

    /// Nesting at most.
    private static let deepest = 16

    /// Parses a text.
    ///
    /// - Throws: `corrupt` if it is not JSON.
    init(_ text: String) throws(LanceError) {
        var parser = Parser(bytes: Array(text.utf8))
        self = try parser.value(depth: 0)
        try parser.end()
    }

    /// The member of an object; nil if it is not there or null.
    subscript(_ key: String) -> IndexJSON? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var double: Double? { if case .number(let number) = self { number } else { nil } }
    var list: [IndexJSON]? { if case .array(let values) = self { values } else { nil } }

    /// A number without a fraction in a range.
    func integer(_ range: ClosedRange<Int>) -> Int? {
        guard let number = double, let whole = Int(exactly: number), range.contains(whole) else { return nil }
        return whole
    }

    /// A text as a JSON string, quotes included.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private struct Parser {
        let bytes: [UInt8]
        var at = 0

        private func bad(_ what: String) -> LanceError { .corrupt("metadata is not JSON: \(what) at byte \(at)") }

        private mutating func skipSpace() {
            while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
        }

        mutating func end() throws(LanceError) {
            skipSpace()
            guard at == bytes.count else { throw bad("more text") }
        }

        mutating func value(depth: Int) throws(LanceError) -> IndexJSON {
            guard depth < IndexJSON.deepest else { throw bad("too deep") }
            skipSpace()
            guard at < bytes.count else { throw bad("no value") }
            switch bytes[at] {
            case UInt8(ascii: "{"): return try object(depth)
            case UInt8(ascii: "["): return try array(depth)
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "t"): return try word("true", .bool(true))
            case UInt8(ascii: "f"): return try word("false", .bool(false))
            case UInt8(ascii: "n"): return try word("null", .null)
            default: return try number()
            }
        }

        private mutating func word(_ text: String, _ value: IndexJSON) throws(LanceError) -> IndexJSON {
            guard bytes[at...].starts(with: text.utf8) else { throw bad("an unknown word") }
            at += text.utf8.count
            return value
        }

        private mutating func number() throws(LanceError) -> IndexJSON {
            let start = at
            while at < bytes.count, "+-.0123456789eE".utf8.contains(bytes[at]) { at += 1 }
            guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)), value.isFinite else {
                throw bad("no number")
            }
            return .number(value)
        }

        private mutating func string() throws(LanceError) -> String {
            at += 1
            var out: [UInt8] = []
            while at < bytes.count {
                let byte = bytes[at]
                at += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: out, as: UTF8.self) }
                guard byte == UInt8(ascii: "\\") else {
                    out.append(byte)
                    continue
                }
                guard at < bytes.count else { break }
                let escape = bytes[at]
                at += 1
                switch escape {
                case UInt8(ascii: "n"): out.append(0x0A)
                case UInt8(ascii: "t"): out.append(0x09)
                case UInt8(ascii: "r"): out.append(0x0D)
                case UInt8(ascii: "b"): out.append(0x08)
                case UInt8(ascii: "f"): out.append(0x0C)
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(escape)
                case UInt8(ascii: "u"):
                    // Index metadata is ASCII; halves of surrogate pairs are not joined.
                    guard at + 4 <= bytes.count,
                        let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16),
                        let scalar = Unicode.Scalar(code)
                    else { throw bad("a bad escape") }
                    at += 4
                    out.append(contentsOf: Array(String(Character(scalar)).utf8))
                default: throw bad("a bad escape")
                }
            }
            throw bad("an open string")
        }

        private mutating func array(_ depth: Int) throws(LanceError) -> IndexJSON {
            at += 1
            var values: [IndexJSON] = []
            skipSpace()
            if take("]") { return .array(values) }
            while true {
                values.append(try value(depth: depth + 1))
                skipSpace()
                if take("]") { return .array(values) }
                guard take(",") else { throw bad("no comma") }
            }
        }

        private mutating func object(_ depth: Int) throws(LanceError) -> IndexJSON {
            at += 1
            var members: [String: IndexJSON] = [:]
            skipSpace()
            if take("}") { return .object(members) }
            while true {
                skipSpace()
                guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw bad("no name") }
                let name = try string()
                skipSpace()
                guard take(":") else { throw bad("no colon") }
                members[name] = try value(depth: depth + 1)
                skipSpace()
                if take("}") { return .object(members) }
                guard take(",") else { throw bad("no comma") }
            }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
            at += 1
            return true
        }
    }
}
