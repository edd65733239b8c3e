import LancerArrow
import LancerBytes
import LancerExpression
import LancerFile

/// A condition on the rows of a version.
package struct RowFilter: Sendable {
    /// The columns that decide.
    let projection: Projection
    private let expression: RowExpression

    /// Reads a condition over the columns of a version.
    ///
    /// - Throws: `invalidArgument` that names the character, `limitExceeded`, `unsupported`.
    package init(_ text: String, of manifest: Manifest) throws(LanceError) {
        expression = try RowExpression(text, of: manifest, .predicate)
        let paths = expression.paths
        projection = try Projection(paths, names: paths.map { $0.map(\.name).joined(separator: ".") })
    }

    var isAlwaysTrue: Bool { expression.bound.constantCondition == true }
    var isNeverTrue: Bool { expression.bound.constantCondition == false }

    /// Rows read at a time: enough for the deciding columns, which few rows may survive, but not too many should all of
    /// them do.
    func pieceRows(with output: Projection?, of manifest: Manifest) -> Int {
        let deciding = BatchSize.rows(for: projection, of: manifest)
        guard let output else { return deciding }
        return Swift.min(deciding, 4 * BatchSize.rows(for: output, of: manifest))
    }

    /// Fields of a projection that do not decide.
    func undecided(_ output: Projection) -> [LanceField] {
        output.fields.filter { !projection.fields.contains($0) }
    }

    /// The rows among `rows` for which the condition is true.
    ///
    /// - Parameters:
    ///   - arrays: Of ``projection``'s fields.
    ///   - rows: Offsets in the fragment.
    fileprivate func select(
        _ arrays: [ArrowArray],
        _ rows: some RandomAccessCollection<Int>,
        of piece: RowPiece
    ) throws(LanceError) -> Bitmap {
        let columns = try projection.batch(arrays, rowCount: rows.count).columns
        return try expression.bound.select(
            try expression.arguments(columns, rows, of: piece),
            rowCount: rows.count
        )
    }
}

/// Rows of a piece that a condition chose.
struct ChosenRows: Sendable {
    let piece: RowPiece
    /// Offsets in the fragment, ascending, not touching each other; none when they were not asked for.
    let runs: [Range<Int>]
    /// Columns of the rows.
    let batch: RecordBatch

    /// Number of rows.
    var count: Int { batch.rowCount }
    /// Offsets in the fragment, row by row.
    var offsets: [Int] { runs.flatMap { Array($0) } }
}

/// Which live rows of a piece a condition has chosen, and the columns it looked at.
private struct Decision {
    let arrays: [ArrowArray]
    let selection: Bitmap

    /// That about some of the rows.
    func slice(_ rows: Range<Int>) -> Decision {
        Decision(arrays: arrays.map { $0.slice(rows) }, selection: selection.slice(rows))
    }
}

extension Table {
    /// The rows of a piece for which a condition is true, nil when there are none. Columns that do not decide are read
    /// only then, and only single rows of them when few were chosen, measured by what a row costs.
    ///
    /// - Parameter locating: Whether ``ChosenRows/runs`` will be asked for, because the rows are written again. Then all of
    ///   them are compared with their checksums, too, as damage must not get a right one.
    func read(
        _ piece: RowPiece,
        _ projection: Projection,
        where filter: RowFilter?,
        locating: Bool
    ) async throws -> ChosenRows? {
        guard let filter else {
            return ChosenRows(piece: piece, runs: piece.liveRanges, batch: try await read(piece, projection))
        }
        guard let decision = try await decide(piece, filter) else { return nil }
        return try await read(piece, projection, filter, decision, locating: locating)
    }

    /// The same in batches: one for the piece when the chosen rows are no more than a quarter of a batch, else one for every
    /// `partRows` rows. Memory for so much is used again by the next, while that of a whole piece had to come from the system
    /// each time (a scan of long texts that keeps 90 % of the rows took 95 ms, and takes half of that).
    func readInParts(
        _ piece: RowPiece,
        _ projection: Projection,
        where filter: RowFilter,
        partRows: Int
    ) async throws -> [RecordBatch] {
        guard let decision = try await decide(piece, filter) else { return [] }
        guard piece.deleted == nil, piece.rows.count > partRows, decision.selection.setCount > partRows / 4 else {
            return [try await read(piece, projection, filter, decision, locating: false).batch]
        }
        var batches: [RecordBatch] = []
        for start in stride(from: 0, to: piece.rows.count, by: partRows) {
            try Task.checkCancellation()
            let rows = start..<Swift.min(start + partRows, piece.rows.count)
            let part = decision.slice(rows)
            if part.selection.setCount == 0 { continue }
            var cut = piece
            cut.rows = (piece.rows.lowerBound + rows.lowerBound)..<(piece.rows.lowerBound + rows.upperBound)
            batches.append(try await read(cut, projection, filter, part, locating: false).batch)
        }
        return batches
    }

