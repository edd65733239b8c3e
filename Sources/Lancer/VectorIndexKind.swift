import LancerIndex

/// Which index of vectors is made, with the settings that only that kind has.
///
/// All divide the rows into partitions by the nearest of so many centroids, and a search looks at a few of these. Where
/// the number is nil, it follows from the rows as in the reference: a partition for 4,096 rows of a flat index, for 8,192
/// of a PQ or SQ index, for 1,048,576 of one with graphs, at most 4,096. PQ indices have at most one for 256 rows.
public enum VectorIndexKind: Sendable, Hashable {
    /// Vectors as they are: exact distances, as many bytes as the column.
    case ivfFlat(partitions: Int? = nil)
    /// Product quantisation: a vector becomes `subVectors` codes of 4 or 8 bits. Smallest; distances are approximate, so
    /// ask for a refine factor. Nil takes sub-vectors of 8 numbers.
    case ivfPQ(partitions: Int? = nil, subVectors: Int? = nil, bits: Int = 8)
    /// Scalar quantisation: a byte for each number.
    case ivfSQ(partitions: Int? = nil)
    /// A graph over the vectors as they are: fastest at high recall, largest.
    case ivfHNSWFlat(partitions: Int? = nil, graph: Graph = Graph())
    /// A graph over scalar quantised vectors.
    case ivfHNSWSQ(partitions: Int? = nil, graph: Graph = Graph())
    /// A graph over product quantised vectors.
    case ivfHNSWPQ(partitions: Int? = nil, subVectors: Int? = nil, bits: Int = 8, graph: Graph = Graph())

    /// How graphs are built (HNSW: Malkov and Yashunin 2016).
    public struct Graph: Sendable, Hashable {
        /// Neighbours of a vector on the upper levels, twice as many on the lowest; 4 to 512.
        public var maxConnections = 20
        /// Candidates kept while a vector is added, at least ``maxConnections``: more make a better graph, and take longer.
        public var efConstruction = 150
        /// Levels, 1 to 64.
        public var maxLevel = 7

        /// The reference's settings, to be changed one by one.
        public init() {}

        /// Some settings, with the reference's for the others.
        public init(maxConnections: Int = 20, efConstruction: Int = 150, maxLevel: Int = 7) {
            self.maxConnections = maxConnections
            self.efConstruction = efConstruction
            self.maxLevel = maxLevel
        }
    }

    /// Puts the settings where the engine wants them.
    func parameters(
        _ metric: DistanceMetric,
        _ element: VectorElementType,
        dimension: Int
    ) -> VectorIndexParameters {
        func make(_ kind: LancerIndex.VectorIndexKind, _ partitions: Int?) -> VectorIndexParameters {
            var result = VectorIndexParameters(
                kind: kind,
                metric: metric.vectorMetric,
                element: element,
                dimension: dimension
            )
            result.partitions = partitions
            return result
        }
        var result: VectorIndexParameters
        switch self {
        case .ivfFlat(let partitions): return make(.ivfFlat, partitions)
        case .ivfSQ(let partitions): return make(.ivfSQ, partitions)
        case .ivfPQ(let partitions, let subVectors, let bits):
            result = make(.ivfPQ, partitions)
            result.subVectors = subVectors
            result.bits = bits
            return result
        case .ivfHNSWFlat(let partitions, let graph):
            result = make(.ivfHNSWFlat, partitions)
            graph.set(in: &result)
        case .ivfHNSWSQ(let partitions, let graph):
            result = make(.ivfHNSWSQ, partitions)
            graph.set(in: &result)
        case .ivfHNSWPQ(let partitions, let subVectors, let bits, let graph):
            result = make(.ivfHNSWPQ, partitions)
            result.subVectors = subVectors
            result.bits = bits
            graph.set(in: &result)
        }
        return result
    }
}

extension VectorIndexKind.Graph {
    fileprivate func set(in parameters: inout VectorIndexParameters) {
        parameters.maxConnections = maxConnections
        parameters.efConstruction = efConstruction
        parameters.maxLevel = maxLevel
    }
}
