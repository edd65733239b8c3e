import LancerArrow
import LancerBytes

/// The value of an expression for all rows of a batch: one value a row, or one for all.
struct Operand {
    /// As many values as rows, or a single one when ``isConstant``.
    var array: ArrowArray
    var isConstant = false

    var type: ArrowType { array.type }

    @inline(__always)
    func isNull(_ row: Int) -> Bool { array.isNull(isConstant ? 0 : row) }

    /// One value for every row.
    func expanded(to rowCount: Int) throws(LanceError) -> ArrowArray {
        guard isConstant else { return array }
        if rowCount == 1 { return array }
        return try array.gather([Int](repeating: 0, count: rowCount))
    }

    /// The values of the rows whose bit is set.
    func filtered(_ selection: Bitmap) throws(LanceError) -> Operand {
        isConstant ? self : Operand(array: try array.filter(selection))
    }
}

/// What an evaluation may ask of the world outside.
struct EvaluationContext: Sendable {
    /// The present moment in nanoseconds since 1970 UTC; one for the whole expression.
    var now: Int64
    /// Finds the rules of a named time zone.
    var zone: @Sendable (String) throws(LanceError) -> ZoneRules

    /// A world without a clock and zones other than UTC.
    static let empty = EvaluationContext(now: 0) { name throws(LanceError) in
        throw .unsupported("the time zone \(name) is not known here")
    }
}
