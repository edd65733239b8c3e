import LancerKernels

/// Scans partitions of product codes for the nearest rows; one per thread, reused for many queries.
///
/// A row is first judged by a table rounded down to bytes: as soon as k rows are known, only rows whose lower bound does not
/// exceed the k-th distance are summed exactly. Hits and distances are those of a plain scan.
package final class ProductScanner {
    /// Rows between two looks at the threshold.
    private static let block = 4096
    /// Rows that are summed exactly at once, when nothing is known yet.
    private static let first = 512

    private let rounded: RoundedTable
    private let distances = ScratchMemory<Float>(count: ProductScanner.block, repeating: 0)
    private let candidates = ScratchMemory<UInt32>(count: ProductScanner.block + 64, repeating: 0)
    private let codewords: Int
    private let subvectors: Int
    private var isRounded = false

    /// A scanner for codes of these sizes.
    package init(subvectors: Int, bits: Int) {
        codewords = 1 << bits
        self.subvectors = subvectors
        rounded = RoundedTable(subvectors: subvectors, codewords: codewords)
    }

    /// Scans a partition.
    ///
    /// - Parameters:
    ///   - table: distances of this query's sub-vectors from the codewords.
    ///   - base: added to each sum.
    ///   - isSameTable: the table is that of the last call (one table for all partitions): its rounded form is used again.
    ///   - moreRows: rows of other partitions that will be scanned with the same table.
    ///   - filter: says which rows may be returned; nil for all.
    ///   - rowIDs: the rows' ids.
    ///   - place: that of the partition's first row; one more for each row after it.
    ///   - top: gets the hits; distances above `ceiling` are not offered.
    package func scan(
        _ codes: ProductCodes,
        table: UnsafePointer<Float>,
        base: Float,
        isSameTable: Bool = false,
        moreRows: Int = 0,
        filter: NodeFilter? = nil,
        rowIDs: UnsafePointer<UInt64>,
        place: UInt64 = 0,
        ceiling: Float = .infinity,
        into top: inout TopK
    ) {
        precondition(codes.subvectors == subvectors && codes.codewords == codewords, "codes of another size")
        if !isSameTable { isRounded = false }
        let allowed = filter?.rows
        var at = 0
        while at < codes.count {
            let limit = min(top.threshold, ceiling)
            let rest = codes.count - at
            // Rounding a table costs as much as summing some hundred rows.
            let useful = limit < .infinity && codes.hasFastFilter && (isRounded || rest + moreRows >= Self.first)
            if useful, !isRounded {
                // Other partitions have another base, which this limit says nothing about.
                let isShared = isSameTable || moreRows > 0
                isRounded = rounded.update(table, limit: isShared ? .infinity : limit - base)
            }
            let size = min(rest, useful && isRounded || limit < .infinity ? Self.block : Self.first)
            let part = codes.slice(at..<at + size)
            let found: Int
            if useful, isRounded {
                found = part.candidates(rounded, base: base, limit: limit, into: candidates.pointer)
                part.distances(table, base: base, of: candidates.pointer, count: found, into: distances.pointer)
            } else {
                part.distances(table, base: base, into: distances.pointer)
                found = DistanceFilter.atMost(limit, in: distances.pointer, count: size, into: candidates.pointer)
                // Brings the distances to the places of their candidates; each moves to the front, so in place.
                for i in 0..<found { distances.pointer[i] = distances.pointer[Int(candidates.pointer[i])] }
            }
            var threshold = min(top.threshold, ceiling)
            for i in 0..<found {
                let distance = distances.pointer[i]
                guard distance <= threshold else { continue }
                let row = at + Int(candidates.pointer[i])
                if let allowed, !allowed.allows(UInt32(truncatingIfNeeded: row), distance) { continue }
                top.insert(distance: distance, row: rowIDs[row], place: place + UInt64(row))
                threshold = min(top.threshold, ceiling)
            }
            at += size
        }
        withExtendedLifetime(filter) {}
    }
}
