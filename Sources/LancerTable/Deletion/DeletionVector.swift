import LancerArrow
import LancerBytes

/// The deleted rows of a fragment, as runs of neighbouring offsets.
///
/// Memory follows the number of runs, not of rows. Live rows are numbered 0, 1, 2 … in the order of their offsets.
package struct DeletionVector: Sendable, Hashable {
    /// First offset of each run, ascending.
    private var starts: [UInt32] = []
    /// Deleted rows up to the end of each run.
    private var deletedThrough: [UInt32] = []

    /// Number of deleted rows.
    package var count: Int { Int(deletedThrough.last ?? 0) }

    /// Nothing deleted.
    package init() {}

    /// - Parameter offsets: Deleted offsets, ascending; repeats are ignored.
    package init(sortedOffsets offsets: some Sequence<UInt32>) {
        var deleted: UInt32 = 0
        var last: UInt32?
        for offset in offsets {
            if let last {
                if offset <= last { continue }
                if offset - last > 1 {
                    deletedThrough.append(deleted)
                    starts.append(offset)
                }
            } else {
                starts.append(offset)
            }
            // A fragment has fewer than 2^32 rows.
            deleted &+= 1
            last = offset
        }
        if last != nil { deletedThrough.append(deleted) }
    }

    /// - Parameter runs: Deleted offsets as ranges, ascending, not empty and not touching each other.
    init(runs: [Range<Int>]) {
        var deleted = 0
        for run in runs {
            deleted += run.count
            // A fragment has fewer than 2^32 rows.
            starts.append(UInt32(truncatingIfNeeded: run.lowerBound))
            deletedThrough.append(UInt32(truncatingIfNeeded: deleted))
        }
    }

    /// The deleted offsets as ranges, ascending.
    package var runs: [Range<Int>] {
        starts.indices.map { Int(starts[$0])..<(Int(starts[$0]) + length($0)) }
    }

    /// The offset behind the last deleted row; 0 when there is none.
    package var upperBound: Int {
        guard let last = starts.indices.last else { return 0 }
        return Int(starts[last]) + length(last)
    }

    private func length(_ run: Int) -> Int {
        Int(deletedThrough[run]) - (run == 0 ? 0 : Int(deletedThrough[run - 1]))
    }

    /// Live rows before run `run`.
    private func liveBefore(_ run: Int) -> Int {
        Int(starts[run]) - (run == 0 ? 0 : Int(deletedThrough[run - 1]))
    }

    /// Number of runs for which `holds`, which must be true for a first part of them and false for the rest.
    private func countOfRuns(where holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The offset of live row number `row`.
    ///
    /// - Complexity: logarithmic in the number of runs.
    package func offset(ofLiveRow row: Int) -> Int {
        let runs = countOfRuns { liveBefore($0) <= row }
        return runs == 0 ? row : row + Int(deletedThrough[runs - 1])
    }

    /// Deleted rows with an offset below `offset`.
    package func deletedCount(before offset: Int) -> Int {
        let runs = countOfRuns { Int(starts[$0]) < offset }
        guard runs > 0 else { return 0 }
        let before = runs == 1 ? 0 : Int(deletedThrough[runs - 2])
        return before + Swift.min(length(runs - 1), offset - Int(starts[runs - 1]))
    }

    /// Whether the row at `offset` is deleted.
    package func contains(_ offset: Int) -> Bool {
        deletedCount(before: offset + 1) > deletedCount(before: offset)
    }

    /// The live offsets among `offsets` as ranges, ascending.
    package func liveRanges(in offsets: Range<Int>) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var position = offsets.lowerBound
        var run = countOfRuns { Int(starts[$0]) + length($0) <= position }
        while position < offsets.upperBound {
            guard run < starts.count, Int(starts[run]) < offsets.upperBound else {
                result.append(position..<offsets.upperBound)
                break
            }
            let start = Int(starts[run])
            if start > position { result.append(position..<start) }
            position = start + length(run)
            run += 1
        }
        return result
    }

    /// One bit for each of `offsets`, 1 = live.
    package func liveBitmap(in offsets: Range<Int>) -> Bitmap {
        let start = offsets.lowerBound
        let runs = liveRanges(in: offsets).map { ($0.lowerBound - start)..<($0.upperBound - start) }
        return Bitmap(runs: runs, count: offsets.count)
    }
}

extension Bitmap {
    /// - Parameter runs: The set bits, all below `count`.
    init(runs: [Range<Int>], count: Int) {
        let buffer = ArrowBuffer(count: (count + 7) / 8) { bytes in
            _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
            for run in runs {
                var bit = run.lowerBound
                while bit < run.upperBound, bit & 7 != 0 {
                    bytes[bit >> 3] |= 1 << UInt8(bit & 7)
                    bit += 1
                }
                while run.upperBound - bit >= 8 {
                    bytes[bit >> 3] = 0xFF
                    bit += 8
                }
                while bit < run.upperBound {
                    bytes[bit >> 3] |= 1 << UInt8(bit & 7)
                    bit += 1
                }
            }
        }
        self.init(buffer, count: count)
    }
}
