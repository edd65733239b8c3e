import LancerIndex
import LancerKernels

/// Vectors from a mixture of Gaussians, as floats row by row.
struct Clustered {
    let floats: [Float]
    let count: Int
    let dimension: Int

    init(count: Int, dimension: Int, clusters: Int, spread: Float, seed: UInt64, queriesOf other: UInt64? = nil) {
        var centers = SeededRandom(seed: seed)
        let middle = (0..<clusters * dimension).map { _ in Self.normal(&centers) }
        var random = SeededRandom(seed: other ?? seed &+ 1)
        var values: [Float] = []
        values.reserveCapacity(count * dimension)
        for _ in 0..<count {
            let c = random.below(clusters)
            for j in 0..<dimension { values.append(middle[c * dimension + j] + spread * Self.normal(&random)) }
        }
        floats = values
        self.count = count
        self.dimension = dimension
    }

    private static func normal(_ random: inout SeededRandom) -> Float {
        // The sum of twelve uniform numbers: near enough to a Gaussian, without a logarithm.
        Float((0..<12).reduce(-6.0) { sum, _ in sum + random.unit() })
    }

    func withRows<R>(_ body: (VectorRows) throws -> R) rethrows -> R {
        try floats.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("test data are never empty") }
            return try body(VectorRows(base, count: count, dimension: dimension))
        }
    }

    func row(_ index: Int) -> [Float] { Array(floats[index * dimension..<(index + 1) * dimension]) }

    /// Ids of the k nearest rows, by exact search.
    func nearest(_ k: Int, to query: [Float]) -> [UInt32] {
        var out = [Float](repeating: 0, count: count)
        withRows { $0.distances(.l2, from: query, into: &out) }
        var top = TopK(limit: k)
        for (i, distance) in out.enumerated() { top.insert(distance: distance, row: UInt64(i)) }
        return top.sorted().map { UInt32($0.row) }
    }
}

/// A copy of numbers that stays where it is until the tests end, for views that outlive a call.
func kept<T: BitwiseCopyable>(_ values: [T]) -> UnsafePointer<T> {
    let copy = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
    for (i, value) in values.enumerated() { (copy + i).initialize(to: value) }
    return UnsafePointer(copy)
}
