import LancerArrow
import LancerBytes
import LancerStorage

/// Neighbouring rows of a fragment that are worked on together.
struct RowPiece: Sendable {
    var fragment: Fragment
    /// Offsets in the fragment.
    var rows: Range<Int>
    /// All deleted rows of the fragment; nil when none is.
    var vector: DeletionVector?
    /// The same; nil when none of the piece's rows is deleted.
    var deleted: DeletionVector?

    /// Offsets of the rows that are not deleted.
    var liveRanges: [Range<Int>] { deleted?.liveRanges(in: rows) ?? [rows] }
}

/// Cuts a version into pieces with at least one live row, in row order.
struct PieceCutter {
    private let table: Table
    private let fragments: [Fragment]
    private let pieceRows: Int
    /// What is read of the pieces, when they are to follow the pages of its widest column.
    private let projection: Projection?
    /// Ends of these pages in the fragment that is being cut, and the first of them that is not behind.
    private var pageEnds: ArraySlice<Int> = []
    private var nextFragment = 0
    private var toSkip: Int
    private var toGive: Int
    /// What is left of the fragment that is being cut.
    private var rest: RowPiece?

    /// - Parameters:
    ///   - pieceRows: Most rows in a piece, or about how many when it follows pages.
    ///   - following: What is read of the pieces. A piece with parts of two pages of its widest column would have to be put
    ///     together from them, in memory that is of another size each time: that took as long as reading.
    ///   - offset: Live rows passed over.
    ///   - limit: Most live rows.
    init(
        _ table: Table,
        _ fragments: [Fragment],
        pieceRows: Int,
        offset: Int = 0,
        limit: Int? = nil,
        following projection: Projection? = nil
    ) {
        self.table = table
        self.fragments = fragments
        self.pieceRows = pieceRows
        self.projection = projection
        toSkip = offset
        toGive = limit ?? .max
    }

    /// Whether the piece given last was the last one.
    var isAtEnd: Bool { rest == nil && (toGive == 0 || nextFragment == fragments.count) }

    /// The next rows; deletion vectors are read here as they are needed.
    mutating func next() async throws -> RowPiece? {
        while true {
            if let piece = cut() { return piece }
            guard toGive > 0, nextFragment < fragments.count else { return nil }
            let fragment = fragments[nextFragment]
            nextFragment += 1
            let live = try await table.files.liveRowCount(of: fragment, table.manifest)
            if toSkip >= live {
                toSkip -= live
                continue
            }
            let deleted = try await table.files.deletionVector(of: fragment, table.manifest)
            let first = toSkip
            let end = Swift.min(live, toGive < live - first ? first + toGive : live)
            toSkip = 0
            toGive -= end - first
            let start = deleted?.offset(ofLiveRow: first) ?? first
            let last = deleted?.offset(ofLiveRow: end - 1) ?? (end - 1)
            rest = RowPiece(fragment: fragment, rows: start..<(last + 1), vector: deleted, deleted: deleted)
            pageEnds = []
            if let projection, last + 1 - start > pieceRows {
                let reader = try await FragmentReader(fragment, projection, table.manifest, table.files)
                pageEnds = reader.widestPageEnds()[...]
            }
        }
    }

    /// Where a piece that begins at `row` ends: at a multiple of the piece size counted from the fragment's begin, so that
    /// all passes over a fragment read the same pages; or, by the pages, at a part of one or the end of the last that fits.
    private mutating func end(of row: Int) -> Int {
        while let end = pageEnds.first, end <= row { pageEnds.removeFirst() }
        guard let pageEnd = pageEnds.first else { return (row / pieceRows + 1) * pieceRows }
        let left = pageEnd - row
        let most = pieceRows + pieceRows / 4
        if left > most {
            let parts = (left + most - 1) / most
            // Whole bytes of bitmaps.
            return Swift.min(row + ((left + parts - 1) / parts).rounded(upTo: 8), pageEnd)
        }
        var end = pageEnd
        for next in pageEnds {
            if next - row > pieceRows { break }
            end = next
        }
        return end
    }

    /// Cuts off the next piece; parts without a live row are passed over.
    private mutating func cut() -> RowPiece? {
        while let whole = rest {
            let rows = whole.rows
            let end = Swift.min(rows.upperBound, end(of: rows.lowerBound))
            rest = whole
            rest?.rows = end..<rows.upperBound
            if end == rows.upperBound { rest = nil }
            var piece = whole
            piece.rows = rows.lowerBound..<end
            guard let deleted = whole.deleted else { return piece }
            let gone = deleted.deletedCount(before: end) - deleted.deletedCount(before: rows.lowerBound)
            if gone == piece.rows.count { continue }
            if gone == 0 { piece.deleted = nil }
            return piece
        }
        return nil
    }
}

/// What is made of pieces, in their order, several ahead on all cores.
final class PieceStream<Output: Sendable> {
    private let work: @Sendable (RowPiece) async throws -> Output
    private var cutter: PieceCutter
    private var ahead: [Task<Output, any Error>] = []
    private var isDone = false

    init(_ cutter: PieceCutter, _ work: @escaping @Sendable (RowPiece) async throws -> Output) {
        self.cutter = cutter
        self.work = work
    }

    deinit { cancel() }

    /// Gives up the pieces that were begun.
    func cancel() {
        isDone = true
        for task in ahead { task.cancel() }
        ahead = []
    }

    /// What came of the next piece, or nil at the end.
    func next() async throws -> Output? {
        do {
            try Task.checkCancellation()
            while !isDone, ahead.count < Machine.readAhead {
                guard let piece = try await cutter.next() else {
                    isDone = true
                    break
                }
                // The only piece of all is worked on in place: a task costs more than a small read.
                if ahead.isEmpty, cutter.isAtEnd {
                    isDone = true
                    return try await work(piece)
                }
                ahead.append(Task { [work] in try await work(piece) })
            }
            guard !ahead.isEmpty else { return nil }
            let task = ahead.removeFirst()
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            cancel()
            throw error
        }
    }
}
