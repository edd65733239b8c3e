import LancerBytes
import LancerKernels

/// How the neighbours of vectors are looked for.
package struct NearestOptions: Sendable {
    /// When a condition is applied.
    package enum FilterTime: Sendable, Hashable {
        /// Only rows for which it is true are looked at.
        case before
        /// To the k nearest of all rows; fewer may be left.
        case after
    }

    /// Neighbours wanted of each query.
    package var k = 10
    /// Partitions looked at first, of each segment; nil lets distances and `k` decide.
    package var minimumProbes: Int?
    /// Most partitions looked at; nil goes on until there are `k` neighbours.
    package var maximumProbes: Int?
    /// Candidates kept in graphs, at least `k`; nil for one and a half times the neighbours wanted.
    package var ef: Int?
    /// How many times `k` candidates are taken from an index and compared exactly; nil takes its distances as they are.
    package var refine: Int?
    /// Only neighbours at least as far as this.
    package var lowerBound: Float?
    /// Only neighbours nearer than this.
    package var upperBound: Float?
    /// The metric; nil for the index's, and without an index l2.
    package var metric: VectorMetric?
    /// Whether indices are used.
    package var usesIndex = true
    /// Whether rows that no segment of the index covers are left out.
    package var indexedRowsOnly = false
    package var filterTime = FilterTime.before

    package init() {}

    /// - Throws: `invalidArgument` for numbers that make no sense.
    func check(_ queries: VectorQueries, _ column: VectorColumn) throws(LanceError) {
        guard k > 0 else { throw .invalidArgument("k is \(k); at least 1 neighbour must be asked for") }
        for (name, value) in [("minimum", minimumProbes), ("maximum", maximumProbes)] {
            if let value, value < 1 {
                throw .invalidArgument("a \(name) of \(value) partitions to look at (nprobes); at least 1 is needed")
            }
        }
        if let minimumProbes, let maximumProbes, minimumProbes > maximumProbes {
            throw .invalidArgument("a minimum of \(minimumProbes) probes and a maximum of \(maximumProbes)")
        }
        guard lowerBound?.isNaN != true, upperBound?.isNaN != true else {
            throw .invalidArgument("a bound of distances that is not a number")
        }
        if let refine, refine < 1 { throw .invalidArgument("a refine factor of \(refine); at least 1 is needed") }
        if k.multipliedReportingOverflow(by: refine ?? 1).overflow {
            throw .invalidArgument("a refine factor of \(refine ?? 1) with k = \(k)")
        }
        guard queries.count == 0 || queries.dimension == column.dimension else {
            throw .invalidArgument(
                "the query vector has \(queries.dimension) numbers, the vectors of column \"\(column.name)\" have "
                    + "\(column.dimension)"
            )
        }
    }

    /// Whether a distance is in the range asked for.
    func isInRange(_ distance: Float) -> Bool {
        (lowerBound.map { distance >= $0 } ?? true) && (upperBound.map { distance < $0 } ?? true)
    }
}
