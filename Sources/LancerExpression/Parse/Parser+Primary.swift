import LancerBytes

extension Parser {
    /// A literal, a column, a call, or something in brackets.
    mutating func primary() throws(LanceError) -> Syntax {
        let position = current.position
        switch current.kind {
        case .number(let digits): return literal(.number(digits))
        case .text(let text): return literal(.text(text))
        case .bytes(let bytes): return literal(.bytes(bytes))
        case .symbol(.openParenthesis):
            advance()
            var inner = try expression()
            try expect(.closeParenthesis)
            inner.isParenthesized = true
            return inner
        case .symbol(.openBracket):
            advance()
            let items = try list(until: .closeBracket)
            return try node(.list(items), at: position, over: items)
        case .name(let name, let isQuoted):
            if !isQuoted, let special = try specialForm(name.uppercased(), position) { return special }
            advance()
            if current.kind == .symbol(.openParenthesis) { return try call(name, position) }
            return Syntax(position: position, kind: .name(name, isQuoted: isQuoted))
        case .symbol, .end: throw expected("a value")
        }
    }

    private mutating func literal(_ kind: Syntax.Kind) -> Syntax {
        let position = current.position
        advance()
        return Syntax(position: position, kind: kind)
    }

    /// What begins with a keyword, or nil when the word is a name after all.
    private mutating func specialForm(_ word: String, _ position: Int) throws(LanceError) -> Syntax? {
        switch word {
        case "NULL": return literal(.null)
        case "TRUE": return literal(.bool(true))
        case "FALSE": return literal(.bool(false))
        case "CASE": return try choice(position)
        case "CAST", "TRY_CAST", "SAFE_CAST":
            guard following.kind == .symbol(.openParenthesis) else { return nil }
            advance()
            advance()
            let value = try expression()
            try expect(keyword: "AS")
            let type = try typeName()
            try expect(.closeParenthesis)
            return try node(.cast(value, type, isTry: word != "CAST"), at: position, over: [value])
        case "ARRAY":
            guard following.kind == .symbol(.openBracket) else { return nil }
            advance()
            advance()
            let items = try list(until: .closeBracket)
            return try node(.list(items), at: position, over: items)
        case "INTERVAL":
            guard case .text(let text) = following.kind else { return nil }
            advance()
            advance()
            return try interval(text, position)
        case "EXTRACT": return try extract(position)
        case "EXISTS", "SELECT":
            guard following.kind == .symbol(.openParenthesis) || word == "SELECT" && startsQuery else { return nil }
            throw error("queries inside expressions are not supported", at: position)
        default: return try typedText(word, position)
        }
    }

    /// After `SELECT`: whether a list of columns follows rather than an operator.
    private var startsQuery: Bool {
        switch following.kind {
        case .name, .number, .text: following.keyword.map { !Self.operators.contains($0) } ?? true
        default: false
        }
    }

    private static let operators: Set<String> = ["AND", "OR", "IS", "IN", "NOT", "LIKE", "ILIKE", "BETWEEN"]

    /// `DATE '2020-01-02'`, `TIMESTAMP(3) '…'`, `DECIMAL(10,2) '1.10'`.
    private mutating func typedText(_ word: String, _ position: Int) throws(LanceError) -> Syntax? {
        guard ["DATE", "TIMESTAMP", "DATETIME", "DECIMAL", "TIME"].contains(word) else { return nil }
        var ahead = self
        // The type must be followed by text, or the word is the name of a column or function.
        guard let type = try? ahead.typeName(), case .text(let text) = ahead.current.kind else { return nil }
        let textPosition = ahead.current.position
        ahead.advance()
        self = ahead
        let value = Syntax(position: textPosition, kind: .text(text))
        return try node(.cast(value, type, isTry: false), at: position, over: [value])
    }

    private mutating func choice(_ position: Int) throws(LanceError) -> Syntax {
        advance()
        var parts: [Syntax] = []
        var operand: Syntax?
        if current.keyword != "WHEN" {
            let value = try expression()
            operand = value
            parts.append(value)
        }
        var branches: [Syntax.Branch] = []
        while take(keyword: "WHEN") {
            let condition = try expression()
            try expect(keyword: "THEN")
            let value = try expression()
            branches.append(Syntax.Branch(condition: condition, value: value))
            parts += [condition, value]
        }
        guard !branches.isEmpty else { throw expected("WHEN") }
        var otherwise: Syntax?
        if take(keyword: "ELSE") {
            let value = try expression()
            otherwise = value
            parts.append(value)
        }
        try expect(keyword: "END")
        return try node(.choice(operand: operand, branches: branches, otherwise: otherwise), at: position, over: parts)
    }

    private mutating func call(_ name: String, _ position: Int) throws(LanceError) -> Syntax {
        advance()
        var arguments: [Syntax] = []
        let lowered = name.lowercased()
        if current.kind != .symbol(.closeParenthesis) {
            if current.keyword == "DISTINCT" { throw error("aggregates are not supported in expressions") }
            if current.kind == .symbol(.star) { throw error("aggregates are not supported in expressions") }
            repeat {
                // POSITION('l' IN s): the argument must not take the IN for its own.
                let isPosition = lowered == "position" && arguments.isEmpty
                arguments.append(try expression(above: isPosition ? .compare : .none))
                if isPosition, take(keyword: "IN") {
                    arguments.insert(try expression(), at: 0)
                    break
                }
            } while take(.comma)
        }
        guard take(.closeParenthesis) else { throw expected("\",\" or \")\"") }
        if current.keyword == "OVER", following.kind == .symbol(.openParenthesis) {
            throw error("windows are not supported in expressions")
        }
        return try node(.call(lowered, arguments), at: position, over: arguments)
    }

    /// `EXTRACT(YEAR FROM t)`, the same as `date_part('year', t)`.
    private mutating func extract(_ position: Int) throws(LanceError) -> Syntax? {
        guard following.kind == .symbol(.openParenthesis) else { return nil }
        advance()
        advance()
        let part: Syntax
        switch current.kind {
        case .name(let name, _), .text(let name): part = literal(.text(name))
        default: throw expected("a part of a date")
        }
        try expect(keyword: "FROM")
        let value = try expression()
        try expect(.closeParenthesis)
        return try node(.call("date_part", [part, value]), at: position, over: [part, value])
    }
}
