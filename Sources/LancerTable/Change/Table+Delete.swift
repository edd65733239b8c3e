import LancerBytes

/// Where a row is: 32 bits for the fragment and 32 for the offset in it. Spec: 10-table.md, "Row addresses".
package struct RowAddress: Sendable, Hashable, Comparable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package init(fragment: UInt64, offset: Int) {
        rawValue = fragment << 32 | UInt64(UInt32(truncatingIfNeeded: offset))
    }

    package var fragment: UInt64 { rawValue >> 32 }
    package var offset: UInt32 { UInt32(truncatingIfNeeded: rawValue) }

    package static func < (left: RowAddress, right: RowAddress) -> Bool { left.rawValue < right.rawValue }
}

extension Table {
    /// Deletes rows of this version by address. Rows that are deleted already are no error; when none is left to
    /// delete, no version is made.
    ///
    /// - Parameters:
    ///   - addresses: In any order, repeats allowed.
    ///   - predicate: The condition that chose them, kept with the version for people to read.
    /// - Throws: `invalidArgument` for an address where no row is, `conflict` when another writer changed one of the rows
    ///   meanwhile, `corrupt`, `io`.
    package func delete(
        _ addresses: [RowAddress],
        predicate: String = "",
        commitMessage: String? = nil
    ) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        let gone = try await rows(at: addresses)
        if gone.isEmpty { return self }
        return try await committing(.delete(gone, predicate: predicate), commitMessage)
    }

    /// Deletes the rows for which a condition is true; those for which it is false or null stay.
    ///
    /// Reads the columns that decide, piece by piece. When another writer changed one of the rows first, the condition is
    /// computed again on the newest version. When no row is chosen, no version is made.
    ///
    /// - Returns: The new version, and how many rows went.
    /// - Throws: `invalidArgument` for a condition that cannot be read or computed, `conflict` when other writers are
    ///   faster time and again, `corrupt`, `io`.
    package func delete(
        where condition: String,
        commitMessage: String? = nil
    ) async throws -> (table: Table, rowCount: Int) {
        try manifest.writerFlags.requireKnown(to: "write")
        var count = 0
        let table = try await retrying { table in
            let gone = try await table.rows(where: try RowFilter(condition, of: table.manifest))
            count = gone.values.reduce(0) { $0 + $1.count }
            if gone.isEmpty { return table }
            return try await table.committing(.delete(gone, predicate: condition), commitMessage)
        }
        return (table, count)
    }

    /// The live rows for which a condition is true, by fragment.
    func rows(where filter: RowFilter) async throws -> RowsGone {
        if filter.isNeverTrue { return [:] }
        let filter = filter.isAlwaysTrue ? nil : filter
        let pieceRows = filter?.pieceRows(with: nil, of: manifest) ?? 1 << 20
        let cutter = PieceCutter(self, manifest.fragments, pieceRows: pieceRows)
        let stream = PieceStream(cutter) { piece in (piece.fragment.id, try await runs(of: piece, where: filter)) }
        var gone = RowsGoneBuilder()
        while let (fragment, runs) = try await stream.next() { gone.add(runs, of: fragment) }
        return gone.finish()
    }

    /// The rows at addresses that are not deleted yet, by fragment.
    ///
    /// - Throws: `invalidArgument` for an address where no row is, `corrupt`, `io`.
    package func rows(at addresses: [RowAddress]) async throws -> RowsGone {
        let fragments = Dictionary(manifest.fragments.map { ($0.id, $0) }) { first, _ in first }
        var gone: RowsGone = [:]
        let sorted = addresses.sorted()
        var start = 0
        while start < sorted.count {
            let id = sorted[start].fragment
            let end = sorted[start...].firstIndex { $0.fragment != id } ?? sorted.count
            guard let fragment = fragments[id] else {
                throw LanceError.invalidArgument("there is no fragment \(id)")
            }
            let wanted = DeletionVector(sortedOffsets: sorted[start..<end].map(\.offset))
            let rows = try await files.physicalRowCount(of: fragment, manifest)
            guard wanted.upperBound <= rows else {
                throw LanceError.invalidArgument("fragment \(id) has \(rows) rows, not \(wanted.upperBound)")
            }
            let deleted = try await files.deletionVector(of: fragment, manifest) ?? DeletionVector()
            let new = wanted.subtracting(deleted)
            if new.count > 0 { gone[id] = new }
            start = end
        }
        return gone
    }

    /// Addresses of live rows by row number, in the order given.
    ///
    /// - Throws: `invalidArgument` for a number outside the table, `corrupt`, `io`.
    package func addresses(ofRows rows: [Int]) async throws -> [RowAddress] {
        let starts = try await liveRowStarts()
        var result: [RowAddress] = []
        result.reserveCapacity(rows.count)
        for row in rows {
            guard row >= 0, row < starts[starts.count - 1] else {
                throw LanceError.invalidArgument("row \(row) is asked for, the table has \(starts[starts.count - 1])")
            }
            let index = Self.fragment(of: row, starts)
            let fragment = manifest.fragments[index]
            let live = row - starts[index]
            let offset = try await files.deletionVector(of: fragment, manifest)?.offset(ofLiveRow: live) ?? live
            result.append(RowAddress(fragment: fragment.id, offset: offset))
        }
        return result
    }
}

/// Collects rows to delete, fragment by fragment and in each by ascending offset.
struct RowsGoneBuilder {
    private var gone: RowsGone = [:]
    private var fragment: UInt64?
    private var rows = DeletionVector.RunBuilder()

    /// Adds rows behind those that were added before.
    mutating func add(_ runs: [Range<Int>], of fragment: UInt64) {
        guard !runs.isEmpty else { return }
        if self.fragment != fragment { close() }
        self.fragment = fragment
        for run in runs { rows.add(run) }
    }

    /// All rows.
    mutating func finish() -> RowsGone {
        close()
        return gone
    }

    private mutating func close() {
        if let fragment { gone[fragment] = rows.finish() }
        fragment = nil
        rows = DeletionVector.RunBuilder()
    }
}
