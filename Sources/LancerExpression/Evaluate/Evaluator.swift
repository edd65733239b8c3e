import LancerArrow
import LancerBytes

/// Computes an expression for all rows of a batch at once.
///
/// Rows are not asked for what could be an error once they are decided: the later terms of AND and OR, the branches of
/// CASE and the later arguments of coalesce see only the rows that still need them.
struct Evaluator {
    /// The columns the expression uses, in the checker's order.
    let columns: [ArrowArray]
    let rowCount: Int
    let context: EvaluationContext

    /// The value of an expression without columns, as an array of one.
    static func constant(_ expression: TypedExpression) throws(LanceError) -> ArrowArray {
        try Evaluator(columns: [], rowCount: 1, context: .empty).evaluate(expression).expanded(to: 1)
    }

    /// Computes any expression.
    func evaluate(_ expression: TypedExpression) throws(LanceError) -> Operand {
        switch expression.node {
        case .column(let index): return Operand(array: columns[index])
        case .constant(let array): return Operand(array: array, isConstant: true)
        case .compare, .distinct, .not, .logical, .test, .like, .between, .inList:
            return Operand(array: try truth(expression).array)
        case .arithmetic(let operation, let left, let right):
            return try pairwise(left, right) { one, other, count throws(LanceError) in
                try ArithmeticKernels.apply(operation, one, other, count: count)
            }
        case .decimalArithmetic(let operation, let left, let right):
            return try pairwise(left, right) { one, other, count throws(LanceError) in
                try DecimalKernels.apply(operation, one, other, count: count, type: expression.type)
            }
        case .temporalArithmetic(let operation, let left, let right):
            return try pairwise(left, right) { one, other, count throws(LanceError) in
                try TemporalKernels.apply(operation, one, other, count: count, type: expression.type)
            }
        case .addInterval(let value, let interval, let isNegated):
            return try mapped(value) { array throws(LanceError) in
                try TemporalKernels.add(interval, isNegated: isNegated, to: array, context)
            }
        case .negate(let value):
            return try mapped(value) { array throws(LanceError) in try ArithmeticKernels.negate(array) }
        case .cast(let value, let mode):
            return try mapped(value) { array throws(LanceError) in
                do throws(LanceError) {
                    return try Casting.cast(array, to: expression.type, mode, context)
                } catch {
                    throw LanceError(error.code, "at character \(expression.position): \(error.message)")
                }
            }
        case .member(let value, let index): return try mapped(value) { array in array.member(index) }
        case .choice(let subject, let branches, let otherwise):
            return try choice(subject, branches, otherwise, expression.type)
        case .coalesce(let values): return try coalesce(values, expression.type)
        case .makeList(let values): return try makeList(values, expression.type)
        case .call(let call, let arguments):
            var operands: [Operand] = []
            for argument in arguments { operands.append(try evaluate(argument)) }
            let isConstant = !operands.isEmpty && operands.allSatisfy(\.isConstant)
            let input = FunctionArguments(
                operands: operands,
                rowCount: isConstant ? 1 : rowCount,
                type: expression.type,
                context: context
            )
            return Operand(array: try call.body(input), isConstant: isConstant)
        }
    }

    private func mapped(
        _ value: TypedExpression,
        _ body: (ArrowArray) throws(LanceError) -> ArrowArray
    ) throws(LanceError) -> Operand {
        let operand = try evaluate(value)
        return Operand(array: try body(operand.array), isConstant: operand.isConstant)
    }

    private func pairwise(
        _ left: TypedExpression,
        _ right: TypedExpression,
        _ body: (Operand, Operand, Int) throws(LanceError) -> ArrowArray
    ) throws(LanceError) -> Operand {
        let one = try evaluate(left)
        let other = try evaluate(right)
        let isConstant = one.isConstant && other.isConstant
        return Operand(array: try body(one, other, isConstant ? 1 : rowCount), isConstant: isConstant)
    }

    /// An evaluator of the rows whose bit is set, with the columns that `expressions` use.
    func filtered(_ selection: Bitmap, for expressions: [TypedExpression]) throws(LanceError) -> Evaluator {
        var used: Set<Int> = []
        for expression in expressions { expression.collectColumns(&used) }
        var kept: [ArrowArray] = []
        for (index, column) in columns.enumerated() {
            kept.append(used.contains(index) ? try column.filter(selection) : column)
        }
        return Evaluator(columns: kept, rowCount: selection.setCount, context: context)
    }

    // MARK: Values chosen by row

