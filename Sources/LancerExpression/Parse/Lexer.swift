import LancerBytes

/// Cuts the text of an expression into tokens.
///
/// Names are letters of any script, digits and underscores; backticks quote a name and cannot be escaped. Single and
/// double quotes both enclose text, in which the quote itself is doubled; a backslash is an ordinary character.
/// `-- …` to the end of the line and `/* … */` (nested, too) are comments.
struct Lexer {
    /// Most characters of an expression.
    static let maxLength = 1 << 20

    private let scalars: [Unicode.Scalar]
    private var index = 0

    /// All tokens of `text`, the last being ``Token/Kind/end``.
    ///
    /// - Throws: `invalidArgument` that names the character, `limitExceeded` for a text of more than ``maxLength``.
    static func tokens(_ text: String) throws(LanceError) -> [Token] {
        guard text.utf8.count <= maxLength else {
            throw .limitExceeded("an expression of \(text.utf8.count) bytes; at most \(maxLength) are read")
        }
        var lexer = Lexer(scalars: Array(text.unicodeScalars))
        var tokens: [Token] = []
        while true {
            try lexer.skipBlanks()
            let position = lexer.index + 1
            let kind = try lexer.nextKind()
            tokens.append(Token(kind: kind, position: position))
            if kind == .end { return tokens }
        }
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        index + ahead < scalars.count ? scalars[index + ahead] : nil
    }

    private func error(_ message: String, at position: Int) -> LanceError {
        .invalidArgument("at character \(position): \(message)")
    }

    private mutating func skipBlanks() throws(LanceError) {
        while let next = peek() {
            if next.properties.isWhitespace {
                index += 1
            } else if next == "-", peek(1) == "-" {
                while let scalar = peek(), scalar != "\n" {
                    _ = scalar
                    index += 1
                }
            } else if next == "/", peek(1) == "*" {
                try skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(LanceError) {
        let start = index + 1
        var depth = 0
        repeat {
            guard let next = peek() else { throw error("this comment does not end; expected */", at: start) }
            if next == "/", peek(1) == "*" {
                depth += 1
                index += 2
            } else if next == "*", peek(1) == "/" {
                depth -= 1
                index += 2
            } else {
                index += 1
            }
        } while depth > 0
    }

    private mutating func nextKind() throws(LanceError) -> Token.Kind {
        guard let first = peek() else { return .end }
        switch first {
        case "'", "\"": return .text(try quoted(first))
        case "`": return .name(try backquoted(), isQuoted: true)
        case "0"..."9": return number()
        case ".":
            if let next = peek(1), Self.isDigit(next) { return number() }
            return try symbol()
        default:
            if Self.isLetter(first) { return try word() }
            return try symbol()
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || (scalar.isASCII ? isASCIILetter(scalar) : scalar.properties.isAlphabetic)
    }

    private static func isASCIILetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private func slice(from start: Int) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[start..<index])
        return String(text)
    }

    private mutating func word() throws(LanceError) -> Token.Kind {
        let start = index
        while let next = peek(), Self.isLetter(next) || Self.isDigit(next) || next == "$" || isMark(next) { index += 1 }
        let name = slice(from: start)
        if peek() == "'", name.unicodeScalars.count == 1 {
            switch name {
            case "X", "x": return .bytes(Self.hexBytes(try quoted("'")))
            case "E", "e", "N", "n", "B", "b", "R", "r", "U", "u", "Q", "q":
                throw error("\(name)'…' is not a kind of text that is known; write '…' or X'00ff'", at: start + 1)
            default: break
            }
        }
        return .name(name, isQuoted: false)
    }

    /// Marks that belong to the letter before them, and digits of other scripts.
    private func isMark(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return false }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .decimalNumber, .letterNumber: return true
        default: return false
        }
    }

    private mutating func number() -> Token.Kind {
        let start = index
        if peek() == "0", let x = peek(1), x == "x" || x == "X" {
            var digits = 0
            while let next = peek(2 + digits), Self.isHexDigit(next) { digits += 1 }
            if digits > 0 {
                index += 2
                let first = index
                index += digits
                return .bytes(Self.hexBytes(slice(from: first)))
            }
        }
        skipDigits()
        if peek() == "." {
            index += 1
            skipDigits()
        }
        if let e = peek(), e == "e" || e == "E" {
            let signed = peek(1) == "+" || peek(1) == "-"
            if let digit = peek(signed ? 2 : 1), Self.isDigit(digit) {
                index += signed ? 2 : 1
                skipDigits()
            }
        }
        return .number(slice(from: start))
    }

    private mutating func skipDigits() {
        while let next = peek(), Self.isDigit(next) { index += 1 }
    }

    private static func isHexDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && scalar.properties.isASCIIHexDigit
    }

    /// Bytes of hexadecimal digits; an odd number of them begins with half a byte.
    private static func hexBytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.unicodeScalars)
        var bytes: [UInt8] = []
        var pending: UInt8? = digits.count % 2 == 1 ? 0 : nil
        for digit in digits {
            guard isHexDigit(digit), let value = UInt8(String(Character(digit)), radix: 16) else { return nil }
            if let high = pending {
                bytes.append(high << 4 | value)
                pending = nil
            } else {
                pending = value
            }
        }
        return bytes
    }

    private mutating func quoted(_ quote: Unicode.Scalar) throws(LanceError) -> String {
        let start = index
        index += 1
        var text = String.UnicodeScalarView()
        while let next = peek() {
            index += 1
            if next != quote {
                text.append(next)
            } else if peek() == quote {
                text.append(quote)
                index += 1
            } else {
                return String(text)
            }
        }
        throw error("this text does not end; expected \(quote)", at: start + 1)
    }

    private mutating func backquoted() throws(LanceError) -> String {
        let start = index
        index += 1
        while let next = peek(), next != "`" {
            _ = next
            index += 1
        }
        guard peek() == "`" else { throw error("this name does not end; expected `", at: start + 1) }
        let name = slice(from: start + 1)
        index += 1
        guard !name.isEmpty else { throw error("a name between backticks is empty", at: start + 1) }
        return name
    }

    private mutating func symbol() throws(LanceError) -> Token.Kind {
        let start = index
        let two = peek(1).map { String(Character(scalars[start])) + String(Character($0)) } ?? ""
        switch two {
        case "==", "!=":
            index += 2
            return .symbol(two == "==" ? .equal : .notEqual)
        default: break
        }
        if let symbol = Token.Symbol(rawValue: two) {
            index += 2
            return .symbol(symbol)
        }
        let one = String(Character(scalars[start]))
        guard let symbol = Token.Symbol(rawValue: one) else {
            throw error("\"\(one)\" is not part of the language of expressions", at: start + 1)
        }
        index += 1
        return .symbol(symbol)
    }
}
