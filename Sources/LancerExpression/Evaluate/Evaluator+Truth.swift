import LancerArrow
import LancerBytes

extension Evaluator {
    /// Computes a boolean expression.
    func truth(_ expression: TypedExpression) throws(LanceError) -> Truth {
        switch expression.node {
        case .logical(let kind, let terms): return try logical(kind, terms)
        case .not(let inner): return try truth(inner).negated
        case .test(let test, let inner, let isNegated):
            let result = try self.test(test, inner)
            return isNegated ? result.negated : result
        case .compare(let comparison, let left, let right, let joinsZeros):
            let one = try evaluate(left)
            let other = try evaluate(right)
            return try compare(comparison, one, other, joinsZeros: joinsZeros)
        case .distinct(let left, let right, let isNegated, let joinsZeros):
            let result = try distinct(try evaluate(left), try evaluate(right), joinsZeros: joinsZeros)
            return isNegated ? result.negated : result
        case .between(let value, let low, let high, let isNegated):
            let operand = try evaluate(value)
            let above = try bound(.greaterOrEqual, operand, low)
            let result = above.and(try bound(.lessOrEqual, operand, high))
            return isNegated ? result.negated : result
        case .inList(let value, let items, let isNegated):
            let result = try inList(try evaluate(value), items)
            return isNegated ? result.negated : result
        case .like(let value, let pattern, let ignoringCase, let isNegated):
            let text = try evaluate(value)
            let shape = try evaluate(pattern)
            let result = try LikeKernel.match(text, shape, ignoringCase: ignoringCase, count: rowCount)
            return isNegated ? result.negated : result
        default: return Truth(try evaluate(expression), count: rowCount)
        }
    }

    private func logical(_ kind: Syntax.Logical, _ terms: [TypedExpression]) throws(LanceError) -> Truth {
        // OR is AND of the negated: everything below speaks of AND.
        let isOr = kind == .or
        var result: Truth?
        for term in terms {
            guard let sofar = result else {
                let first = try truth(term)
                result = isOr ? first.negated : first
                continue
            }
            let open = BitWords.bitmap(sofar.isFalse.map { ~$0 }, count: rowCount)
            let openCount = open.setCount
            if openCount == 0 { break }
            var next: Truth
            if openCount < rowCount, term.canFail || openCount <= rowCount / 8 {
                next = try filtered(open, for: [term]).truth(term).scattered(to: open)
            } else {
                next = try truth(term)
            }
            if isOr { next = next.negated }
            result = sofar.and(next)
        }
        guard let result else { return Truth(repeating: !isOr, count: rowCount) }
        return isOr ? result.negated : result
    }

    private func test(_ test: Syntax.Test, _ inner: TypedExpression) throws(LanceError) -> Truth {
        let bits: [UInt64]
        switch test {
        case .null:
            let operand = try evaluate(inner)
            if operand.isConstant { return Truth(repeating: operand.array.isNull(0), count: rowCount) }
            let valid = BitWords.validity(operand.array) ?? BitWords.repeating(true, count: rowCount)
            bits = valid.map { ~$0 }
        case .true: bits = try truth(inner).isTrue
        case .false: bits = try truth(inner).isFalse
        }
        return Truth(bits, valid: nil, count: rowCount)
    }

    private func compare(
        _ comparison: Comparison,
        _ left: Operand,
        _ right: Operand,
        joinsZeros: Bool
    ) throws(LanceError) -> Truth {
        try ComparisonKernels.compare(comparison, left, right, rowCount, joinsZeros: joinsZeros)
    }

    private func bound(
        _ comparison: Comparison,
        _ value: Operand,
        _ bound: TypedExpression
    ) throws(LanceError) -> Truth {
        let other = try evaluate(bound)
        let own = try Casting.matching(value, other.type, context)
        return try compare(comparison, own, other, joinsZeros: ExpressionChecker.isZero(bound))
    }

    private func distinct(_ left: Operand, _ right: Operand, joinsZeros: Bool) throws(LanceError) -> Truth {
        let differs = try compare(.notEqual, left, right, joinsZeros: joinsZeros)
        let one = validWords(left)
        let other = validWords(right)
        let unlike = BitWords.combine(one, other) { $0 ^ $1 }
        return Truth(BitWords.combine(differs.isTrue, unlike) { $0 | $1 }, valid: nil, count: rowCount)
    }

    private func validWords(_ operand: Operand) -> [UInt64] {
        if operand.isConstant { return BitWords.repeating(!operand.array.isNull(0), count: rowCount) }
        return BitWords.validity(operand.array) ?? BitWords.repeating(true, count: rowCount)
    }

    /// Found, or not found and no null among the items; else null.
    private func inList(_ value: Operand, _ items: [TypedExpression]) throws(LanceError) -> Truth {
        let constants = items.compactMap(\.constant)
        if constants.count == items.count, items.count > 8, let set = try MembershipSet(constants) {
            return try set.contains(value, count: rowCount)
        }
        var result = Truth(repeating: false, count: rowCount)
        for item in items {
            let operand = try evaluate(item)
            let found = try compare(.equal, value, operand, joinsZeros: ExpressionChecker.isZero(item))
            result = result.or(found)
        }
        return result
    }
}

extension Truth {
    /// The values of the set rows put back where they were; the others are null.
    func scattered(to rows: Bitmap) -> Truth {
        var result = Truth(repeating: nil, count: rows.count)
        var index = 0
        rows.forEachSetRun { run in
            for row in run {
                let bit: UInt64 = 1 &<< UInt64(row & 63)
                if isTrue[index >> 6] &>> UInt64(index & 63) & 1 == 1 { result.isTrue[row >> 6] |= bit }
                if isFalse[index >> 6] &>> UInt64(index & 63) & 1 == 1 { result.isFalse[row >> 6] |= bit }
                index += 1
            }
        }
        return result
    }
}
