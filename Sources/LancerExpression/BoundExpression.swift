import LancerArrow
import LancerBytes

/// An expression read and checked against the columns of a table, ready to be computed for batches.
package struct BoundExpression: Sendable {
    /// What the expression is for.
    package enum Purpose: Sendable {
        /// A condition; anything that is not boolean is refused.
        case predicate
        /// A value of any type.
        case value
        /// A value to be stored in a column: converted to its type, and an error where that cannot hold it.
        case assignment(ArrowType)
    }

    /// Type of the result.
    package var type: ArrowType { root.type }
    /// Paths of the columns and struct fields it uses, in the order their arrays are given to ``evaluate(_:rowCount:)``.
    package let columns: [[String]]

    private let root: TypedExpression
    private let context: EvaluationContext

    /// Reads and checks an expression.
    ///
    /// - Parameters:
    ///   - now: The moment `now()` gives, in nanoseconds since 1970 UTC.
    ///   - zone: Finds the rules of named time zones.
    /// - Throws: `invalidArgument` that names the character, `limitExceeded`, `unsupported`.
    package init(
        _ text: String,
        schema: ArrowSchema,
        purpose: Purpose,
        now: Int64,
        zone: @escaping @Sendable (String) throws(LanceError) -> ZoneRules
    ) throws(LanceError) {
        let syntax = try Parser.parse(text)
        var checker = ExpressionChecker(schema: schema)
        switch purpose {
        case .predicate: root = try checker.predicate(syntax)
        case .value: root = try checker.value(syntax)
        case .assignment(let type): root = try checker.assignment(syntax, to: type)
        }
        columns = checker.columns
        context = EvaluationContext(now: now, zone: zone)
    }

    /// The value of a condition that is the same for every row; nil when it depends on the row or is no condition.
    package var constantCondition: Bool? {
        guard let constant = root.constant, root.type == .bool else { return nil }
        return constant.value(at: 0) == .bool(true)
    }

    /// The rows for which a condition is true (not false and not null).
    ///
    /// - Parameter columns: One array of `rowCount` values for each path of ``columns``.
    /// - Throws: `invalidArgument` for values that cannot be computed: a division by zero, a cast that does not fit.
    package func select(_ columns: [ArrowArray], rowCount: Int) throws(LanceError) -> Bitmap {
        try evaluator(columns, rowCount).truth(root).selection
    }

    /// The value for every row.
    ///
    /// - Parameter columns: One array of `rowCount` values for each path of ``columns``.
    /// - Throws: `invalidArgument` for values that cannot be computed.
    package func evaluate(_ columns: [ArrowArray], rowCount: Int) throws(LanceError) -> ArrowArray {
        try evaluator(columns, rowCount).evaluate(root).expanded(to: rowCount)
    }

    private func evaluator(_ columns: [ArrowArray], _ rowCount: Int) throws(LanceError) -> Evaluator {
        guard columns.count == self.columns.count, columns.allSatisfy({ $0.length == rowCount }) else {
            throw .schemaMismatch("\(columns.count) columns for an expression of \(self.columns.count)")
        }
        return Evaluator(columns: columns, rowCount: rowCount, context: context)
    }

    /// The arrays of ``columns`` in a batch of the schema the expression was checked against.
    ///
    /// - Throws: `notFound` when a column is missing.
    package func columns(of batch: RecordBatch) throws(LanceError) -> [ArrowArray] {
        var result: [ArrowArray] = []
        for path in columns { result.append(try Self.column(path, of: batch)) }
        return result
    }

    /// The array of a column or of a field of structs, null where one of these is.
    ///
    /// - Throws: `notFound` when it is missing.
    package static func column(_ path: [String], of batch: RecordBatch) throws(LanceError) -> ArrowArray {
        guard var array = path.first.flatMap({ batch.column($0) }) else {
            throw LanceError(.notFound, "there is no column \"\(path.first ?? "")\"")
        }
        for name in path.dropFirst() {
            guard let index = array.type.children.firstIndex(where: { $0.name == name }) else {
                throw LanceError(.notFound, "there is no field \"\(path.joined(separator: "."))\"")
            }
            array = array.member(index)
        }
        return array
    }
}
