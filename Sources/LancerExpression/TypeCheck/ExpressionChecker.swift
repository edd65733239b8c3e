import LancerArrow
import LancerBytes

/// Looks up the names of an expression and settles the types.
///
/// The rule for literals is the reference's: where a column meets a literal on the way of ANDs and ORs from the top,
/// the literal takes the column's type (`f32 = 0.1` compares single floats); anywhere deeper both are widened to a
/// common type (there `0.1` stays a double). Where the reference refuses a literal that does not fit (`i8 < 300`,
/// `i = 1.5`), the ordinary widening applies here.
struct ExpressionChecker {
    /// Where in the expression a part stands.
    struct Place {
        /// Only ANDs and ORs are above.
        var isTop: Bool
        /// In the arguments of a function, where literals of time are nanoseconds.
        var isArgument: Bool

        static let top = Place(isTop: true, isArgument: false)
        var below: Place { Place(isTop: false, isArgument: isArgument) }
        static let argument = Place(isTop: false, isArgument: true)
    }

    let schema: ArrowSchema
    /// Paths of the columns used, in the order met.
    private(set) var columns: [[String]] = []

    init(schema: ArrowSchema) { self.schema = schema }

    // MARK: Errors

    func error(_ message: String, _ position: Int) -> LanceError {
        .invalidArgument("at character \(position): \(message)")
    }

    // MARK: Whole expressions

    /// A condition: the result is boolean.
    mutating func predicate(_ syntax: Syntax) throws(LanceError) -> TypedExpression {
        let result = try check(syntax, .top)
        guard result.type.plain == .bool || result.type == .null || Self.isRegexMatch(result) else {
            throw error("the condition is \(result.type.shortName), expected true or false", syntax.position)
        }
        return try condition(result)
    }

    /// A value of any type.
    mutating func value(_ syntax: Syntax) throws(LanceError) -> TypedExpression { try check(syntax, .top) }

    /// A value in the type of the column that is to hold it.
    mutating func assignment(_ syntax: Syntax, to type: ArrowType) throws(LanceError) -> TypedExpression {
        let value = try check(syntax, .top)
        if value.type == type { return value }
        guard Casting.isPossible(value.type, type.plain) else {
            throw error("\(value.type.shortName) cannot become \(type.shortName)", syntax.position)
        }
        // Not folded: a constant that does not fit is an error only when there is a row to hold it.
        let plain = TypedExpression(type: type.plain, node: .cast(value, .checked), position: syntax.position)
        if type.plain == type { return plain }
        return TypedExpression(type: type, node: .cast(plain, .checked), position: syntax.position)
    }

    /// Checks any part.
    mutating func check(_ syntax: Syntax, _ place: Place) throws(LanceError) -> TypedExpression {
        switch syntax.kind {
        case .null, .bool, .number, .text, .bytes: return try literal(syntax)
        case .name, .member, .subscripted: return try reference(syntax, place)
        case .list(let items): return try list(items, syntax, place)
        case .not(let inner):
            return fold(.bool, .not(try condition(try check(inner, place.below))), syntax)
        case .negate(let inner): return try negate(inner, syntax, place)
        case .plus(let inner):
            let value = try check(inner, place.below)
            guard value.type.isNumeric else {
                throw error("+ needs a number, found \(value.type.shortName)", syntax.position)
            }
            return value
        case .logical(let kind, let terms): return try logical(kind, terms, syntax, place)
        case .compare(let comparison, let left, let right):
            let (one, other) = try operands(left, right, place)
            return try compare(comparison, one, other, syntax)
        case .arithmetic(let operation, let left, let right):
            return try arithmetic(operation, left, right, syntax, place)
        case .concat(let left, let right):
            return try concat(try check(left, place.below), try check(right, place.below), syntax)
        case .test(let test, let inner, let isNegated):
            var value = try check(inner, place.below)
            value = test == .null ? try plain(value) : try condition(value)
            return fold(.bool, .test(test, value, isNegated: isNegated), syntax)
        case .distinct(let left, let right, let isNegated): return try distinct(left, right, isNegated, syntax, place)
        case .like(let value, let pattern, let ignoringCase, let isNegated):
            let text = try self.text(try check(value, place.below), "LIKE")
            let shape = try self.text(try check(pattern, place.below), "LIKE")
            return fold(.bool, .like(text, pattern: shape, ignoringCase: ignoringCase, isNegated: isNegated), syntax)
        case .between(let value, let low, let high, let isNegated):
            return try between(value, low, high, isNegated, syntax, place)
        case .inList(let value, let items, let isNegated): return try inList(value, items, isNegated, syntax, place)
        case .cast(let inner, let name, let isTry):
            let type = type(named: name, place)
            return try cast(
                try plain(try check(inner, place.below)),
                to: type,
                isTry ? .try : .checked,
                syntax.position
            )
        case .choice(let operand, let branches, let otherwise):
            return try choice(operand, branches, otherwise, syntax, place)
        case .call(let name, let arguments): return try call(name, arguments, syntax, place)
        case .interval:
            throw error("an interval can only be added to or taken from a date or timestamp", syntax.position)
        }
    }

