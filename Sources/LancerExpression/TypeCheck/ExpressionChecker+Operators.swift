import LancerArrow
import LancerBytes

extension ExpressionChecker {
    /// AND or OR. A literal that decides the whole makes it that literal.
    mutating func logical(
        _ kind: Syntax.Logical,
        _ terms: [Syntax],
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        var checked: [TypedExpression] = []
        for term in terms { checked.append(try condition(try check(term, place))) }
        let deciding = kind == .or
        if let decision = checked.first(where: { $0.constantBool == deciding }) { return decision }
        return fold(.bool, .logical(kind, checked), syntax)
    }

    /// A comparison of two checked values.
    func compare(
        _ comparison: Comparison,
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ syntax: Syntax
    ) throws(LanceError) -> TypedExpression {
        let (one, other) = try matched(left, right, comparison.rawValue, syntax.position)
        let joins = Self.isZero(one) || Self.isZero(other)
        return fold(.bool, .compare(comparison, one, other, joinsZeros: joins), syntax)
    }

    /// Both values in a common type.
    func matched(
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ what: String,
        _ position: Int
    ) throws(LanceError) -> (TypedExpression, TypedExpression) {
        let (one, other) = (try cut(try plain(left), like: right), try cut(try plain(right), like: left))
        guard let type = TypeCoercion.comparison(one.type, other.type) else {
            throw error(
                "\(one.type.shortName) and \(other.type.shortName) cannot be compared (\(what)); cast one of them",
                position
            )
        }
        return (try coerced(one, to: type), try coerced(other, to: type))
    }

    /// A constant time without what is finer than the unit of the times it is compared with. The reference does so, towards
    /// 1970: a column of seconds is equal to a literal with a fraction of a second.
    func cut(_ value: TypedExpression, like other: TypedExpression) throws(LanceError) -> TypedExpression {
        guard value.constant != nil, other.constant == nil, case .timestamp(let fine, let zone) = value.type,
            case .timestamp(let coarse, _) = other.type, fine.perSecond > coarse.perSecond
        else { return value }
        return try cast(value, to: .timestamp(coarse, timezone: zone), .checked, value.position)
    }

    /// A value in the type of a comparison; text and binary of all kinds are compared as they are.
    func coerced(_ value: TypedExpression, to type: ArrowType) throws(LanceError) -> TypedExpression {
        if value.type.isBytes, type.isBytes { return value }
        // Text that is no number is an error; a number beyond the other's range is just larger than all of those.
        return try cast(value, to: type, value.type.isText ? .checked : .saturating, value.position)
    }

    /// Whether this is a literal zero: it is equal to both floating zeros.
    static func isZero(_ value: TypedExpression) -> Bool {
        guard let constant = value.constant, value.type.isFloat, case .float(let number) = constant.value(at: 0) else {
            return false
        }
        return number == 0
    }

    /// `IS [NOT] DISTINCT FROM`.
    mutating func distinct(
        _ left: Syntax,
        _ right: Syntax,
        _ isNegated: Bool,
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        let value = try plain(try check(left, place.below))
        let leftPath = try path(left)
        let isColumn = place.isTop && leftPath != nil
        return try distinct(value, right, isNegated, isColumn: isColumn, syntax, place)
    }

    /// The parser gives everything that follows to the right side, as the reference does. Where that makes no sense,
    /// since the left side is not boolean, its ANDs and ORs are taken out again, as the SQL standard has it.
    private mutating func distinct(
        _ value: TypedExpression,
        _ right: Syntax,
        _ isNegated: Bool,
        isColumn: Bool,
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        if case .logical(let kind, let terms) = right.kind, !right.isParenthesized, value.type != .bool {
            var checked = [try distinct(value, terms[0], isNegated, isColumn: isColumn, syntax, place)]
            for term in terms.dropFirst() { checked.append(try condition(try check(term, place))) }
            return fold(.bool, .logical(kind, checked), syntax)
        }
        let literal = isColumn ? try coerced(right, to: value.type, place) : nil
        let other: TypedExpression
        if let literal { other = literal } else { other = try check(right, place.below) }
        let pair = try matched(value, other, "IS DISTINCT FROM", syntax.position)
        let joins = Self.isZero(pair.0) || Self.isZero(pair.1)
        return fold(.bool, .distinct(pair.0, pair.1, isNegated: isNegated, joinsZeros: joins), syntax)
    }

    /// `[NOT] BETWEEN`.
    mutating func between(
        _ value: Syntax,
        _ low: Syntax,
        _ high: Syntax,
        _ isNegated: Bool,
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        let subject = try plain(try check(value, place.below))
        var bounds: [TypedExpression] = []
        for bound in [low, high] {
            if place.isTop, try path(value) != nil, let literal = try coerced(bound, to: subject.type, place) {
                bounds.append(literal)
            } else {
                bounds.append(try check(bound, place.below))
            }
        }
        for index in bounds.indices {
            let (_, bound) = try matched(subject, bounds[index], "BETWEEN", syntax.position)
            bounds[index] = bound
        }
        return fold(.bool, .between(subject, low: bounds[0], high: bounds[1], isNegated: isNegated), syntax)
    }

