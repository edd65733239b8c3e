import LancerArrow
import LancerBytes
import LancerExpression
import LancerFile
import LancerStorage

/// An expression over the rows of a version, and what must be read to compute it.
struct RowExpression: Sendable {
    /// Where the values of a column that the expression names come from.
    private enum Source: Sendable {
        /// A column of the table, by its place among ``paths``.
        case column(Int)
        case system(SystemColumn)
    }

    /// The expression, checked.
    let bound: BoundExpression
    /// The columns of the table it names, each as the fields from the top-level one down.
    let paths: [[LanceField]]
    private let sources: [Source]
    private let manifest: Manifest

    /// - Throws: `invalidArgument` that names the character, `limitExceeded`, `unsupported`.
    init(_ text: String, of manifest: Manifest, _ purpose: BoundExpression.Purpose) throws(LanceError) {
        let stored = manifest.schema.arrowSchema
        var schema = stored
        for column in SystemColumn.allCases where stored.index(of: column.rawValue) == nil {
            schema.fields.append(ArrowField(column.rawValue, .uint64, nullable: false))
        }
        let time = WallClock.now()
        bound = try BoundExpression(
            text,
            schema: schema,
            purpose: purpose,
            now: time.seconds &* 1_000_000_000 &+ Int64(time.nanoseconds),
            zone: { name throws(LanceError) in try ZoneDatabase.rules(name) }
        )
        var paths: [[LanceField]] = []
        var sources: [Source] = []
        for path in bound.columns {
            if path.count == 1, stored.index(of: path[0]) == nil, let system = SystemColumn(rawValue: path[0]) {
                sources.append(.system(system))
                continue
            }
            sources.append(.column(paths.count))
            paths.append(try Self.fields(path, manifest.schema))
        }
        self.paths = paths
        self.sources = sources
        self.manifest = manifest
    }

    private static func fields(_ path: [String], _ schema: LanceSchema) throws(LanceError) -> [LanceField] {
        var level = schema.fields
        var result: [LanceField] = []
        for name in path {
            guard let field = level.first(where: { $0.name == name }) else {
                throw LanceError(.notFound, "there is no column \"\(path.joined(separator: "."))\"")
            }
            result.append(field)
            level = field.children
        }
        return result
    }

    /// The arrays that the expression is computed from.
    ///
    /// - Parameters:
    ///   - columns: The values of ``paths``.
    ///   - rows: Offsets in the fragment, row by row.
    func arguments(
        _ columns: [ArrowArray],
        _ rows: some RandomAccessCollection<Int>,
        of piece: RowPiece
    ) throws(LanceError) -> [ArrowArray] {
        var result: [ArrowArray] = []
        for source in sources {
            switch source {
            case .column(let index): result.append(columns[index])
            case .system(let column):
                result.append(.uint64(try column.values(rows, of: piece.fragment, piece.vector, manifest)))
            }
        }
        return result
    }

    /// The values of ``paths`` in a batch of all columns of the table.
    ///
    /// - Throws: `notFound` when a column is missing.
    func columns(of batch: RecordBatch) throws(LanceError) -> [ArrowArray] {
        var result: [ArrowArray] = []
        for path in paths { result.append(try BoundExpression.column(path.map(\.name), of: batch)) }
        return result
    }
}
