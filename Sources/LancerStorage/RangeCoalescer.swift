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
        /// Positions, in the list asked for, of the ranges inside.
        package var members: [Int]

        /// Makes a read.
        package init(bytes: Range<UInt64>, members: [Int]) {
            self.bytes = bytes
            self.members = members
        }
    }

    /// For a local disk: a call costs about as much as copying 8 KiB.
    package static let local = RangeCoalescer(gap: 8 << 10, limit: 8 << 20)

    /// Makes a coalescer.
    package init(gap: UInt64, limit: UInt64) {
        self.gap = gap
        self.limit = limit
    }

    /// The reads that serve `ranges`, by offset. Empty ranges take part in none.
    package func reads(for ranges: [Range<UInt64>]) -> [Read] {
        var order = ranges.indices.filter { !ranges[$0].isEmpty }
        let sorted = zip(order, order.dropFirst()).allSatisfy { ranges[$0].lowerBound <= ranges[$1].lowerBound }
        if !sorted { order.sort { ranges[$0].lowerBound < ranges[$1].lowerBound } }
        var result: [Read] = []
        for index in order {
            let range = ranges[index]
            if let last = result.last?.bytes {
                let end = Swift.max(last.upperBound, range.upperBound)
                // No overflow: the ranges are sorted by their start.
                let near = range.lowerBound <= last.upperBound || range.lowerBound - last.upperBound <= gap
                let inside = range.upperBound <= last.upperBound
                if near, inside || end - last.lowerBound <= limit {
                    result[result.count - 1].bytes = last.lowerBound..<end
                    result[result.count - 1].members.append(index)
                    continue
                }
            }
            result.append(Read(bytes: range, members: [index]))
        }
        return result
    }
}
