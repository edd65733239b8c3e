import LancerArrow
import LancerBytes

extension ExpressionChecker {
    /// A literal with the type it has by itself.
    func literal(_ syntax: Syntax) throws(LanceError) -> TypedExpression {
        guard let array = Self.literalArray(syntax) else { throw error("expected a literal", syntax.position) }
        return TypedExpression(type: array.type, node: .constant(array), position: syntax.position)
    }

    /// The value of a literal or signed number: integers are int64, uint64 above that, float64 beyond; nil for
    /// everything that is not a literal.
    static func literalArray(_ syntax: Syntax) -> ArrowArray? {
        switch syntax.kind {
        case .null: return ArrowArray.nulls(type: .null, length: 1)
        case .bool(let value): return .bool([value])
        case .text(let text): return .utf8([text])
        case .bytes(let bytes): return .binary([bytes])
        case .number(let digits): return number(digits)
        case .negate(let inner):
            guard case .number(let digits) = inner.kind else { return nil }
            return number("-" + digits)
        case .list(let items):
            var parts: [ArrowArray] = []
            for item in items {
                guard let part = literalArray(item) else { return nil }
                parts.append(part)
            }
            return listArray(parts)
        default: return nil
        }
    }

    private static func number(_ digits: String) -> ArrowArray? {
        if let value = Int64(digits) { return .int64([value]) }
        if let value = UInt64(digits) { return .uint64([value]) }
        let value = ArrowArray.utf8([digits])
        return try? value.withBytes(at: 0) { bytes throws(LanceError) in
            ArrowText.parseFloat(bytes).map { ArrowArray.float64([$0]) }
        }
    }

    /// One list of the items, brought to one type; nil when they have none in common.
    private static func listArray(_ parts: [ArrowArray]) -> ArrowArray? {
        var type = ArrowType.null
        for part in parts {
            guard let common = TypeCoercion.union(type, part.type) else { return nil }
            type = common
        }
        var items: [ArrowArray] = []
        for part in parts {
            guard let item = try? Casting.cast(part, to: type, .checked, .empty) else { return nil }
            items.append(item)
        }
        let child = items.isEmpty ? ArrowArray.empty(type) : try? ArrowArray.concatenating(items)
        return child.map { ArrowArray.list(of: $0, lengths: [$0.length]) }
    }

    /// The sides of a binary operator, by the rule for literals.
    mutating func operands(
        _ left: Syntax,
        _ right: Syntax,
        _ place: Place
    ) throws(LanceError) -> (TypedExpression, TypedExpression) {
        if place.isTop {
            if let path = try path(left) {
                let column = column(path, left.position)
                if let other = try coerced(right, to: column.type.plain, place) { return (column, other) }
            } else if let path = try path(right), Self.literalArray(left) != nil {
                let column = column(path, right.position)
                if let other = try coerced(left, to: column.type.plain, place) { return (other, column) }
            }
        }
        return (try check(left, place.below), try check(right, place.below))
    }

    /// A literal, or literals in an arithmetic, in a column's type; nil when it is neither or does not fit.
    mutating func coerced(
        _ syntax: Syntax,
        to type: ArrowType,
        _ place: Place
    ) throws(LanceError) -> TypedExpression? {
        if let literal = Self.literalArray(syntax) {
            guard let array = Self.coerce(literal, to: type) else { return nil }
            return TypedExpression(type: type, node: .constant(array), position: syntax.position)
        }
        guard case .arithmetic(let operation, let left, let right) = syntax.kind else { return nil }
        guard let one = try coercedTerm(left, to: type, place), let other = try coercedTerm(right, to: type, place)
        else { return nil }
        return try arithmetic(operation, one, other, syntax)
    }

    private mutating func coercedTerm(
        _ syntax: Syntax,
        to type: ArrowType,
        _ place: Place
    ) throws(LanceError) -> TypedExpression? {
        switch syntax.kind {
        case .arithmetic: return try coerced(syntax, to: type, place)
        case .interval: return nil
        default:
            if Self.literalArray(syntax) != nil { return try coerced(syntax, to: type, place) }
            return try check(syntax, place.below)
        }
    }

    /// A literal in a column's type, as far as the reference converts it; nil when it refuses.
    static func coerce(_ literal: ArrowArray, to type: ArrowType) -> ArrowArray? {
        if literal.type == type { return literal }
        if literal.type == .null { return ArrowArray.nulls(type: type, length: 1) }
        let fits: Bool
        switch literal.type {
        case .int64, .uint64:
            switch type {
            case .decimal128, .decimal256, .time32: fits = true
            default: fits = type.isInteger || type.isFloat
            }
        case .float64: fits = type.isFloat
        case .utf8: fits = type == .largeUtf8
        case .binary:
            switch type {
            case .largeBinary, .fixedSizeBinary: fits = true
            default: fits = false
            }
        case .list: fits = type.listItem != nil
        default: fits = false
        }
        guard fits, let array = try? Casting.cast(literal, to: type, .checked, .empty) else { return nil }
        // A number too large for a half becomes infinite, which the reference refuses.
        if type == .float16, case .float(let value) = array.value(at: 0), value.isInfinite,
            case .float(let original) = literal.value(at: 0) == .null ? .null : Self.double(literal), original.isFinite
        {
            return nil
        }
        return array
    }

    private static func double(_ literal: ArrowArray) -> ArrowValue {
        switch literal.value(at: 0) {
        case .int(let value): .float(Double(value))
        case .uint(let value): .float(Double(value))
        case let other: other
        }
    }
}
