import LancerKernels

/// How many partitions a search looks at first when nobody says: the reference's rule, so that the same question has the same
/// answer.
///
/// With squared distances D₀ ≤ D₁ ≤ … of the query from the centroids: as many as there are Dᵢ ≤ D₀ · ratio, between a floor and
/// a cap that depend on k. For dot: a fixed number. Spec: 13-vector-index.md, "Searching a table".
enum ProbeRule {
    private struct Row {
        var most: Int
        var floor: Int
        var cap: Int
        var ratio: Float
    }

    private static let l2 = [
        Row(most: 1, floor: 5, cap: 19, ratio: 1.218),
        Row(most: 10, floor: 6, cap: 24, ratio: 1.265),
        Row(most: 100, floor: 11, cap: 38, ratio: 1.330),
        Row(most: 200, floor: 15, cap: 56, ratio: 1.375),
        Row(most: 500, floor: 22, cap: 81, ratio: 1.372),
        Row(most: 1000, floor: 29, cap: 93, ratio: 1.417),
        Row(most: .max, floor: 98, cap: 238, ratio: 1.57),
    ]

    private static let cosine = [
        Row(most: 1, floor: 3, cap: 50, ratio: 1.235),
        Row(most: 10, floor: 8, cap: 77, ratio: 1.288),
        Row(most: 100, floor: 7, cap: 106, ratio: 1.380),
        Row(most: 200, floor: 18, cap: 156, ratio: 1.415),
        Row(most: 500, floor: 28, cap: 192, ratio: 1.450),
        Row(most: 1000, floor: 34, cap: 248, ratio: 1.470),
        Row(most: .max, floor: 104, cap: 447, ratio: 1.648),
    ]

    private static let dot = [
        Row(most: 1, floor: 56, cap: 56, ratio: 1),
        Row(most: 10, floor: 144, cap: 144, ratio: 1),
        Row(most: 100, floor: 200, cap: 200, ratio: 1),
        Row(most: 200, floor: 211, cap: 211, ratio: 1),
        Row(most: 500, floor: 244, cap: 244, ratio: 1),
        Row(most: 1000, floor: 279, cap: 279, ratio: 1),
        Row(most: .max, floor: 517, cap: 517, ratio: 1),
    ]

    /// Partitions to look at first.
    ///
    /// - Parameters:
    ///   - k: rows wanted; of rows that a selection leaves, as many as lie among that many of all.
    ///   - distances: of the query from all centroids, in any order.
    static func initialCount(_ metric: VectorMetric, k: Int, distances: UnsafeBufferPointer<Float>) -> Int {
        let rows =
            switch metric {
            case .l2: l2
            case .cosine: cosine
            case .dot: dot
            }
        guard let row = rows.first(where: { k <= $0.most }) else { return distances.count }
        var near = 0
        if metric != .dot {
            var least = Float.infinity
            for distance in distances { least = min(least, distance) }
            let limit = least * row.ratio
            for distance in distances where distance <= limit { near += 1 }
        }
        return min(max(near, row.floor), row.cap, distances.count)
    }
}
