import LancerArrow
import LancerBytes
import LancerExpression
import LancerFile
import LancerStorage

/// The columns of the table that a merge reads to find its rows.
struct TargetColumns {
    private(set) var paths: [[LanceField]] = []

    /// The place of a column among those read.
    mutating func index(of path: [LanceField]) -> Int {
        let ids = path.map(\.id)
        if let index = paths.firstIndex(where: { $0.map(\.id) == ids }) { return index }
        paths.append(path)
        return paths.count - 1
    }

    /// What is to be read; the columns' names do not matter.
    var projection: Projection {
        get throws(LanceError) { try Projection(paths, names: paths.map(\.text)) }
    }
}

/// A condition over a row of the table, or over that and a row of the source.
struct MergeCondition: Sendable {
    private enum Operand: Sendable {
        case source([LanceField])
        /// By its place among the columns read.
        case target(Int)
    }

    private let expression: BoundExpression
    private let operands: [Operand]

    /// A condition over pairs: columns are called `source.x` and `target.x`; those that only the table has may be called
    /// by their own name.
    ///
    /// - Throws: `invalidArgument` that names the character, `notFound`, `unsupported`.
    init(_ text: String, pairsOf columns: MergeColumns, reading target: inout TargetColumns) throws(LanceError) {
        var fields = [
            ArrowField("source", .structure(columns.present.map(\.arrowField))),
            ArrowField("target", .structure(columns.schema.fields.map(\.arrowField))),
        ]
        fields += columns.missing.filter { !["source", "target"].contains($0.name) }.map(\.arrowField)
        try self.init(text, ArrowSchema(fields), columns.schema, &target)
    }

    /// A condition over rows of the table: columns are called by their names, or `target.x`.
    ///
    /// - Throws: `invalidArgument` that names the character, `notFound`, `unsupported`.
    init(_ text: String, rowsOf schema: LanceSchema, reading target: inout TargetColumns) throws(LanceError) {
        var fields = schema.fields.map(\.arrowField)
        if schema.field(named: "target") == nil { fields.append(ArrowField("target", .structure(fields))) }
        try self.init(text, ArrowSchema(fields), schema, &target)
    }

    private init(
        _ text: String,
        _ scope: ArrowSchema,
        _ schema: LanceSchema,
        _ target: inout TargetColumns
    ) throws(LanceError) {
        let time = WallClock.now()
        expression = try BoundExpression(
            text,
            schema: scope,
            purpose: .predicate,
            now: time.seconds &* 1_000_000_000 &+ Int64(time.nanoseconds),
            zone: { name throws(LanceError) in try ZoneDatabase.rules(name) }
        )
        var operands: [Operand] = []
        for path in expression.columns {
            // A column of the table may be called `target` or `source` itself where conditions see only the table.
            let isStored = scope.fields.contains { $0.name == "source" } ? false : schema.field(named: path[0]) != nil
            guard !isStored, ["source", "target"].contains(path[0]) else {
                operands.append(.target(target.index(of: try MergeColumns.path(path, in: schema))))
                continue
            }
            guard path.count > 1 else {
                throw .invalidArgument("\"\(path[0])\" is a row, not a value; name a column: \(path[0]).x")
            }
            let fields = try MergeColumns.path(Array(path.dropFirst()), in: schema)
            operands.append(path[0] == "source" ? .source(fields) : .target(target.index(of: fields)))
        }
        self.operands = operands
    }

    /// The pairs for which the condition is true.
    ///
    /// - Parameters:
    ///   - target: The columns read, a row for each pair.
    ///   - rows: The source's row of each pair; not asked for conditions without a source.
    func select(_ target: [ArrowArray], _ source: KeyedSource, _ rows: [Int], count: Int) throws(LanceError) -> Bitmap {
        var arrays: [ArrowArray] = []
        for operand in operands {
            switch operand {
            case .source(let path): arrays.append(try source.gather(rows, at: path))
            case .target(let index): arrays.append(target[index])
            }
        }
        return try expression.select(arrays, rowCount: count)
    }
}
