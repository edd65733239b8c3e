import LancerBytes

/// Reads expressions: the filter language of the Lance reference, and where that refuses for lack of support, SQL.
///
/// Operators from loosest to tightest: `OR`; `AND`; `NOT`; `IS`; `LIKE`; comparisons, `BETWEEN`, `IN`; `|`;
/// `^ << >>`; `&`; `+ -`; `* / % ||`; sign; `::type`, `[index]`, `.field`.
struct Parser {
    /// Most nodes on the way from the whole expression down to a column or literal: every later step walks the tree
    /// recursively, so this bounds their stack. Lists and chains of AND or OR are flat and may be of any length.
    static let maxDepth = 100

    /// Strength of operators; an operand takes everything that binds tighter than its operator.
    enum Binding: Int {
        case none, or, and, not, test, like, compare, bitOr, shift, bitAnd, sum, product, sign, postfix
    }

    private let tokens: [Token]
    private var index = 0
    private var nesting = 0

    /// Reads a whole expression; one semicolon may follow.
    ///
    /// - Throws: `invalidArgument` that names the character, `limitExceeded` when nested too deeply.
    static func parse(_ text: String) throws(LanceError) -> Syntax {
        var parser = Parser(tokens: try Lexer.tokens(text))
        if case .end = parser.current.kind { throw .invalidArgument("the expression is empty") }
        let result = try parser.expression()
        _ = parser.take(.semicolon)
        guard case .end = parser.current.kind else {
            throw parser.error("expected an operator or the end, found \(parser.current.description)")
        }
        return result
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    // MARK: Tokens

    var current: Token { tokens[index] }

    /// The token after the present one.
    var following: Token { tokens[Swift.min(index + 1, tokens.count - 1)] }

    mutating func advance() {
        if index < tokens.count - 1 { index += 1 }
    }

    mutating func take(_ symbol: Token.Symbol) -> Bool {
        guard current.kind == .symbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(keyword: String) -> Bool {
        guard current.keyword == keyword else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol) throws(LanceError) {
        guard take(symbol) else { throw expected("\"\(symbol.rawValue)\"") }
    }

    mutating func expect(keyword: String) throws(LanceError) {
        guard take(keyword: keyword) else { throw expected(keyword) }
    }

    func error(_ message: String, at position: Int? = nil) -> LanceError {
        .invalidArgument("at character \(position ?? current.position): \(message)")
    }

    func expected(_ what: String) -> LanceError { error("expected \(what), found \(current.description)") }

    /// A node above others; refuses trees that are too deep.
    func node(_ kind: Syntax.Kind, at position: Int, over parts: [Syntax]) throws(LanceError) -> Syntax {
        let depth = (parts.map(\.depth).max() ?? 0) + 1
        guard depth <= Self.maxDepth else { throw tooDeep(position) }
        return Syntax(position: position, kind: kind, depth: depth)
    }

    private func tooDeep(_ position: Int) -> LanceError {
        .limitExceeded("at character \(position): more than \(Self.maxDepth) levels of nesting; split the expression")
    }

    // MARK: Operators

    mutating func expression(above binding: Binding = .none) throws(LanceError) -> Syntax {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.maxDepth else { throw tooDeep(current.position) }
        var left = try prefix()
        while let next = nextBinding, next.rawValue > binding.rawValue { left = try infix(left, next) }
        return left
    }

    private mutating func prefix() throws(LanceError) -> Syntax {
        let position = current.position
        switch current.kind {
        case .symbol(.minus):
            advance()
            let operand = try expression(above: .product)
            return try node(.negate(operand), at: position, over: [operand])
        case .symbol(.plus):
            advance()
            let operand = try expression(above: .product)
            return try node(.plus(operand), at: position, over: [operand])
        case .symbol(.tilde):
            advance()
            let operand = try expression(above: .product)
            return try node(.not(operand), at: position, over: [operand])
        default: break
        }
        if current.keyword == "NOT" {
            advance()
            let operand = try expression(above: .not)
            return try node(.not(operand), at: position, over: [operand])
        }
        return try primary()
    }

    /// How strongly the operator that comes next binds, or nil when none does.
    private var nextBinding: Binding? {
        switch current.kind {
        case .symbol(let symbol):
            switch symbol {
            case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: return .compare
            case .pipe: return .bitOr
            case .caret, .shiftLeft, .shiftRight: return .shift
            case .ampersand: return .bitAnd
            case .plus, .minus: return .sum
            case .star, .slash, .percent, .concat: return .product
            case .doubleColon, .openBracket, .point: return .postfix
            default: return nil
            }
        default: break
        }
        switch current.keyword {
        case "OR": return .or
        case "AND": return .and
        case "IS": return .test
        case "LIKE", "ILIKE": return .like
        case "BETWEEN", "IN": return .compare
        case "NOT":
            switch following.keyword {
            case "LIKE", "ILIKE": return .like
            case "BETWEEN", "IN": return .compare
            default: return nil
            }
        default: return nil
        }
    }

    private mutating func infix(_ left: Syntax, _ binding: Binding) throws(LanceError) -> Syntax {
        switch binding {
        case .or: return try logical(.or, left, .or)
        case .and: return try logical(.and, left, .and)
        case .test: return try test(left)
        case .postfix: return try postfix(left)
        case .like, .compare:
            if case .symbol(let symbol) = current.kind {
                guard let comparison = Comparison(rawValue: symbol.rawValue) else { throw expected("an operator") }
                advance()
                let right = try expression(above: .compare)
                return try node(.compare(comparison, left, right), at: left.position, over: [left, right])
            }
            return try wordOperator(left)
        default:
            guard case .symbol(let symbol) = current.kind else { throw expected("an operator") }
            advance()
            let right = try expression(above: binding)
            if symbol == .concat { return try node(.concat(left, right), at: left.position, over: [left, right]) }
            guard let operation = Arithmetic(rawValue: symbol.rawValue) else { throw expected("an operator") }
            return try node(.arithmetic(operation, left, right), at: left.position, over: [left, right])
        }
    }

    /// A chain of AND or OR becomes one flat node.
    private mutating func logical(
        _ kind: Syntax.Logical,
        _ left: Syntax,
        _ binding: Binding
    ) throws(LanceError) -> Syntax {
        let keyword = kind == .and ? "AND" : "OR"
        var terms = [left]
        while take(keyword: keyword) { terms.append(try expression(above: binding)) }
        return try node(.logical(kind, terms), at: left.position, over: terms)
    }

    private mutating func test(_ left: Syntax) throws(LanceError) -> Syntax {
        advance()
        let isNegated = take(keyword: "NOT")
        if take(keyword: "NULL") || take(keyword: "UNKNOWN") {
            return try node(.test(.null, left, isNegated: isNegated), at: left.position, over: [left])
        }
        if take(keyword: "TRUE") {
            return try node(.test(.true, left, isNegated: isNegated), at: left.position, over: [left])
        }
        if take(keyword: "FALSE") {
            return try node(.test(.false, left, isNegated: isNegated), at: left.position, over: [left])
        }
        guard take(keyword: "DISTINCT") else { throw expected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM") }
        try expect(keyword: "FROM")
        // As the reference reads it: all that follows belongs to the right side, AND and OR included.
        let right = try expression()
        return try node(.distinct(left, right, isNegated: isNegated), at: left.position, over: [left, right])
    }

    /// `[NOT] LIKE`, `[NOT] BETWEEN`, `[NOT] IN`.
    private mutating func wordOperator(_ left: Syntax) throws(LanceError) -> Syntax {
        let isNegated = take(keyword: "NOT")
        let position = left.position
        if take(keyword: "BETWEEN") {
            let low = try expression(above: .compare)
            try expect(keyword: "AND")
            let high = try expression(above: .compare)
            let kind = Syntax.Kind.between(left, low: low, high: high, isNegated: isNegated)
            return try node(kind, at: position, over: [left, low, high])
        }
        if take(keyword: "IN") {
            try expect(.openParenthesis)
            guard current.kind != .symbol(.closeParenthesis) else {
                throw error("expected a value; the list of IN is empty")
            }
            let items = try list(until: .closeParenthesis)
            return try node(.inList(left, items, isNegated: isNegated), at: position, over: [left] + items)
        }
        let ignoringCase = current.keyword == "ILIKE"
        advance()
        let pattern = try expression(above: .like)
        if take(keyword: "ESCAPE") {
            guard case .text("\\") = current.kind else { throw error("LIKE knows no other escape than '\\'") }
            advance()
        }
        let kind = Syntax.Kind.like(left, pattern: pattern, ignoringCase: ignoringCase, isNegated: isNegated)
        return try node(kind, at: position, over: [left, pattern])
    }

    /// Expressions with commas between them up to a closing bracket, which is taken.
    mutating func list(until end: Token.Symbol) throws(LanceError) -> [Syntax] {
        var items: [Syntax] = []
        if take(end) { return items }
        repeat { items.append(try expression()) } while take(.comma)
        guard take(end) else { throw expected("\",\" or \"\(end.rawValue)\"") }
        return items
    }

    private mutating func postfix(_ left: Syntax) throws(LanceError) -> Syntax {
        let position = left.position
        if take(.doubleColon) {
            let type = try typeName()
            return try node(.cast(left, type, isTry: false), at: position, over: [left])
        }
        if take(.openBracket) {
            let index = try expression()
            try expect(.closeBracket)
            return try node(.subscripted(left, index), at: position, over: [left, index])
        }
        advance()
        guard case .name(let name, _) = current.kind else { throw expected("the name of a field") }
        advance()
        return try node(.member(left, name), at: position, over: [left])
    }
}
