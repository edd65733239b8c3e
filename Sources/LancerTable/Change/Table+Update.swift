import LancerArrow
import LancerBytes
import LancerExpression
import LancerFile

/// New values for columns, each an expression over the row as it was.
private struct Assignments: Sendable {
    private struct Assignment: Sendable {
        var column: Int
        var value: RowExpression
    }

    private let assignments: [Assignment]
    private let schema: ArrowSchema
    /// Ids of the fields that get other values, parents and children included.
    let fieldIDs: [Int32]

    /// - Throws: `notFound` for a column that does not exist, `unsupported` for a field of a struct, `invalidArgument` for
    ///   no column at all, and for an expression that cannot be read or does not fit its column.
    init(_ texts: [String: String], of manifest: Manifest) throws(LanceError) {
        let fields = manifest.schema.fields
        guard !texts.isEmpty else { throw .invalidArgument("an update needs at least one column to set") }
        var assignments: [Assignment] = []
        var ids: [Int32] = []
        for (name, text) in texts {
            guard let column = fields.firstIndex(where: { $0.name == name }) else {
                let path = try Projection.resolve(name, manifest.schema).map(\.name)
                throw .unsupported(
                    "setting \"\(name)\", a field of a struct: set \"\(path[0])\" as a whole, for example to named_struct(…)"
                )
            }
            do throws(LanceError) {
                let value = try RowExpression(text, of: manifest, .assignment(fields[column].type))
                assignments.append(Assignment(column: column, value: value))
            } catch {
                throw error.located(part: "the new value of \"\(name)\"")
            }
            ids += fields[column].subtree.map(\.id)
        }
        self.assignments = assignments.sorted { $0.column < $1.column }
        fieldIDs = ids.sorted()
        schema = manifest.schema.arrowSchema
    }

    /// The rows with their new values.
    func apply(to rows: ChosenRows) throws(LanceError) -> RecordBatch {
        var columns = rows.batch.columns
        for assignment in assignments {
            let value = assignment.value
            let arguments = try value.arguments(try value.columns(of: rows.batch), rows.offsets, of: rows.piece)
            let name = schema.fields[assignment.column].name
            do throws(LanceError) {
                columns[assignment.column] = try value.bound.evaluate(arguments, rowCount: rows.count)
            } catch {
                throw error.located(part: "the new value of \"\(name)\"")
            }
        }
        return RecordBatch(unchecked: schema, columns, rowCount: rows.count)
    }
}

extension Table {
    /// Gives columns of the rows for which a condition is true new values.
    ///
    /// The rows are written anew, whole, behind all others, and deleted where they were, in one commit; stable row ids
    /// move with them. Memory holds some batches. When another writer changed one of the rows first, everything is worked
    /// out again on the newest version. When no row is chosen, no version is made.
    ///
    /// - Parameters:
    ///   - texts: An expression over the old row for each column that changes.
    ///   - condition: Which rows; nil for all.
    /// - Returns: The new version, and how many rows changed.
    /// - Throws: `notFound`, `unsupported`, `invalidArgument`, `schemaMismatch` for a null where none may be, `conflict`
    ///   when other writers are faster time and again, `corrupt`, `io`. The table is as it was then.
    package func update(
        _ texts: [String: String],
        where condition: String?,
        limits: FragmentLimits,
        commitMessage: String? = nil,
        progress: WriteProgress? = nil
    ) async throws -> (table: Table, rowCount: Int) {
        var count = 0
        let table = try await retrying { table in
            let filter = try condition.map { text throws(LanceError) in try RowFilter(text, of: table.manifest) }
            let assignments = try Assignments(texts, of: table.manifest)
            count = 0
            return try await table.updateOnce(assignments, filter, limits, commitMessage, progress, &count)
        }
        return (table, count)
    }

    /// Number of rows that ``update(_:where:limits:commitMessage:)`` would change. The values are not computed.
    package func countUpdated(_ texts: [String: String], where condition: String?) async throws -> Int {
        _ = try Assignments(texts, of: manifest)
        guard let condition else { return try await countRows() }
        return try await countRows(where: try RowFilter(condition, of: manifest))
    }

    private func updateOnce(
        _ assignments: Assignments,
        _ filter: RowFilter?,
        _ limits: FragmentLimits,
        _ commitMessage: String?,
        _ progress: WriteProgress?,
        _ count: inout Int
    ) async throws -> Table {
        if filter?.isNeverTrue == true { return self }
        let filter = filter?.isAlwaysTrue == true ? nil : filter
        let all = try Projection(nil, of: manifest.schema)
        let pieceRows = filter?.pieceRows(with: all, of: manifest) ?? BatchSize.rows(for: all, of: manifest)
        let cutter = PieceCutter(self, manifest.fragments, pieceRows: pieceRows)
        let stream = PieceStream(cutter) { piece -> Changed? in
            guard let rows = try await read(piece, all, where: filter, locating: true) else { return nil }
            return Changed(fragment: piece.fragment.id, runs: rows.runs, batch: try assignments.apply(to: rows))
        }
        var addresses: [RowAddress] = []
        let change = RowReplacement(
            changedFieldIDs: assignments.fieldIDs,
            limits: limits,
            commitMessage: commitMessage
        )
        return try await replacing(change) { fragments in
            try keepingRowIDs(of: addresses, in: fragments)
        } writing: { writer in
            var gone = RowsGoneBuilder()
            while let result = try await stream.next() {
                guard let changed = result else { continue }
                try writer.write(changed.batch)
                gone.add(changed.runs, of: changed.fragment)
                count += changed.batch.rowCount
                progress?(changed.batch.rowCount, changed.batch.sizeInBytes)
                guard manifest.hasStableRowIDs else { continue }
                addresses += changed.runs.joined().map { RowAddress(fragment: changed.fragment, offset: $0) }
            }
            return gone.finish()
        }
    }
}

/// Rows with their new values, and where the old ones are.
private struct Changed: Sendable {
    var fragment: UInt64
    var runs: [Range<Int>]
    var batch: RecordBatch
}
