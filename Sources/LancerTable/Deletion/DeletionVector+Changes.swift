import LancerBytes

extension DeletionVector {
    /// The deleted offsets, ascending.
    package var offsets: [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(count)
        for run in runs {
            for offset in run { result.append(UInt32(truncatingIfNeeded: offset)) }
        }
        return result
    }

    /// Rows deleted in this or the other vector.
    package func union(_ other: DeletionVector) -> DeletionVector {
        if count == 0 { return other }
        if other.count == 0 { return self }
        var builder = RunBuilder()
        var left = runs[...]
        var right = other.runs[...]
        while let run = Self.nextRun(&left, &right) { builder.add(run) }
        return builder.finish()
    }

    /// Takes the run that starts first.
    private static func nextRun(
        _ left: inout ArraySlice<Range<Int>>,
        _ right: inout ArraySlice<Range<Int>>
    ) -> Range<Int>? {
        guard let one = left.first else { return right.popFirst() }
        guard let other = right.first else { return left.popFirst() }
        return one.lowerBound <= other.lowerBound ? left.popFirst() : right.popFirst()
    }

    /// Whether a row is deleted in both.
    package func intersects(_ other: DeletionVector) -> Bool {
        var left = runs[...]
        var right = other.runs[...]
        while let one = left.first, let two = right.first {
            if one.overlaps(two) { return true }
            if one.upperBound <= two.upperBound { left.removeFirst() } else { right.removeFirst() }
        }
        return false
    }

    /// The rows of this vector that `other` does not have.
    package func subtracting(_ other: DeletionVector) -> DeletionVector {
        if other.count == 0 { return self }
        var builder = RunBuilder()
        for run in runs {
            for live in other.liveRanges(in: run) { builder.add(live) }
        }
        return builder.finish()
    }

    /// Puts a vector together from runs that come in the order of their starts and may overlap.
    struct RunBuilder {
        private var runs: [Range<Int>] = []

        mutating func add(_ run: Range<Int>) {
            if let last = runs.last, run.lowerBound <= last.upperBound {
                runs[runs.count - 1] = last.lowerBound..<Swift.max(last.upperBound, run.upperBound)
            } else {
                runs.append(run)
            }
        }

        func finish() -> DeletionVector { DeletionVector(runs: runs) }
    }
}
