import LancerArrow
import LancerFile

/// Some of the rows of a range of a fragment.
struct RowChoice: Sendable {
    /// Offsets in the fragment.
    let rows: Range<Int>
    /// One bit for each of the rows, set for those chosen.
    let bitmap: Bitmap

    /// Number of rows chosen.
    let count: Int

    init(rows: Range<Int>, bitmap: Bitmap) {
        self.rows = rows
        self.bitmap = bitmap
        count = bitmap.setCount
    }

    /// Offsets in the fragment of the rows chosen, ascending, not touching each other.
    var runs: [Range<Int>] {
        var runs: [Range<Int>] = []
        let first = rows.lowerBound
        bitmap.forEachSetRun { runs.append((first + $0.lowerBound)..<(first + $0.upperBound)) }
        return runs
    }
}

extension RowPiece {
    /// The rows that are not deleted.
    var live: RowChoice {
        RowChoice(
            rows: rows,
            bitmap: deleted?.liveBitmap(in: rows) ?? Bitmap(repeating: true, count: rows.count)
        )
    }

    /// Those live rows whose bit is set.
    func choice(ofLive selection: Bitmap) -> RowChoice {
        if deleted == nil { return RowChoice(rows: rows, bitmap: selection) }
        var result: [Range<Int>] = []
        let first = rows.lowerBound
        var live = liveRanges[...]
        // Live rows before the first of the ranges that are left.
        var before = 0
        selection.forEachSetRun { run in
            var position = run.lowerBound
            while position < run.upperBound, let range = live.first {
                if position >= before + range.count {
                    before += range.count
                    live.removeFirst()
                    continue
                }
                let end = Swift.min(run.upperBound, before + range.count)
                let start = range.lowerBound + position - before - first
                result.append(start..<(start + end - position))
                position = end
            }
        }
        return RowChoice(rows: rows, bitmap: Bitmap(runs: result, count: rows.count))
    }
}

extension FragmentReader {
    /// The fields' values of some rows. Each field comes as costs less: all rows are read and those chosen kept, or they
    /// are read one by one.
    ///
    /// - Parameter asScan: Whether blocks that single rows are in are compared with their checksums as in a scan.
    func read(_ chosen: RowChoice, asScan: Bool) async throws -> [ArrowArray] {
        if chosen.count == chosen.rows.count { return try await read(chosen.rows) }
        let share = Double(chosen.count) / Double(chosen.rows.count)
        let isSparse = sparseShares().map { share < $0 }
        let runs = isSparse.contains(true) ? chosen.runs : []
        if runs.count == 1 { return try await read(runs[0]) }
        let rows = runs.flatMap { Array($0) }
        let single = only { isSparse[$0] }
        let whole = only { !isSparse[$0] }
        var taken = try await single?.take(rows, asScan: asScan, dividing: false)[...] ?? []
        var filtered = try await whole?.read(chosen.rows)[...] ?? []
        var arrays: [ArrowArray] = []
        for sparse in isSparse {
            if sparse, let array = taken.popFirst() {
                arrays.append(array)
            } else if let array = filtered.popFirst() {
                arrays.append(try array.filter(chosen.bitmap))
            }
        }
        return arrays
    }
}
