import LancerArrow

/// An expression as it was written, before names and types are looked up.
struct Syntax: Sendable {
    indirect enum Kind: Sendable {
        case null
        case bool(Bool)
        /// Digits with an optional point and exponent, as written, without a sign.
        case number(String)
        case text(String)
        /// Nil for digits that were not hexadecimal, which stands for a null.
        case bytes([UInt8]?)
        case name(String, isQuoted: Bool)
        /// `value.name`.
        case member(Syntax, String)
        /// `value[index]`: an item of a list, or a field when the index is text.
        case subscripted(Syntax, Syntax)
        case list([Syntax])
        case not(Syntax)
        case negate(Syntax)
        case plus(Syntax)
        /// Two or more terms of one kind, in the order written.
        case logical(Logical, [Syntax])
        case compare(Comparison, Syntax, Syntax)
        case arithmetic(Arithmetic, Syntax, Syntax)
        case concat(Syntax, Syntax)
        case test(Test, Syntax, isNegated: Bool)
        case distinct(Syntax, Syntax, isNegated: Bool)
        case like(Syntax, pattern: Syntax, ignoringCase: Bool, isNegated: Bool)
        case between(Syntax, low: Syntax, high: Syntax, isNegated: Bool)
        case inList(Syntax, [Syntax], isNegated: Bool)
        case cast(Syntax, TypeName, isTry: Bool)
        case choice(operand: Syntax?, branches: [Branch], otherwise: Syntax?)
        case call(String, [Syntax])
        case interval(Interval)
    }

    struct Branch: Sendable {
        var condition: Syntax
        var value: Syntax
    }

    enum Logical: Sendable {
        case and, or
    }

    /// What `IS` asks.
    enum Test: Sendable {
        case null, `true`, `false`
    }

    /// Number of its first character.
    var position: Int
    var kind: Kind
    /// Nodes on the longest way down, this one included.
    var depth = 1
    /// Whether it stood in parentheses.
    var isParenthesized = false
}

/// How two values are compared.
enum Comparison: String, Sendable {
    case equal = "="
    case notEqual = "<>"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    /// The same question with the sides changed.
    var flipped: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}

/// Operators on two numbers.
enum Arithmetic: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
    case shiftLeft = "<<"
    case shiftRight = ">>"
    case bitAnd = "&"
    case bitOr = "|"
    case bitXor = "^"

    /// Whether it works on bits and so on integers only.
    var isBitwise: Bool {
        switch self {
        case .shiftLeft, .shiftRight, .bitAnd, .bitOr, .bitXor: true
        default: false
        }
    }
}

/// A type as named in an expression.
enum TypeName: Sendable, Hashable {
    case arrow(ArrowType)
    /// `timestamp` without a precision: microseconds, in the arguments of functions nanoseconds.
    case timestamp
}

/// A length of time in calendar months, days and nanoseconds.
struct Interval: Sendable, Hashable {
    var months: Int64 = 0
    var days: Int64 = 0
    var nanoseconds: Int64 = 0
}
