import LancerArrow
import LancerBytes
import LancerStorage

/// The rows of a version in order, batch by batch, read ahead on all cores.
package struct TableScan: Sendable {
    package let table: Table
    package let projection: Projection
    /// The condition on the rows; nil for all.
    package let filter: RowFilter?
    /// Rows passed over, of those that the condition chooses.
    package let offset: Int
    /// Most rows given.
    package let limit: Int?
    /// Most rows in a batch.
    package let batchRows: Int
    /// Fragments read, in order.
    package let fragments: [Fragment]
    private let pieceRows: Int
    private let followsPages: Bool

    /// - Throws: `invalidArgument` for a negative number.
    package init(
        table: Table,
        projection: Projection,
        filter: RowFilter? = nil,
        offset: Int = 0,
        limit: Int? = nil,
        batchRows: Int? = nil,
        fragments: [Fragment]? = nil
    ) throws(LanceError) {
        guard offset >= 0 else { throw .invalidArgument("the offset \(offset) is negative") }
        guard (limit ?? 0) >= 0 else { throw .invalidArgument("the limit \(limit ?? 0) is negative") }
        guard (batchRows ?? 1) > 0 else { throw .invalidArgument("batches of \(batchRows ?? 0) rows") }
        self.table = table
        self.projection = projection
        self.fragments = fragments ?? table.manifest.fragments
        self.offset = offset
        self.limit = limit
        self.batchRows = batchRows ?? BatchSize.rows(for: projection, of: table.manifest)
        // Who asks for batches of some size gets none that are larger.
        followsPages = batchRows == nil
        self.filter = filter?.isAlwaysTrue == true ? nil : filter
        pieceRows = batchRows ?? filter?.pieceRows(with: projection, of: table.manifest) ?? self.batchRows
    }

    package func makeIterator() -> Iterator { Iterator(self) }

    fileprivate func stream() -> PieceStream<[RecordBatch]> {
        guard let filter else {
            let cutter = PieceCutter(
                table,
                fragments,
                pieceRows: pieceRows,
                offset: offset,
                limit: limit,
                following: followsPages ? projection : nil
            )
            return PieceStream(cutter) { [table, projection] piece in [try await table.read(piece, projection)] }
        }
        let fragments = filter.isNeverTrue ? [] : self.fragments
        return PieceStream(PieceCutter(table, fragments, pieceRows: pieceRows)) {
            [table, projection, batchRows] piece in
            try await table.readInParts(piece, projection, where: filter, partRows: batchRows)
        }
    }

    /// The position of one pass over the rows. Reads ahead in tasks of its own, which end with it.
    package final class Iterator {
        private let scan: TableScan
        private let stream: PieceStream<[RecordBatch]>
        /// With a condition, how many of its rows to pass over and to give: no one knows before which pieces have them.
        private var toSkip: Int
        private var toGive: Int
        private var rest: RecordBatch?
        /// Batches of a piece that were not given yet.
        private var ready: ArraySlice<RecordBatch> = []

        fileprivate init(_ scan: TableScan) {
            self.scan = scan
            stream = scan.stream()
            toSkip = scan.offset
            toGive = scan.limit ?? .max
        }

        /// The next batch, never empty, or nil at the end.
        package func next() async throws -> RecordBatch? {
            if scan.filter == nil { return try await nextOfPiece() }
            while toGive > 0 {
                if let batch = rest { return cut(batch) }
                guard let batch = try await nextOfPiece() else { return nil }
                if toSkip >= batch.rowCount {
                    toSkip -= batch.rowCount
                    continue
                }
                rest = toSkip == 0 ? batch : batch.slice(toSkip..<batch.rowCount)
                toSkip = 0
            }
            stream.cancel()
            return nil
        }

        /// The next batch of the piece at hand or of the next one that has any.
        private func nextOfPiece() async throws -> RecordBatch? {
            while true {
                if let batch = ready.popFirst() { return batch }
                guard let batches = try await stream.next() else { return nil }
                ready = batches[...]
            }
        }

        private func cut(_ batch: RecordBatch) -> RecordBatch {
            let count = Swift.min(batch.rowCount, toGive, scan.batchRows)
            toGive -= count
            rest = count == batch.rowCount ? nil : batch.slice(count..<batch.rowCount)
            return count == batch.rowCount ? batch : batch.slice(0..<count)
        }
    }
}

extension Table {
    /// The live rows of a piece.
    func read(_ piece: RowPiece, _ projection: Projection) async throws -> RecordBatch {
        try Task.checkCancellation()
        let reader = try await FragmentReader(piece.fragment, projection, manifest, files)
        let (arrays, count) = try await reader.readLive(piece)
        let manifest = manifest
        return try projection.batch(arrays, rowCount: count) { (column) throws(LanceError) in
            let rows = piece.liveRanges.flatMap { Array($0) }
            return .uint64(try column.values(rows, of: piece.fragment, piece.vector, manifest))
        }
    }
}

extension FragmentReader {
    /// The fields' values of the live rows of a piece, and how many these are.
    func readLive(_ piece: RowPiece) async throws -> (arrays: [ArrowArray], count: Int) {
        guard piece.deleted != nil else { return (try await read(piece.rows), piece.rows.count) }
        let live = piece.live
        return (try await read(live, asScan: true), live.count)
    }
}
