import LancerKernels

/// One query on its way through the partitions. Used by one thread at a time.
final class QueryState: @unchecked Sendable {
    /// The query as the index sees it: rounded to the column's numbers, for cosine of length one.
    let vector: ScratchMemory<Float>
    /// Its length.
    let norm: Float
    /// Whether the query can have an answer: not with NaN or infinity in it, nor zero with cosine.
    let isUsable: Bool
    /// Partitions with the nearest centroids first; as far as they were sorted.
    private(set) var order: [Int] = []
    /// How many of ``order`` were looked at, and how many are to be looked at now.
    var done = 0
    var goal = 0
    /// Partitions at most.
    private(set) var most = 0
    /// Rows after which no further partitions are looked at.
    private var enough = 0
    var top: TopK
    private var keys: [UInt64] = []

    init(_ query: UnsafePointer<Float>, _ model: VectorIndexModel, k: Int) {
        let dimension = model.dimension
        vector = ScratchMemory(count: dimension, repeating: 0)
        isUsable = QueryVector.prepare(query, count: dimension, model.element, model.metric, into: vector.pointer)
        norm = Float(VectorSum.exactSquares(vector.pointer, dimension).squareRoot())
        top = TopK(limit: isUsable ? k : 0)
    }

    /// Chooses partitions.
    ///
    /// - Parameter share: of the rows, how many a selection leaves (0...1).
    func plan(_ model: VectorIndexModel, _ options: SegmentSearchOptions, share: Double) {
        guard isUsable else { return }
        enough = min(options.rowsToFind ?? options.k, top.limit)
        let count = model.partitionCount
        let distances = ScratchMemory<Float>(count: count, repeating: 0)
        let centroids = VectorRows(model.centroids.pointer, count: count, dimension: model.dimension)
        centroids.distances(model.metric == .dot ? .dot : .l2, from: vector.pointer, into: distances.pointer)
        keys = (0..<count).map { GraphKey(distance: distances.pointer[$0], node: UInt32($0)) }
        switch options.probes {
        case .fixed(let number):
            goal = min(number, count)
            most = goal
        case .auto(let minimum, let maximum):
            most = min(maximum ?? count, count)
            // Of k rows that a selection leaves, the farthest is where k / share of all rows are. They are spread over more
            // partitions than as many neighbours at close quarters, for which the rule was made.
            let least = max(share, 1e-9)
            let rows = Int(exactly: (Double(options.rowsToFind ?? options.k) / least).rounded()) ?? .max
            let number = ProbeRule.initialCount(
                model.metric,
                k: min(rows, 1 << 40),
                distances: UnsafeBufferPointer(start: distances.pointer, count: count)
            )
            let spread = Int((Double(number) / least.squareRoot()).rounded(.down))
            goal = min(max(minimum, spread), most)
        }
        sort(goal)
    }

    /// Puts the nearest `wanted` partitions in order.
    private func sort(_ wanted: Int) {
        if wanted * 4 < keys.count {
            var heap = KeyHeap(isMinimumFirst: false)
            for key in keys {
                if heap.count < wanted {
                    heap.push(key)
                } else if let worst = heap.first, key < worst {
                    heap.replaceFirst(key)
                }
            }
            order = heap.all.sorted().map { Int($0.node) }
        } else {
            keys.sort()
            order = keys.map { Int($0.node) }
        }
    }

    /// Whether more rows are wanted than were found, and there are partitions left: then ``goal`` has grown.
    func goesOn() -> Bool {
        done = goal
        guard isUsable, top.count < enough, goal < most else { return false }
        goal = min(most, goal + max(1, goal / 2))
        if order.count < goal { sort(keys.count) }
        return true
    }
}

/// Queries as an index or an exact search compares them.
enum QueryVector {
    /// Rounds a query to the column's numbers and, for cosine, scales it to length one.
    ///
    /// - Returns: whether it can be near anything: false with NaN or infinity in it, or zero with cosine.
    static func prepare(
        _ query: UnsafePointer<Float>,
        count: Int,
        _ element: VectorElementType,
        _ metric: VectorMetric,
        into out: UnsafeMutablePointer<Float>
    ) -> Bool {
        for j in 0..<count { out[j] = query[j] }
        element.round(out, count: count)
        let sum = VectorSum.exactSquares(out, count)
        guard sum.isFinite else { return false }
        guard metric == .cosine else { return true }
        guard sum > 0 else { return false }
        let scale = 1 / sum.squareRoot()
        for j in 0..<count { out[j] = Float(Double(out[j]) * scale) }
        element.round(out, count: count)
        return true
    }
}
