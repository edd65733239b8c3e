import LancerArrow
import LancerBytes
import LancerExpression
import LancerFile

/// A column to be added to a table.
package enum NewColumn: Sendable {
    /// Null in every row, without data.
    case nulls(ArrowField)
    /// Computed for every row from the columns there are.
    case expression(name: String, String)
}

extension Table {
    /// Adds columns behind the others. Computed ones are written as new data files; no other file is touched.
    ///
    /// - Throws: `schemaMismatch` for a name that is taken, `invalidArgument` for an expression that is wrong or a value
    ///   that cannot be computed, `unsupported`, `conflict`, `corrupt`, `io`.
    package func addColumns(
        _ columns: [NewColumn],
        commitMessage: String?,
        progress: WriteProgress? = nil
    ) async throws -> Table {
        if columns.isEmpty { return self }
        return try await retrying { try await $0.addOnce(columns, commitMessage, progress) }
    }

    private func addOnce(
        _ columns: [NewColumn],
        _ commitMessage: String?,
        _ progress: WriteProgress?
    ) async throws -> Table {
        var arrow: [ArrowField] = []
        var expressions: [(column: Int, RowExpression)] = []
        for (index, column) in columns.enumerated() {
            switch column {
            case .nulls(let field):
                guard field.nullable else {
                    throw LanceError.schemaMismatch("column \"\(field.name)\" would be null, which it forbids")
                }
                arrow.append(field)
            case .expression(let name, let text):
                let expression: RowExpression
                do throws(LanceError) {
                    expression = try RowExpression(text, of: manifest, .value)
                } catch {
                    throw error.located(part: "column \"\(name)\"")
                }
                arrow.append(ArrowField(name, expression.bound.type))
                // A column of type null has no values.
                if expression.bound.type != .null { expressions.append((index, expression)) }
            }
        }
        for field in arrow where field.name.contains(".") || field.name.isEmpty {
            throw LanceError.schemaMismatch("\"\(field.name)\" is no name for a column: not empty, and no \".\" in it")
        }
        let new = try LanceSchema(arrow: ArrowSchema(arrow), firstID: try nextFieldID()).fields
        let computed = expressions.map { new[$0.column] }
        let computation = try ColumnComputation(expressions.map(\.1), computed)
        return try await addingFiles(new.map { .add($0) }, computed, commitMessage) { fragment, writer in
            try await computation.run(on: self, fragment, writer, progress)
        }
    }
}

/// Computes new columns fragment by fragment.
private struct ColumnComputation: Sendable {
    private let expressions: [RowExpression]
    private let schema: ArrowSchema
    /// The columns that the expressions need, and for each expression the places of its own among them.
    private let projection: Projection?
    private let arguments: [[Int]]

    init(_ expressions: [RowExpression], _ fields: [LanceField]) throws(LanceError) {
        self.expressions = expressions
        schema = ArrowSchema(fields.map(\.arrowField))
        var paths: [[LanceField]] = []
        var arguments: [[Int]] = []
        for expression in expressions {
            var places: [Int] = []
            for path in expression.paths {
                if let known = paths.firstIndex(where: { $0.last?.id == path.last?.id }) {
                    places.append(known)
                } else {
                    places.append(paths.count)
                    paths.append(path)
                }
            }
            arguments.append(places)
        }
        projection =
            paths.isEmpty
            ? nil : try Projection(paths, names: paths.map { $0.map(\.name).joined(separator: ".") })
        self.arguments = arguments
    }

    func run(
        on table: Table,
        _ fragment: Fragment,
        _ writer: ColumnFileWriter,
        _ progress: WriteProgress?
    ) async throws {
        let deleted = try await table.files.deletionVector(of: fragment, table.manifest)
        let rows = try await table.files.physicalRowCount(of: fragment, table.manifest)
        let piece = RowPiece(fragment: fragment, rows: 0..<rows, vector: deleted, deleted: deleted)
        var live = LiveOffsets(piece.liveRanges)
        guard let projection else {
            // Nothing is read: constants, and what is known of every row.
            while writer.missingRows > 0 {
                let count = Swift.min(writer.missingRows, 1 << 16)
                try write([], count, live.take(count), piece, writer, progress)
            }
            return
        }
        let scan = try TableScan(table: table, projection: projection, fragments: [fragment])
        let iterator = scan.makeIterator()
        while let batch = try await iterator.next() {
            try write(batch.columns, batch.rowCount, live.take(batch.rowCount), piece, writer, progress)
        }
    }

    private func write(
        _ columns: [ArrowArray],
        _ count: Int,
        _ offsets: [Int],
        _ piece: RowPiece,
        _ writer: ColumnFileWriter,
        _ progress: WriteProgress?
    ) throws(LanceError) {
        var arrays: [ArrowArray] = []
        for (index, expression) in expressions.enumerated() {
            do throws(LanceError) {
                let own = arguments[index].map { columns[$0] }
                let values = try expression.arguments(own, offsets, of: piece)
                arrays.append(try expression.bound.evaluate(values, rowCount: count))
            } catch {
                throw error.located(part: "column \"\(schema.fields[index].name)\"")
            }
        }
        let batch = RecordBatch(unchecked: schema, arrays, rowCount: count)
        try writer.write(batch)
        progress?(count, batch.sizeInBytes)
    }
}

/// Offsets of a fragment's live rows, in order.
private struct LiveOffsets {
    private var ranges: ArraySlice<Range<Int>>

    init(_ ranges: [Range<Int>]) { self.ranges = ranges[...] }

    mutating func take(_ count: Int) -> [Int] {
        var result: [Int] = []
        result.reserveCapacity(count)
        while result.count < count, let range = ranges.first {
            let end = Swift.min(range.upperBound, range.lowerBound + count - result.count)
            result += range.lowerBound..<end
            if end == range.upperBound {
                ranges.removeFirst()
            } else {
                ranges[ranges.startIndex] = end..<range.upperBound
            }
        }
        return result
    }
}