    func type(named name: TypeName, _ place: Place) -> ArrowType {
        switch name {
        case .arrow(let type): type
        case .timestamp: .timestamp(place.isArgument ? .nanosecond : .microsecond, timezone: nil)
        }
    }

    // MARK: Columns

    /// A column or field of a struct, an item of a list, or a word that stands for a function.
    private mutating func reference(_ syntax: Syntax, _ place: Place) throws(LanceError) -> TypedExpression {
        if let path = try path(syntax) { return column(path, syntax.position) }
        switch syntax.kind {
        case .member(let base, let name): return try member(try check(base, place.below), name, syntax.position)
        case .subscripted(let base, let index):
            let value = try check(base, place.below)
            if case .structure = value.type, case .text(let name) = index.kind {
                return try member(value, name, syntax.position)
            }
            return try call("array_element", [value, try check(index, place.below)], syntax.position)
        case .name(let name, _): return try call(name.lowercased(), [], syntax, place)
        default: throw error("expected a column", syntax.position)
        }
    }

    private func member(_ base: TypedExpression, _ name: String, _ position: Int) throws(LanceError) -> TypedExpression
    {
        guard case .structure(let fields) = base.type else {
            throw error("\(base.type.shortName) has no field \"\(name)\"", position)
        }
        guard let index = fields.firstIndex(where: { $0.name == name }) else {
            throw error(Self.missing("field", name, fields.map(\.name)), position)
        }
        return TypedExpression(type: fields[index].type, node: .member(base, index), position: position)
    }

    /// The path of a column or struct field, or nil when the expression is something else.
    ///
    /// - Throws: `invalidArgument` when it looks like one and does not exist.
    mutating func path(_ syntax: Syntax) throws(LanceError) -> [String]? {
        switch syntax.kind {
        case .name(let name, let isQuoted):
            if let field = schema.fields.first(where: { $0.name == name }) { return [field.name] }
            if isQuoted { throw error(missingColumn(name), syntax.position) }
            if let field = schema.fields.first(where: { Self.equalIgnoringASCIICase($0.name, name) }) {
                return [field.name]
            }
            if FunctionCatalog.wordsWithoutParentheses.contains(name.lowercased()) { return nil }
            throw error(missingColumn(name), syntax.position)
        case .member(let base, let name): return try path(base, name, syntax.position)
        case .subscripted(let base, let index):
            guard case .text(let name) = index.kind else { return nil }
            return try path(base, name, syntax.position)
        case .call("get_field", let arguments):
            guard arguments.count == 2, case .text(let name) = arguments[1].kind else { return nil }
            return try path(arguments[0], name, syntax.position)
        default: return nil
        }
    }

    private mutating func path(_ base: Syntax, _ name: String, _ position: Int) throws(LanceError) -> [String]? {
        guard let path = try path(base) else { return nil }
        guard case .structure(let fields) = type(of: path) else {
            if case .map = type(of: path) { return nil }
            throw error("\"\(path.joined(separator: "."))\" is no struct and has no field \"\(name)\"", position)
        }
        guard fields.contains(where: { $0.name == name }) else {
            throw error(Self.missing("field", name, fields.map(\.name)), position)
        }
        return path + [name]
    }

