import CLancerKernels

/// Centroids in the order in which the assignment kernel wants them: panels of 32, dimension by dimension.
package struct CentroidPanels: Sendable {
    /// Stands for "no centroid": a row with NaN, or so big that no distance is finite.
    package static let none = UInt32.max

    /// Number of centroids.
    package let count: Int
    /// Numbers in each.
    package let dimension: Int

    private let packed: ScratchMemory<Float>
    private let bias: ScratchMemory<Float>

    /// Packs `count` centroids that lie row by row.
    ///
    /// - Parameters:
    ///   - metric: `.l2` for the nearest, `.dot` for the greatest inner product (`.cosine` as `.l2`, for unit vectors).
    package init(_ centroids: UnsafePointer<Float>, count: Int, dimension: Int, metric: VectorMetric = .l2) {
        let panel = Int(LK_PANEL)
        let columns = (count + panel - 1) / panel * panel
        self.count = count
        self.dimension = dimension
        packed = ScratchMemory(count: columns * dimension, repeating: 0)
        bias = ScratchMemory(count: columns, repeating: .infinity)
        for c in 0..<count {
            let row = centroids + c * dimension
            let column = packed.pointer + (c / panel * panel * dimension + c % panel)
            var square: Float = 0
            for j in 0..<dimension {
                column[j * panel] = row[j]
                square += row[j] * row[j]
            }
            bias.pointer[c] = metric == .dot ? 0 : square / 2
        }
    }

    /// The nearest centroid of each row, the lower of two equally near.
    ///
    /// - Parameters:
    ///   - rows: float32, of the same dimension.
    ///   - index: gets the centroid's number, or ``none``.
    ///   - score: gets a number s with distance² = |row|² + 2s (`.l2`), or −row·centroid (`.dot`); infinity for none.
    package func assign(
        _ rows: VectorRows,
        index: UnsafeMutablePointer<UInt32>,
        score: UnsafeMutablePointer<Float>
    ) {
        precondition(rows.element == .float32 && rows.dimension == dimension, "rows of another kind")
        lk_assign_f32(
            rows.base,
            rows.stride,
            rows.count,
            packed.pointer,
            bias.pointer,
            count,
            dimension,
            index,
            score
        )
        // Infinite and overflowing rows are as near as can be to some centroid by that sum, but belong to none.
        for r in 0..<rows.count where score[r] == -.infinity {
            index[r] = Self.none
            score[r] = .infinity
        }
    }
}

/// Sums of rows.
package enum RowSum {
    /// Adds a float row (any alignment) to `out`.
    package static func add(_ row: UnsafeRawPointer, to out: UnsafeMutablePointer<Float>, count: Int) {
        lk_add_f32(out, row, count)
    }
}
