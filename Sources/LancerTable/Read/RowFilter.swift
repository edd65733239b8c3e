import LancerArrow
import LancerBytes
import LancerExpression
import LancerFile
import LancerStorage

/// A condition on the rows of a version, and what must be read to decide it.
package struct RowFilter: Sendable {
    /// Where the value of a column that the condition names comes from.
    private enum Source: Sendable {
        /// A column of ``projection``.
        case column(Int)
        case rowAddress
        case rowID
    }

    /// Columns that every row has without their being stored.
    private static let systemColumns: [(name: String, source: Source)] = [
        ("_rowid", .rowID), ("_rowaddr", .rowAddress),
    ]

    /// The columns to read.
    let projection: Projection
    private let condition: BoundExpression
    private let sources: [Source]

    /// Reads a condition over the columns of a version.
    ///
    /// - Throws: `invalidArgument` that names the character, `limitExceeded`, `unsupported`.
    package init(_ text: String, of manifest: Manifest) throws(LanceError) {
        let stored = manifest.schema.arrowSchema
        var schema = stored
        for (name, _) in Self.systemColumns where stored.index(of: name) == nil {
            schema.fields.append(ArrowField(name, .uint64, nullable: false))
        }
        let time = WallClock.now()
        condition = try BoundExpression(
            text,
            schema: schema,
            purpose: .predicate,
            now: time.seconds &* 1_000_000_000 &+ Int64(time.nanoseconds),
            zone: { name throws(LanceError) in try ZoneDatabase.rules(name) }
        )
        var paths: [[LanceField]] = []
        var sources: [Source] = []
        for path in condition.columns {
            if path.count == 1, stored.index(of: path[0]) == nil,
                let system = Self.systemColumns.first(where: { $0.name == path[0] })
            {
                sources.append(system.source)
                continue
            }
            sources.append(.column(paths.count))
            paths.append(try Self.fields(path, manifest.schema))
        }
        self.sources = sources
        projection = try Projection(paths, names: paths.map { $0.map(\.name).joined(separator: ".") })
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

    /// The rows among `rows` for which the condition is true.
    ///
    /// - Parameters:
    ///   - columns: The arrays of ``projection``'s columns for the rows.
    ///   - rows: Offsets in the fragment.
    func select(
        _ columns: [ArrowArray],
        _ rows: some RandomAccessCollection<Int>,
        of fragment: Fragment,
        _ manifest: Manifest
    ) throws(LanceError) -> Bitmap {
        var arguments: [ArrowArray] = []
        for source in sources {
            switch source {
            case .column(let index): arguments.append(columns[index])
            case .rowAddress: arguments.append(Self.addresses(rows, fragment))
            case .rowID:
                guard manifest.hasStableRowIDs else {
                    arguments.append(Self.addresses(rows, fragment))
                    continue
                }
                throw .unsupported("_rowid in a condition on a table with stable row ids")
            }
        }
        return try condition.select(arguments, rowCount: rows.count)
    }

    private static func addresses(_ rows: some RandomAccessCollection<Int>, _ fragment: Fragment) -> ArrowArray {
        .uint64(rows.map { RowAddress(fragment: fragment.id, offset: $0).rawValue })
    }
}
