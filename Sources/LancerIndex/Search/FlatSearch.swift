import LancerBytes
import LancerKernels

/// Exact search: distances of queries from all vectors it is shown, the nearest of them kept.
///
/// Distances: l2 |q − x|², cosine 1 − cos, dot 1 − q·x. Rows whose distance is NaN (NaN in them, or zero with cosine) are not
/// returned; infinite distances are. Numbers of float64 columns are rounded to float32 first.
package final class FlatSearch {
    /// Prepares a search.
    ///
    /// - Parameters:
    ///   - queries: one after another, `dimension` numbers each.
    /// - Throws: `invalidArgument` for a `k` of 0, or numbers that are not whole queries.
    package init(
        queries: [Float],
        dimension: Int,
        element: VectorElementType,
        metric: VectorMetric,
        k: Int,
        lowerBound: Float? = nil,
        upperBound: Float? = nil,
        threads: Int = 1
    ) throws(LanceError) {
        throw .unsupported("exact search")
    }

    /// Looks at some vectors.
    package func add(_ block: VectorBlock, selection: RowSelection? = nil) throws(LanceError) {
        throw .unsupported("exact search")
    }

    /// The nearest rows of each query so far, nearest first, equal distances by row id.
    package func results() -> [[Neighbour]] { [] }

    /// Exact distances of one query from vectors, one for each, null or not.
    package static func distances(
        _ query: [Float],
        _ metric: VectorMetric,
        values: ArrowBuffer,
        element: VectorElementType
    ) throws(LanceError) -> [Float] {
        throw .unsupported("exact search")
    }
}