    /// The columns of chosen rows, one at least.
    private func read(
        _ piece: RowPiece,
        _ projection: Projection,
        _ filter: RowFilter,
        _ decision: Decision,
        locating: Bool
    ) async throws -> ChosenRows {
        let (deciding, selection) = (decision.arrays, decision.selection)
        let chosen = selection.setCount
        let rows = piece.choice(ofLive: selection)
        let missing = filter.undecided(projection)
        var rest: ArraySlice<ArrowArray> = []
        if !missing.isEmpty {
            let others = try await FragmentReader(piece.fragment, missing, manifest, files)
            rest = try await others.read(rows, asScan: locating)[...]
        }
        var arrays: [ArrowArray] = []
        for field in projection.fields {
            if let index = filter.projection.fields.firstIndex(of: field) {
                arrays.append(chosen == selection.count ? deciding[index] : try deciding[index].filter(selection))
            } else if let array = rest.popFirst() {
                arrays.append(array)
            }
        }
        let runs = locating || !projection.system.isEmpty ? rows.runs : []
        let batch = try projection.batch(arrays, rowCount: chosen) { (column) throws(LanceError) in
            let rows = runs.flatMap { Array($0) }
            return .uint64(try column.values(rows, of: piece.fragment, piece.vector, manifest))
        }
        return ChosenRows(piece: piece, runs: runs, batch: batch)
    }

    /// The rows of a piece for which a condition is true, without reading more than decides.
    func runs(of piece: RowPiece, where filter: RowFilter?) async throws -> [Range<Int>] {
        guard let filter else { return piece.liveRanges }
        return try await decide(piece, filter).map { piece.choice(ofLive: $0.selection).runs } ?? []
    }

    /// Number of rows of a piece for which a condition is true.
    fileprivate func count(_ piece: RowPiece, where filter: RowFilter) async throws -> Int {
        try await decide(piece, filter)?.selection.setCount ?? 0
    }

    /// Decides about a piece's live rows; nil when none is chosen.
    private func decide(_ piece: RowPiece, _ filter: RowFilter) async throws -> Decision? {
        try Task.checkCancellation()
        let reader = try await FragmentReader(piece.fragment, filter.projection, manifest, files)
        let (arrays, count) = try await reader.readLive(piece)
        let selection =
            count == piece.rows.count
            ? try filter.select(arrays, piece.rows, of: piece)
            : try filter.select(arrays, piece.liveRanges.flatMap { Array($0) }, of: piece)
        return selection.setCount == 0 ? nil : Decision(arrays: arrays, selection: selection)
    }

    /// Number of rows for which a condition is true.
    ///
    /// - Throws: `invalidArgument` for values that cannot be computed, `corrupt`, `truncated`, `io`.
    package func countRows(where filter: RowFilter) async throws -> Int {
        if filter.isAlwaysTrue { return try await countRows() }
        if filter.isNeverTrue { return 0 }
        let pieceRows = filter.pieceRows(with: nil, of: manifest)
        let stream = PieceStream(PieceCutter(self, manifest.fragments, pieceRows: pieceRows)) { piece in
            try await count(piece, where: filter)
        }
        var total = 0
        while let count = try await stream.next() { total += count }
        return total
    }
}

extension Table {
    /// Those of some rows for which a condition is true.
    ///
    /// - Parameter addresses: Live rows, ascending.
    /// - Throws: `invalidArgument` for values that cannot be computed, `corrupt`, `truncated`, `io`.
    func matching(_ addresses: [RowAddress], where filter: RowFilter) async throws -> [RowAddress] {
        var result: [RowAddress] = []
        for fragment in manifest.fragments {
            let here = addresses.filter { $0.fragment == fragment.id }
            if here.isEmpty { continue }
            let offsets = here.map { Int($0.offset) }
            let reader = try await FragmentReader(fragment, filter.projection, manifest, files)
            let vector = try await files.deletionVector(of: fragment, manifest)
            let rows = try await files.physicalRowCount(of: fragment, manifest)
            let piece = RowPiece(fragment: fragment, rows: 0..<rows, vector: vector, deleted: vector)
            let chosen = try filter.select(try await reader.take(offsets), offsets, of: piece)
            for (index, address) in here.enumerated() where chosen[index] { result.append(address) }
        }
        return result
    }
}
