import LancerArrow
import LancerBytes

/// An expression with names resolved and types settled: what the evaluator walks.
struct TypedExpression: Sendable {
    indirect enum Node: Sendable {
        /// A column, by its place in the list of columns the expression uses.
        case column(Int)
        /// A single value.
        case constant(ArrowArray)
        /// Operands of the same type.
        case compare(Comparison, TypedExpression, TypedExpression, joinsZeros: Bool)
        /// Never null: whether the operands differ, nulls being equal to each other.
        case distinct(TypedExpression, TypedExpression, isNegated: Bool, joinsZeros: Bool)
        /// Operands of the same type, which is the result's.
        case arithmetic(Arithmetic, TypedExpression, TypedExpression)
        /// Decimals of one width; the result's scale follows from theirs.
        case decimalArithmetic(Arithmetic, TypedExpression, TypedExpression)
        /// Differences and sums of dates, timestamps and durations, as integers of the units named by the operands.
        case temporalArithmetic(Arithmetic, TypedExpression, TypedExpression)
        case addInterval(TypedExpression, Interval, isNegated: Bool)
        case negate(TypedExpression)
        case not(TypedExpression)
        /// Kleene logic over any number of terms, from left to right; rows decided earlier are not evaluated further.
        case logical(Syntax.Logical, [TypedExpression])
        case test(Syntax.Test, TypedExpression, isNegated: Bool)
        case like(TypedExpression, pattern: TypedExpression, ignoringCase: Bool, isNegated: Bool)
        /// The value is converted to the types of the bounds before it is compared.
        case between(TypedExpression, low: TypedExpression, high: TypedExpression, isNegated: Bool)
        /// Value and items of one type.
        case inList(TypedExpression, [TypedExpression], isNegated: Bool)
        case cast(TypedExpression, CastMode)
        /// The first branch whose condition is true, or with a subject the first whose condition is equal to it.
        case choice(
            TypedExpression?,
            [(condition: TypedExpression, value: TypedExpression)],
            otherwise: TypedExpression?
        )
        /// The first value that is not null.
        case coalesce([TypedExpression])
        /// Member of a struct that is the result of an expression.
        case member(TypedExpression, Int)
        case makeList([TypedExpression])
        case call(FunctionCall, [TypedExpression])
    }

    var type: ArrowType
    var node: Node
    /// Where it was written, for errors met while evaluating.
    var position: Int

    var constant: ArrowArray? {
        if case .constant(let array) = node { return array }
        return nil
    }

    /// The boolean a literal says, or nil for everything else.
    var constantBool: Bool? {
        guard let constant, case .boolean(let bits) = constant.storage, !constant.isNull(0) else { return nil }
        return bits[0]
    }
}

/// A function with its argument types settled.
struct FunctionCall: Sendable {
    var name: String
    /// Whether some values of the arguments are errors, which rows that do not count must not be asked for.
    var canFail: Bool
    /// Computes the function; the arguments have the types the signature asked for.
    var body: @Sendable (FunctionArguments) throws(LanceError) -> ArrowArray
}

/// What a function gets.
struct FunctionArguments {
    var operands: [Operand]
    var rowCount: Int
    /// Type the result must have.
    var type: ArrowType
    var context: EvaluationContext

    subscript(index: Int) -> Operand { operands[index] }
    var count: Int { operands.count }
}

/// What happens to values that the target type cannot hold.
enum CastMode: Sendable {
    /// An error.
    case checked
    /// A null.
    case `try`
    /// The nearest value there is; for comparisons of values of different types.
    case saturating
}

extension TypedExpression {
    /// Whether evaluating it for a row can be an error.
    var canFail: Bool {
        switch node {
        case .column, .constant: return false
        case .arithmetic(let operation, let left, let right):
            let divides = operation == .divide || operation == .remainder
            return divides && !type.isFloat || left.canFail || right.canFail
        case .decimalArithmetic, .temporalArithmetic, .addInterval: return true
        case .cast(let value, let mode): return mode == .checked || value.canFail
        case .call(let call, let arguments): return call.canFail || arguments.contains(where: \.canFail)
        default: return children.contains(where: \.canFail)
        }
    }

    /// The expressions directly below.
    var children: [TypedExpression] {
        switch node {
        case .column, .constant: []
        case .compare(_, let left, let right, _), .distinct(let left, let right, _, _),
            .arithmetic(_, let left, let right),
            .decimalArithmetic(_, let left, let right), .temporalArithmetic(_, let left, let right):
            [left, right]
        case .addInterval(let value, _, _), .negate(let value), .not(let value), .test(_, let value, _),
            .cast(let value, _), .member(let value, _):
            [value]
        case .logical(_, let terms), .coalesce(let terms), .makeList(let terms), .call(_, let terms): terms
        case .like(let value, let pattern, _, _): [value, pattern]
        case .between(let value, let low, let high, _): [value, low, high]
        case .inList(let value, let items, _): [value] + items
        case .choice(let subject, let branches, let otherwise):
            (subject.map { [$0] } ?? []) + branches.flatMap { [$0.condition, $0.value] }
                + (otherwise.map { [$0] } ?? [])
        }
    }
}
