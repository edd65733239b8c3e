import LancerArrow
import LancerBytes

extension ExpressionChecker {
    /// An operator on two numbers, dates or lengths of time.
    mutating func arithmetic(
        _ operation: Arithmetic,
        _ left: Syntax,
        _ right: Syntax,
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        if case .interval(let interval) = right.kind, operation == .add || operation == .subtract {
            return try step(try check(left, place.below), interval, isNegated: operation == .subtract, syntax)
        }
        if case .interval(let interval) = left.kind, operation == .add {
            return try step(try check(right, place.below), interval, isNegated: false, syntax)
        }
        let (one, other) = try operands(left, right, place)
        return try arithmetic(operation, one, other, syntax)
    }

    private func step(
        _ value: TypedExpression,
        _ interval: Interval,
        isNegated: Bool,
        _ syntax: Syntax
    ) throws(LanceError) -> TypedExpression {
        let value = try plain(value)
        switch value.type {
        case .date32 where interval.nanoseconds == 0, .timestamp:
            return fold(value.type, .addInterval(value, interval, isNegated: isNegated), syntax)
        case .date32, .date64:
            let moment = try cast(value, to: .timestamp(.nanosecond, timezone: nil), .checked, value.position)
            return fold(moment.type, .addInterval(moment, interval, isNegated: isNegated), syntax)
        default: throw error("an interval cannot be added to \(value.type.shortName)", syntax.position)
        }
    }

    /// The same on checked values.
    func arithmetic(
        _ operation: Arithmetic,
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ syntax: Syntax
    ) throws(LanceError) -> TypedExpression {
        let one = try plain(left)
        let other = try plain(right)
        if one.type.isTemporal || other.type.isTemporal {
            return try temporal(operation, one, other, syntax)
        }
        let isNull = one.type == .null || other.type == .null
        guard isNull || one.type.isNumeric && other.type.isNumeric else {
            throw mismatch(operation, one, other, syntax.position)
        }
        guard
            let type = isNull
                ? TypeCoercion.union(one.type, other.type)
                : TypeCoercion.numeric(one.type, other.type, forComparison: false)
        else { throw mismatch(operation, one, other, syntax.position) }
        if type == .null {
            return fold(.null, .cast(one, .saturating), syntax)
        }
        guard isNull ? type.isNumeric || type == .null : true else {
            throw mismatch(operation, one, other, syntax.position)
        }
        if operation.isBitwise {
            guard type.isInteger else { throw mismatch(operation, one, other, syntax.position) }
        }
        if type.isDecimal { return try decimal(operation, one, other, syntax) }
        let first = try cast(one, to: type, .checked, one.position)
        let second = try cast(other, to: type, .checked, other.position)
        return fold(type, .arithmetic(operation, first, second), syntax)
    }

    private func mismatch(
        _ operation: Arithmetic,
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ position: Int
    ) -> LanceError {
        error(
            "\(operation.rawValue) does not work on \(left.type.shortName) and \(right.type.shortName); cast them",
            position
        )
    }

    private func decimal(
        _ operation: Arithmetic,
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ syntax: Syntax
    ) throws(LanceError) -> TypedExpression {
        var sides: [TypedExpression] = []
        var digits: [(precision: Int, scale: Int)] = []
        for side in [left, right] {
            if side.type.isWideDecimal {
                throw LanceError(
                    .unsupported,
                    "at character \(syntax.position): arithmetic on decimal256; cast to decimal(38, n) or double"
                )
            }
            if case .decimal128(let precision, let scale) = side.type, scale >= 0 {
                sides.append(side)
                digits.append((precision, scale))
            } else {
                let wanted = TypeCoercion.decimal(of: side.type) ?? (20, 0)
                let precision = Swift.min(38, wanted.precision - Swift.min(wanted.scale, 0))
                let type = ArrowType.decimal128(precision: precision, scale: 0)
                sides.append(try cast(side, to: type, .checked, side.position))
                digits.append((precision, 0))
            }
        }
        guard let type = DecimalKernels.resultType(operation, digits[0], digits[1]) else {
            throw mismatch(operation, left, right, syntax.position)
        }
        return fold(type, .decimalArithmetic(operation, sides[0], sides[1]), syntax)
    }

    private func temporal(
        _ operation: Arithmetic,
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ syntax: Syntax
    ) throws(LanceError) -> TypedExpression {
        guard let types = TemporalKernels.types(operation, left.type, right.type) else {
            throw mismatch(operation, left, right, syntax.position)
        }
        let one = try cast(left, to: types.left, .checked, left.position)
        let other = try cast(right, to: types.right, .checked, right.position)
        return fold(types.result, .temporalArithmetic(operation, one, other), syntax)
    }
}