    private static func equalIgnoringASCIICase(_ left: String, _ right: String) -> Bool {
        func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 0x20 : byte }
        return left.utf8.count == right.utf8.count && zip(left.utf8, right.utf8).allSatisfy { lower($0) == lower($1) }
    }

    private func missingColumn(_ name: String) -> String { Self.missing("column", name, schema.fields.map(\.name)) }

    private static func missing(_ what: String, _ name: String, _ names: [String]) -> String {
        let list = names.prefix(20).joined(separator: ", ")
        return "there is no \(what) \"\(name)\"; there are: \(list)\(names.count > 20 ? ", …" : "")"
    }

    private func type(of path: [String]) -> ArrowType {
        var fields = schema.fields
        var type = ArrowType.null
        for name in path {
            guard let field = fields.first(where: { $0.name == name }) else { return .null }
            type = field.type
            if case .structure(let members) = type { fields = members } else { fields = [] }
        }
        return type
    }

    /// A column in the list of those that are used.
    mutating func column(_ path: [String], _ position: Int) -> TypedExpression {
        let index: Int
        if let known = columns.firstIndex(of: path) {
            index = known
        } else {
            index = columns.count
            columns.append(path)
        }
        return TypedExpression(type: type(of: path), node: .column(index), position: position)
    }

    // MARK: Common conversions

    /// The expression with a dictionary replaced by its values.
    func plain(_ value: TypedExpression) throws(LanceError) -> TypedExpression {
        guard case .dictionary = value.type else { return value }
        return TypedExpression(type: value.type.plain, node: .cast(value, .saturating), position: value.position)
    }

    /// The expression as a boolean.
    func condition(_ value: TypedExpression) throws(LanceError) -> TypedExpression {
        if value.type == .bool { return value }
        if Self.isRegexMatch(value) {
            return TypedExpression(type: .bool, node: .test(.null, value, isNegated: true), position: value.position)
        }
        let value = try plain(value)
        if value.type == .null { return try cast(value, to: .bool, .checked, value.position) }
        guard value.type == .bool else {
            throw error("expected true or false, found \(value.type.shortName)", value.position)
        }
        return value
    }

    private static func isRegexMatch(_ value: TypedExpression) -> Bool {
        if case .call(let call, _) = value.node { return call.name == "regexp_match" }
        return false
    }

    func text(_ value: TypedExpression, _ what: String) throws(LanceError) -> TypedExpression {
        let value = try plain(value)
        if value.type == .null { return try cast(value, to: .utf8, .checked, value.position) }
        guard value.type.isText else {
            throw error("\(what) needs text, found \(value.type.shortName)", value.position)
        }
        return value
    }

    /// The expression in another type, without a node when the memory is the same or serves as well.
    func cast(
        _ value: TypedExpression,
        to type: ArrowType,
        _ mode: CastMode,
        _ position: Int
    ) throws(LanceError) -> TypedExpression {
        if value.type == type { return value }
        guard Casting.isPossible(value.type, type) else {
            throw error("\(value.type.shortName) cannot become \(type.shortName)", position)
        }
        let mode: CastMode = Casting.isLossless(value.type, type) ? .saturating : mode
        return fold(TypedExpression(type: type, node: .cast(value, mode), position: position))
    }

    /// Evaluates what has no column in it.
    func fold(_ type: ArrowType, _ node: TypedExpression.Node, _ syntax: Syntax) -> TypedExpression {
        fold(TypedExpression(type: type, node: node, position: syntax.position))
    }

    func fold(_ expression: TypedExpression) -> TypedExpression {
        if case .test(.null, let value, let isNegated) = expression.node, isNeverNull(value) {
            return TypedExpression(
                type: .bool,
                node: .constant(.bool([isNegated])),
                position: expression.position
            )
        }
        guard !expression.children.isEmpty, expression.children.allSatisfy({ $0.constant != nil }) else {
            return expression
        }
        if case .call(let call, _) = expression.node, FunctionCatalog.isVolatile(call.name) { return expression }
        // What fails may stand in a branch that is never taken.
        guard let array = try? Evaluator.constant(expression) else { return expression }
        return TypedExpression(type: expression.type, node: .constant(array), position: expression.position)
    }
}
