import LancerArrow
import LancerBytes
import LancerStorage

/// The rows of a version in order, batch by batch, read ahead on all cores.
package struct TableScan: Sendable {
    package let table: Table
    package let projection: Projection
    /// Live rows passed over.
    package let offset: Int
    /// Most rows given.
    package let limit: Int?
    /// Most rows in a batch.
    package let batchRows: Int
    /// Fragments read, in order.
    package let fragments: [Fragment]

    /// - Throws: `invalidArgument` for a negative number.
    package init(
        table: Table,
        projection: Projection,
        offset: Int,
        limit: Int?,
        batchRows: Int?,
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
    }

    package func makeIterator() -> Iterator { Iterator(self) }

    /// Rows that become one batch.
    fileprivate struct Piece: Sendable {
        var fragment: Fragment
        /// Offsets in the fragment.
        var rows: Range<Int>
        /// Nil when none of the rows is deleted.
        var deleted: DeletionVector?
    }

    fileprivate func read(_ piece: Piece) async throws -> RecordBatch {
        try Task.checkCancellation()
        let reader = try await FragmentReader(piece.fragment, projection, table.manifest, table.files)
        guard let deleted = piece.deleted else {
            return try projection.batch(try await reader.read(piece.rows), rowCount: piece.rows.count)
        }
        let ranges = deleted.liveRanges(in: piece.rows)
        let live = ranges.reduce(0) { $0 + $1.count }
        if live < piece.rows.count / 16 {
            return try projection.batch(try await reader.take(ranges.flatMap { Array($0) }), rowCount: live)
        }
        let selection = deleted.liveBitmap(in: piece.rows)
        var arrays: [ArrowArray] = []
        for array in try await reader.read(piece.rows) { arrays.append(try array.filter(selection)) }
        return try projection.batch(arrays, rowCount: live)
    }

    /// The position of one pass over the rows. Reads ahead in tasks of its own, which end with it.
    package final class Iterator {
        private let scan: TableScan
        private var nextFragment = 0
        private var toSkip: Int
        private var toGive: Int
        /// What is left of the fragment that is being cut into pieces.
        private var rest: (fragment: Fragment, rows: Range<Int>, deleted: DeletionVector?)?
        private var ahead: [Task<RecordBatch, any Error>] = []
        private var isDone = false

        fileprivate init(_ scan: TableScan) {
            self.scan = scan
            toSkip = scan.offset
            toGive = scan.limit ?? .max
        }

        deinit { cancel() }

        private func cancel() {
            for task in ahead { task.cancel() }
            ahead = []
        }

        /// The next batch, never empty, or nil at the end.
        package func next() async throws -> RecordBatch? {
            do {
                try Task.checkCancellation()
                while !isDone, ahead.count < Machine.readAhead {
                    guard let piece = try await nextPiece() else {
                        isDone = true
                        break
                    }
                    // The only batch of all is read in place: a task costs more than a small read.
                    if ahead.isEmpty, isLastPiece {
                        isDone = true
                        return try await scan.read(piece)
                    }
                    ahead.append(Task { [scan] in try await scan.read(piece) })
                }
                guard !ahead.isEmpty else { return nil }
                let task = ahead.removeFirst()
                return try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    task.cancel()
                }
            } catch {
                isDone = true
                cancel()
                throw error
            }
        }

        /// Whether the piece just cut was the last one.
        private var isLastPiece: Bool {
            rest == nil && (toGive == 0 || nextFragment == scan.fragments.count)
        }

        /// The next rows to read; deletion vectors are read here as they are needed.
        private func nextPiece() async throws -> Piece? {
            while true {
                if let piece = cutPiece() { return piece }
                let manifest = scan.table.manifest
                guard toGive > 0, nextFragment < scan.fragments.count else { return nil }
                let fragment = scan.fragments[nextFragment]
                let files = scan.table.files
                nextFragment += 1
                let live = try await files.liveRowCount(of: fragment, manifest)
                if toSkip >= live {
                    toSkip -= live
                    continue
                }
                let deleted = try await files.deletionVector(of: fragment, manifest)
                let first = toSkip
                let end = Swift.min(live, toGive < live - first ? first + toGive : live)
                toSkip = 0
                toGive -= end - first
                let start = deleted?.offset(ofLiveRow: first) ?? first
                let last = deleted?.offset(ofLiveRow: end - 1) ?? (end - 1)
                rest = (fragment, start..<(last + 1), deleted)
            }
        }

        /// Cuts at multiples of the batch size counted from the fragment's begin, so that all passes over a fragment
        /// read the same pages; parts without a live row are passed over.
        private func cutPiece() -> Piece? {
            while let (fragment, rows, deleted) = rest {
                let end = Swift.min(rows.upperBound, (rows.lowerBound / scan.batchRows + 1) * scan.batchRows)
                rest = end < rows.upperBound ? (fragment, end..<rows.upperBound, deleted) : nil
                let piece = rows.lowerBound..<end
                guard let deleted else { return Piece(fragment: fragment, rows: piece, deleted: nil) }
                let gone = deleted.deletedCount(before: end) - deleted.deletedCount(before: rows.lowerBound)
                if gone == piece.count { continue }
                return Piece(fragment: fragment, rows: piece, deleted: gone == 0 ? nil : deleted)
            }
            return nil
        }
    }
}
