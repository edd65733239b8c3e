import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex
import LancerKernels
import LancerStorage

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
        let choice = try await chooseIndex(on: column, options)
        let before = options.filterTime == .before ? filter : nil
        let neighbours = try await neighbours(of: queries, column, options, choice, before)
        var result = try await located(neighbours, warnings: choice.warnings)
        if let filter, options.filterTime == .after { try await keep(&result, where: filter) }
        return result
    }

    /// The rows nearest to each query by an index that was chosen, or without one.
    func neighbours(
        of queries: VectorQueries,
        _ column: VectorColumn,
        _ options: NearestOptions,
        _ choice: IndexChoice,
        _ filter: RowFilter?
    ) async throws -> [[Neighbour]] {
        if choice.segments.isEmpty, options.indexedRowsOnly { return Array(repeating: [], count: queries.count) }
        if choice.segments.isEmpty || !queries.areUsual(choice.metric) {
            return try await exactNeighbours(of: queries, column, choice.metric, options, filter: filter)
        }
        return try await IndexSearch(self, queries, column, options, choice, filter).run()
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

extension VectorQueries {
    /// Whether an index can be asked: it has no answer for numbers that are not finite, nor for zero with cosine.
    func areUsual(_ metric: VectorMetric) -> Bool {
        guard floats.allSatisfy(\.isFinite) else { return false }
        return metric != .cosine || (0..<count).allSatisfy { self[$0].contains { $0 != 0 } }
    }
}
