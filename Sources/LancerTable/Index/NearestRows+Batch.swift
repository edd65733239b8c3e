import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex

extension NearestRows {
    /// Name of the column with the distances.
    package static let distanceColumn = "_distance"
    /// Name of the column with the number of the query, in searches for many.
    package static let queryColumn = "query_index"
}

extension Table {
    /// The rows found as a batch: the columns asked for, `_distance` and `_rowid`; with several queries the first column,
    /// `query_index`, says which one a row is near to.
    ///
    /// - Parameters:
    ///   - columns: Names; nil for all columns of the table. `_distance` and system columns may be among them.
    ///   - isBatch: Whether there is a column with the number of the query.
    /// - Throws: `notFound` for a column that does not exist, `invalidArgument` for one named as those that are added,
    ///   `corrupt`, `truncated`, `io`.
    package func batch(of rows: NearestRows, columns: [String]?, isBatch: Bool) async throws -> RecordBatch {
        var names = columns ?? manifest.schema.fields.map(\.name)
        let taken = [NearestRows.distanceColumn] + (isBatch ? [NearestRows.queryColumn] : [])
        for name in taken where names.contains(name) && manifest.schema.field(named: name) != nil {
            throw LanceError.invalidArgument(
                "the table has a column \"\(name)\", as the result of a search has; rename it or choose other columns"
            )
        }
        if Set(names).count != names.count {
            throw LanceError.invalidArgument("a column is asked for twice")
        }
        let place = names.firstIndex(of: NearestRows.distanceColumn)
        names.removeAll { taken.contains($0) }
        if !names.contains(SystemColumn.rowID.rawValue) { names.append(SystemColumn.rowID.rawValue) }
        let batch: RecordBatch
        if names == [SystemColumn.rowID.rawValue] {
            // The search knows the ids: nothing needs to be read.
            let ids = ArrowArray.uint64(rows.neighbours.joined().map { $0.rowID })
            batch = try Projection(names, of: manifest.schema).batch([], rowCount: ids.length) { _ in ids }
        } else {
            let numbers = try await rowNumbers(at: Array(rows.addresses.joined()))
            batch = try await take(numbers, try Projection(names, of: manifest.schema))
        }
        var fields = batch.schema.fields
        var values = batch.columns
        let distances = ArrowArray.float32(rows.neighbours.joined().map { $0.distance })
        let target = place ?? (columns?.contains(SystemColumn.rowID.rawValue) == true ? fields.count : fields.count - 1)
        fields.insert(ArrowField(NearestRows.distanceColumn, .float32), at: target)
        values.insert(distances, at: target)
        if isBatch {
            let queries = rows.neighbours.enumerated().flatMap { [Int32?](repeating: Int32($0), count: $1.count) }
            fields.insert(ArrowField(NearestRows.queryColumn, .int32, nullable: false), at: 0)
            values.insert(.int32(queries), at: 0)
        }
        return try RecordBatch(
            schema: ArrowSchema(fields, metadata: batch.schema.metadata),
            columns: values,
            rowCount: batch.rowCount
        )
    }
}
