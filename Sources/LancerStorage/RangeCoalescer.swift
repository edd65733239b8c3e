/// Turns many small ranges into few reads.
///
/// Ranges that overlap, touch or have at most ``gap`` bytes between them become one read of at most ``limit`` bytes
/// (a single range may be longer). Every range lies in exactly one read.
package struct RangeCoalescer: Sendable {
    /// Bytes that are cheaper to read and throw away than a second request.
    package var gap: UInt64
    /// Longest read made of several ranges, in bytes.
    package var limit: UInt64

    /// One read and the ranges it serves.
    package struct Read: Sendable, Hashable {
        /// Bytes to read.
        package var bytes: Range<UInt64>
        /// Which elements of ``Plan/order`` are the ranges inside.
        package var members: Range<Int>
    }

    /// The reads that serve some ranges. Two arrays whatever the number of ranges, since a take makes one such plan.
    package struct Plan: Sendable {
        /// By offset.
        package var reads: [Read]
        /// Positions, in the list asked for, of the ranges, by offset.
        package var order: [Int]
    }

    /// For a local disk: a call costs about as much as copying 8 KiB.
    package static let local = RangeCoalescer(gap: 8 << 10, limit: 8 << 20)

    /// Makes a coalescer.
    package init(gap: UInt64, limit: UInt64) {
        self.gap = gap
        self.limit = limit
    }

    /// The reads that serve `ranges`. Empty ranges take part in none.
    package func plan(for ranges: [Range<UInt64>]) -> Plan {
        var order: [Int] = []
        order.reserveCapacity(ranges.count)
        var isSorted = true
        for (index, range) in ranges.enumerated() where !range.isEmpty {
            if let last = order.last, ranges[last].lowerBound > range.lowerBound { isSorted = false }
            order.append(index)
        }
        if !isSorted { order.sort { ranges[$0].lowerBound < ranges[$1].lowerBound } }
        var reads: [Read] = []
        reads.reserveCapacity(order.count)
        for (place, index) in order.enumerated() {
            let range = ranges[index]
            if let last = reads.last?.bytes {
                let end = Swift.max(last.upperBound, range.upperBound)
                // No overflow: the ranges are sorted by their start.
                let near = range.lowerBound <= last.upperBound || range.lowerBound - last.upperBound <= gap
                let inside = range.upperBound <= last.upperBound
                if near, inside || end - last.lowerBound <= limit {
                    reads[reads.count - 1].bytes = last.lowerBound..<end
                    reads[reads.count - 1].members = reads[reads.count - 1].members.lowerBound..<(place + 1)
                    continue
                }
            }
            reads.append(Read(bytes: range, members: place..<(place + 1)))
        }
        return Plan(reads: reads, order: order)
    }
}
