import LancerArrow

extension ExpressionChecker {
    /// Whether an expression has a value in every row in which it is no error, as far as its shape tells.
    ///
    /// The reference takes `IS NULL` of such an expression for false before it looks at a row. That decides whether a
    /// condition is an error when an operand beside it cannot be computed, so the rules are the reference's.
    func isNeverNull(_ expression: TypedExpression) -> Bool {
        switch expression.node {
        case .column(let index): isRequired(columns[index])
        case .constant(let array): !array.isNull(0)
        case .test, .distinct: true
        case .coalesce(let values): values.contains(where: isNeverNull)
        case .compare, .arithmetic, .negate, .not, .logical, .like, .between, .inList:
            expression.children.allSatisfy(isNeverNull)
        case .cast(let value, let mode): mode != .try && isNeverNull(value)
        case .decimalArithmetic, .temporalArithmetic, .addInterval, .choice, .member, .makeList, .call: false
        }
    }

    /// Whether neither a column nor the structs on the way to it can be null.
    private func isRequired(_ path: [String]) -> Bool {
        var fields = schema.fields
        for name in path {
            guard let field = fields.first(where: { $0.name == name }), !field.nullable else { return false }
            if case .structure(let members) = field.type { fields = members } else { fields = [] }
        }
        return !path.isEmpty
    }
}