    private func choice(
        _ subject: TypedExpression?,
        _ branches: [(condition: TypedExpression, value: TypedExpression)],
        _ otherwise: TypedExpression?,
        _ type: ArrowType
    ) throws(LanceError) -> Operand {
        var chooser = RowChooser(rowCount: rowCount, type: type)
        let operand = try subject.map { subject throws(LanceError) in try evaluate(subject) }
        for branch in branches {
            guard let open = chooser.open else { break }
            let part = try filtered(open, for: [branch.condition, branch.value])
            let truth: Truth
            if let operand {
                let matches = try part.evaluate(branch.condition)
                let own = try Casting.matching(try operand.filtered(open), matches.type, context)
                truth = try ComparisonKernels.compare(.equal, own, matches, part.rowCount, joinsZeros: false)
            } else {
                truth = try part.truth(branch.condition)
            }
            let chosen = truth.selection
            if chosen.setCount == 0 { continue }
            let values = try part.filtered(chosen, for: [branch.value])
            try chooser.take(chosen, try values.evaluate(branch.value).expanded(to: values.rowCount))
        }
        if let otherwise, let open = chooser.open {
            let part = try filtered(open, for: [otherwise])
            try chooser.take(nil, try part.evaluate(otherwise).expanded(to: part.rowCount))
        }
        return Operand(array: try chooser.finish())
    }

    private func coalesce(_ values: [TypedExpression], _ type: ArrowType) throws(LanceError) -> Operand {
        var chooser = RowChooser(rowCount: rowCount, type: type)
        for value in values {
            guard let open = chooser.open else { break }
            let part = try filtered(open, for: [value])
            let array = try part.evaluate(value).expanded(to: part.rowCount)
            if array.nullCount == 0 {
                try chooser.take(nil, array)
            } else if let validity = array.validity {
                try chooser.take(validity, try array.filter(validity))
            }
        }
        return Operand(array: try chooser.finish())
    }

    private func makeList(_ values: [TypedExpression], _ type: ArrowType) throws(LanceError) -> Operand {
        guard let item = type.listItem, !values.isEmpty else {
            throw .invalidArgument("a list of nothing has no type; write NULL")
        }
        var arrays: [ArrowArray] = []
        for value in values { arrays.append(try evaluate(value).expanded(to: rowCount)) }
        let joined = try ArrowArray.concatenating(arrays)
        let order = (0..<rowCount).flatMap { row in values.indices.map { $0 * rowCount + row } }
        let lengths = [Int?](repeating: values.count, count: rowCount)
        return Operand(array: ArrowArray.list(of: try joined.gather(order), lengths: lengths, item: item))
    }
}

extension TypedExpression {
    /// Adds the columns used here and below.
    func collectColumns(_ columns: inout Set<Int>) {
        if case .column(let index) = node { columns.insert(index) }
        for child in children { child.collectColumns(&columns) }
    }
}

extension ArrowArray {
    /// A member of a struct, null where the struct is.
    func member(_ index: Int) -> ArrowArray {
        guard case .structure(let children) = storage, index < children.count else {
            return ArrowArray.nulls(type: .null, length: length)
        }
        return children[index].masked(by: validity)
    }
}

/// Puts an array together from values chosen for different rows.
struct RowChooser {
    private let type: ArrowType
    private let rowCount: Int
    /// Rows without a value yet.
    private var rest: [Int]
    private var parts: [ArrowArray] = []
    private var partLength = 0
    /// For each row its value's place among the parts; -1 is null.
    private var places: [Int]

    init(rowCount: Int, type: ArrowType) {
        self.type = type
        self.rowCount = rowCount
        rest = Array(0..<rowCount)
        places = [Int](repeating: -1, count: rowCount)
    }

    /// The rows without a value, or nil when there are none.
    var open: Bitmap? {
        if rest.isEmpty { return nil }
        if rest.count == rowCount { return Bitmap(repeating: true, count: rowCount) }
        var bits = [UInt64](repeating: 0, count: (rowCount + 63) >> 6)
        for row in rest { bits[row >> 6] |= 1 << UInt64(row & 63) }
        return BitWords.bitmap(bits, count: rowCount)
    }

    /// Gives values to those of the open rows whose bit is set (nil: all of them).
    mutating func take(_ chosen: Bitmap?, _ values: ArrowArray) throws(LanceError) {
        var next = partLength
        var left: [Int] = []
        for (index, row) in rest.enumerated() {
            if chosen.map({ $0[index] }) ?? true {
                places[row] = next
                next += 1
            } else {
                left.append(row)
            }
        }
        guard next - partLength == values.length else { throw .invalidArgument("values for other rows than chosen") }
        rest = left
        partLength = next
        parts.append(values)
    }

    /// The array; rows without a value are null.
    func finish() throws(LanceError) -> ArrowArray {
        if parts.isEmpty { return ArrowArray.nulls(type: type, length: rowCount) }
        if parts.count == 1, rest.isEmpty { return parts[0] }
        return try ArrowArray.concatenating(parts).gather(places)
    }
}
