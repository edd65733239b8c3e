/// A word, number, text or sign of an expression, and where it begins.
struct Token: Equatable {
    enum Kind: Equatable {
        /// A name; `isQuoted` when it stood in backticks, which makes it a column or function name and never a keyword.
        case name(String, isQuoted: Bool)
        /// Digits with an optional point and exponent, as written.
        case number(String)
        /// Text in single or double quotes, without them.
        case text(String)
        /// `X'00ff'` or `0x00ff`; nil when the digits are not hexadecimal.
        case bytes([UInt8]?)
        /// An operator or bracket.
        case symbol(Symbol)
        /// The end of the expression.
        case end
    }

    enum Symbol: String, Equatable {
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case plus = "+"
        case minus = "-"
        case star = "*"
        case slash = "/"
        case percent = "%"
        case concat = "||"
        case pipe = "|"
        case ampersand = "&"
        case caret = "^"
        case tilde = "~"
        case shiftLeft = "<<"
        case shiftRight = ">>"
        case doubleColon = "::"
        case openParenthesis = "("
        case closeParenthesis = ")"
        case openBracket = "["
        case closeBracket = "]"
        case comma = ","
        case point = "."
        case semicolon = ";"
    }

    var kind: Kind
    /// Number of the first character, counted from 1 in Unicode scalars.
    var position: Int

    /// The upper-case word when the token can be a keyword.
    var keyword: String? {
        guard case .name(let name, isQuoted: false) = kind else { return nil }
        return name.uppercased()
    }

    /// What stood there, for messages.
    var description: String {
        switch kind {
        case .name(let name, _): "\"\(name.prefix(40))\""
        case .number(let digits): digits.count > 40 ? "\(digits.prefix(40))…" : digits
        case .text(let text): "'\(text.prefix(40))'"
        case .bytes: "a binary literal"
        case .symbol(let symbol): "\"\(symbol.rawValue)\""
        case .end: "the end"
        }
    }
}
