import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex
import LancerKernels
import LancerProto

/// Rows found for queries.
package struct NearestRows: Sendable {
    /// For each query the rows, nearest first.
    package var neighbours: [[Neighbour]]
    /// Where the rows are, in the same places.
    package var addresses: [[RowAddress]]
    /// What kept an index from being used.
    package var warnings: [String]
}

extension Table {
    /// The rows whose vectors are nearest to each query.
    ///
    /// - Parameters:
    ///   - filter: A condition on the rows; ``NearestOptions/filterTime`` says when it is applied.
    /// - Throws: `invalidArgument` for options that make no sense, `corrupt`, `truncated`, `unsupported`, `io`.
    package func nearest(
        to queries: VectorQueries,
        on column: VectorColumn,
        _ options: NearestOptions,
        where filter: RowFilter? = nil
    ) async throws -> NearestRows {
        try options.check(queries, column)
        let choice = try chooseIndex(on: column, options)
        let before = options.filterTime == .before ? filter : nil
        let neighbours = try await exactNeighbours(
            of: queries,
            column,
            choice.metric,
            k: options.k,
            options,
            filter: before
        )
        var result = try await located(neighbours, warnings: choice.warnings)
        if let filter, options.filterTime == .after { try await keep(&result, where: filter) }
        return result
    }

    /// Which index a search uses.
    struct IndexChoice: Sendable {
        /// Its segments; none for a search without an index.
        var segments: [IndexEntry]
        var metric: VectorMetric
        var warnings: [String]
    }

    /// The index for a search: the one asked for by its metric, or the first on the column.
    func chooseIndex(on column: VectorColumn, _ options: NearestOptions) throws(LanceError) -> IndexChoice {
        var choice = IndexChoice(segments: [], metric: options.metric ?? .l2, warnings: [])
        guard options.usesIndex, manifest.indexSection != nil else { return choice }
        var names: [String] = []
        var byName: [String: [IndexEntry]] = [:]
        for entry in try manifest.indexEntries()
        where entry.mayBeVectorIndex && entry.message.fields == [column.fieldID] {
            guard entry.hasKnownVersion else {
                choice.warnings.append(
                    "index \"\(entry.name)\" has version \(entry.message.indexVersion), which this Lancer does not know; "
                        + "all rows are compared instead"
                )
                continue
            }
            if byName[entry.name] == nil { names.append(entry.name) }
            byName[entry.name, default: []].append(entry)
        }
        for name in names {
            let entries = byName[name] ?? []
            guard let details = entries.last?.vector, let metric = details.metric else { continue }
            if let wanted = options.metric, wanted != metric { continue }
            choice.metric = metric
            choice.segments = entries
            break
        }
        return choice
    }

    /// Finds where the rows are. Rows that are gone, which only a damaged index can name, are left out.
    private func located(_ neighbours: [[Neighbour]], warnings: [String]) async throws -> NearestRows {
        var result = NearestRows(neighbours: [], addresses: [], warnings: warnings)
        guard manifest.hasStableRowIDs else {
            result.neighbours = neighbours
            result.addresses = neighbours.map { $0.map { RowAddress(rawValue: $0.rowID) } }
            return result
        }
        var found = try await addresses(ofRowIDs: neighbours.joined().map(\.rowID)).makeIterator()
        for list in neighbours {
            var kept: [Neighbour] = []
            var places: [RowAddress] = []
            for neighbour in list {
                guard let address = found.next() ?? nil else { continue }
                kept.append(neighbour)
                places.append(address)
            }
            result.neighbours.append(kept)
            result.addresses.append(places)
        }
        return result
    }

    /// Takes out the rows for which a condition is not true.
    private func keep(_ rows: inout NearestRows, where filter: RowFilter) async throws {
        if filter.isAlwaysTrue { return }
        let all = Set(rows.addresses.joined()).sorted()
        let chosen = Set(try await matching(all, where: filter))
        for query in rows.addresses.indices {
            let kept = rows.addresses[query].indices.filter { chosen.contains(rows.addresses[query][$0]) }
            rows.neighbours[query] = kept.map { rows.neighbours[query][$0] }
            rows.addresses[query] = kept.map { rows.addresses[query][$0] }
        }
    }
}

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
        let numbers = try await rowNumbers(at: Array(rows.addresses.joined()))
        let batch = try await take(numbers, try Projection(names, of: manifest.schema))
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