    /// `[NOT] IN`.
    mutating func inList(
        _ value: Syntax,
        _ items: [Syntax],
        _ isNegated: Bool,
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        let subject = try plain(try check(value, place.below))
        var isColumn = false
        if case .name = value.kind { isColumn = true }
        var checked: [TypedExpression] = []
        for item in items {
            if place.isTop, isColumn, let literal = try coerced(item, to: subject.type, place) {
                checked.append(literal)
            } else {
                checked.append(try plain(try check(item, place.below)))
            }
        }
        if checked.allSatisfy({ $0.constant != nil }) {
            for index in checked.indices { checked[index] = try cut(checked[index], like: subject) }
        }
        var type = subject.type
        for item in checked {
            guard let common = TypeCoercion.comparison(type, item.type) else {
                throw error(
                    "\(subject.type.shortName) and \(item.type.shortName) cannot be compared (IN); cast one of them",
                    item.position
                )
            }
            type = common
        }
        let coercedSubject = try coerced(subject, to: type)
        var coercedItems: [TypedExpression] = []
        for item in checked { coercedItems.append(try coerced(item, to: type)) }
        return fold(.bool, .inList(coercedSubject, coercedItems, isNegated: isNegated), syntax)
    }

    /// A sign.
    mutating func negate(_ inner: Syntax, _ syntax: Syntax, _ place: Place) throws(LanceError) -> TypedExpression {
        if let array = Self.literalArray(syntax) {
            return TypedExpression(type: array.type, node: .constant(array), position: syntax.position)
        }
        let value = try plain(try check(inner, place.below))
        switch value.type {
        case .null, .int8, .int16, .int32, .int64, .float16, .float32, .float64, .decimal128, .duration:
            return fold(value.type, .negate(value), syntax)
        case .uint8, .uint16, .uint32:
            // The reference refuses unsigned numbers here; widened, their negation is exact.
            let type = TypeCoercion.numeric(value.type, .int8, forComparison: false) ?? .int64
            return fold(type, .negate(try cast(value, to: type, .checked, value.position)), syntax)
        default: throw error("- needs a number, found \(value.type.shortName)", syntax.position)
        }
    }

    /// `||`: text of both sides, null where one is.
    mutating func concat(
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ syntax: Syntax
    ) throws(LanceError) -> TypedExpression {
        let sides = [try plain(left), try plain(right)]
        if sides.allSatisfy({ $0.type.listItem != nil }) { return try call("array_concat", sides, syntax.position) }
        return try call("||", sides, syntax.position)
    }

    /// CASE.
    mutating func choice(
        _ operand: Syntax?,
        _ branches: [Syntax.Branch],
        _ otherwise: Syntax?,
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        let subject = try operand.map { operand throws(LanceError) in try plain(try check(operand, place.below)) }
        var pairs: [(condition: TypedExpression, value: TypedExpression)] = []
        for branch in branches {
            var condition = try check(branch.condition, place.below)
            if let subject {
                condition = try matched(subject, condition, "CASE", branch.condition.position).1
            } else {
                condition = try self.condition(condition)
            }
            pairs.append((condition, try plain(try check(branch.value, place.below))))
        }
        var rest = try otherwise.map { value throws(LanceError) in try plain(try check(value, place.below)) }
        let type = try unionType(pairs.map(\.value) + (rest.map { [$0] } ?? []), "CASE", syntax.position)
        for index in pairs.indices {
            pairs[index].value = try cast(pairs[index].value, to: type, .checked, syntax.position)
        }
        rest = try rest.map { value throws(LanceError) in try cast(value, to: type, .checked, syntax.position) }
        return fold(type, .choice(subject, pairs, otherwise: rest), syntax)
    }

    /// The one type of several values.
    func unionType(
        _ values: [TypedExpression],
        _ what: String,
        _ position: Int
    ) throws(LanceError) -> ArrowType {
        var type = ArrowType.null
        for value in values {
            guard let common = TypeCoercion.union(type, value.type) else {
                throw error(
                    "\(what) has values of types \(type.shortName) and \(value.type.shortName); cast one of them",
                    position
                )
            }
            type = common
        }
        return type
    }

    /// `[1, 2]`, `[a, b]`.
    mutating func list(_ items: [Syntax], _ syntax: Syntax, _ place: Place) throws(LanceError) -> TypedExpression {
        if let array = Self.literalArray(syntax) {
            return TypedExpression(type: array.type, node: .constant(array), position: syntax.position)
        }
        var values: [TypedExpression] = []
        for item in items { values.append(try plain(try check(item, place.below))) }
        let type = try unionType(values, "the list", syntax.position)
        for index in values.indices {
            values[index] = try cast(values[index], to: type, .checked, syntax.position)
        }
        return fold(.list(ArrowField("item", type)), .makeList(values), syntax)
    }
}
