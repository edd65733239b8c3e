import LancerArrow
import LancerBytes
import LancerIndex
import LancerKernels

/// Exact distances between query vectors and the vectors of a column.
struct DistanceFunction: Sendable {
    let metric: VectorMetric
    private let element: VectorElementType
    private let dimension: Int
    /// The queries, in columns of halves rounded to such, as the reference does it.
    private let floats: [Float]
    /// Lengths of the query vectors; only for cosine.
    private let norms: [Float]
    /// The queries as doubles, for columns of such.
    private let doubles: [Double]

    init(_ metric: VectorMetric, _ queries: VectorQueries, _ element: VectorElementType) {
        self.metric = metric
        self.element = element
        dimension = queries.dimension
        let floats = element == .float16 ? Self.rounded(queries.floats) : queries.floats
        self.floats = floats
        doubles = element == .float64 ? queries.doubles ?? queries.floats.map { Double($0) } : []
        norms =
            metric == .cosine
            ? (0..<queries.count).map { index in
                let query = floats[(index * queries.dimension)..<((index + 1) * queries.dimension)]
                return Float(query.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot())
            } : []
    }

    private static func rounded(_ values: [Float]) -> [Float] {
        var result = values
        let halves = ArrowBuffer(count: values.count * 2) { target in
            values.withUnsafeBufferPointer { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                HalfConversion.narrow(from, count: source.count, into: to)
            }
        }
        halves.withUnsafeBytes { source in
            result.withUnsafeMutableBufferPointer { target in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                HalfConversion.widen(from, count: target.count, into: to)
            }
        }
        return result
    }

    /// Distances of vectors that lie back to back from one query.
    ///
    /// - Parameters:
    ///   - rows: The first vector's first byte.
    ///   - out: Gets a distance for each of the `count` vectors; NaN where there is none.
    func distances(query: Int, _ rows: UnsafeRawPointer, count: Int, into out: UnsafeMutablePointer<Float>) {
        if element == .float64 {
            doubles.withUnsafeBufferPointer { all in
                guard let base = all.baseAddress else { return }
                for row in 0..<count {
                    out[row] = Self.distance(metric, base + query * dimension, rows + row * dimension * 8, dimension)
                }
            }
            return
        }
        let vectors = VectorRows(
            rows,
            count: count,
            dimension: dimension,
            element: element == .float16 ? .float16 : .float32
        )
        floats.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return }
            let norm = metric == .cosine ? norms[query] : 1
            vectors.distances(metric, from: base + query * dimension, norm: norm, into: out)
        }
    }

    /// Doubles are compared as such: their differences may be lost in floats.
    private static func distance(
        _ metric: VectorMetric,
        _ query: UnsafePointer<Double>,
        _ row: UnsafeRawPointer,
        _ dimension: Int
    ) -> Float {
        var (sum, other) = (SIMD4<Double>.zero, SIMD4<Double>.zero)
        let whole = dimension & ~3
        let queryBytes = UnsafeRawPointer(query)
        for j in stride(from: 0, to: whole, by: 4) {
            let q = queryBytes.loadUnaligned(fromByteOffset: 8 * j, as: SIMD4<Double>.self)
            let x = row.loadUnaligned(fromByteOffset: 8 * j, as: SIMD4<Double>.self)
            switch metric {
            case .l2:
                let difference = q - x
                sum += difference * difference
            case .dot: sum += q * x
            case .cosine:
                sum += q * x
                other += x * x
            }
        }
        var (first, second) = (sum.sum(), other.sum())
        for j in whole..<dimension {
            let x = row.loadUnaligned(fromByteOffset: 8 * j, as: Double.self)
            let q = query[j]
            first += metric == .l2 ? (q - x) * (q - x) : q * x
            second += x * x
        }
        switch metric {
        case .l2: return Float(first)
        case .dot: return Float(1 - first)
        case .cosine:
            let length = (0..<dimension).reduce(0.0) { $0 + query[$1] * query[$1] }
            return Float(1 - first / (length.squareRoot() * second.squareRoot()))
        }
    }
}
