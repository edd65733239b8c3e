import LancerBytes

/// What a search in a segment wants.
package struct SegmentSearchOptions: Sendable {
    /// How many partitions are looked at.
    package enum Probes: Sendable, Equatable {
        /// So many, no more; the answer may have fewer than k rows.
        case fixed(Int)
        /// By distances of the centroids (the reference's rule), then on until k rows are found; within bounds.
        case auto(minimum: Int = 1, maximum: Int? = nil)
    }

    /// Rows wanted.
    package var k: Int
    package var probes: Probes = .auto()
    /// Rows that ``Probes/auto(minimum:maximum:)`` looks for, where they are fewer than ``k``: candidates that exact distances
    /// choose from do not make it look further (as in the reference).
    package var rowsToFind: Int?
    /// Candidates that a graph search keeps; nil: one and a half times k.
    package var ef: Int?
    /// Whether exact distances will choose among the rows: then they come in no order, and their distances may lack the last
    /// digits. They are the same rows.
    package var needsOnlyRows = false
    /// Least distance, on the index's scale; included.
    package var lowerBound: Float?
    /// Greatest distance; excluded.
    package var upperBound: Float?
    /// Rows that may be returned; nil for all.
    package var selection: RowSelection?
    /// Threads for several queries; a single query uses one.
    package var threads = 1

    /// The k nearest rows, with the usual settings.
    package init(k: Int) { self.k = k }

    /// Checks the options of a search in an index of a kind.
    ///
    /// - Throws: `invalidArgument`.
    package func check(_ kind: VectorIndexKind) throws(LanceError) {
        guard k > 0 else { throw .invalidArgument("a search wants at least 1 row, not \(k)") }
        switch probes {
        case .fixed(let count):
            guard count > 0 else { throw .invalidArgument("a search looks at 1 partition at least, not \(count)") }
        case .auto(let minimum, let maximum):
            guard minimum > 0, maximum ?? minimum >= minimum else {
                throw .invalidArgument("at least \(minimum) and at most \(maximum ?? minimum) partitions make no sense")
            }
        }
        if kind.hasGraph, let ef, ef < k {
            throw .invalidArgument("ef (\(ef)) must not be less than the number of rows wanted (\(k))")
        }
        guard threads > 0 else { throw .invalidArgument("a search needs at least 1 thread, not \(threads)") }
    }
}

/// A row that was found.
package struct Neighbour: Sendable, Equatable {
    package var rowID: UInt64
    /// On the scale of the index (see ``VectorIndexSegment``) or exact.
    package var distance: Float

    /// Makes a neighbour.
    package init(rowID: UInt64, distance: Float) {
        self.rowID = rowID
        self.distance = distance
    }
}
