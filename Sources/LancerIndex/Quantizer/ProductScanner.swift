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
    /// Rows between two looks at the threshold where their distances are known.
    private static let group = 64

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
        var threshold = min(top.threshold, ceiling)
        func offer(_ row: Int, _ distance: Float) {
            guard distance <= threshold else { return }
            if let allowed, !allowed.allows(UInt32(truncatingIfNeeded: row), distance) { return }
            top.insert(distance: distance, row: rowIDs[row], place: place + UInt64(row))
            threshold = min(top.threshold, ceiling)
        }
        var at = 0
        while at < codes.count {
            let limit = threshold
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
            if useful, isRounded {
                let found = part.candidates(rounded, base: base, limit: limit, into: candidates.pointer)
                part.distances(table, base: base, of: candidates.pointer, count: found, into: distances.pointer)
                for i in 0..<found { offer(at + Int(candidates.pointer[i]), distances.pointer[i]) }
            } else {
                part.distances(table, base: base, into: distances.pointer)
                // The threshold falls with each group, and most rows of the next one fail it.
                for start in stride(from: 0, to: size, by: Self.group) {
                    let group = distances.pointer + start
                    let count = min(Self.group, size - start)
                    let found = DistanceFilter.atMost(threshold, in: group, count: count, into: candidates.pointer)
                    for i in 0..<found {
                        let row = Int(candidates.pointer[i])
                        offer(at + start + row, group[row])
                    }
                }
            }
            at += size
        }
        withExtendedLifetime(filter) {}
    }
}
