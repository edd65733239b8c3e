import LancerBytes
import LancerIndex
import LancerKernels
import LancerTable

/// What is in an index of vectors.
public struct IndexStatistics: Sendable, Hashable {
    /// What is in one of its segments.
    public struct Segment: Sendable, Hashable {
        /// Name of its directory in `_indices`.
        public let uuid: String
        /// The kind, for example `IVF_PQ`; segments of one index may be of several.
        public let kind: String
        /// Its metric.
        public let metric: DistanceMetric
        /// Type of the vectors' numbers: `float16`, `float32` or `float64`.
        public let elementType: String
        /// Numbers in a vector.
        public let dimension: Int
        /// Rows of each partition.
        public let partitionSizes: [Int]
        /// Sum of squared distances of the rows it was trained on from their centroids; nil when it is not noted.
        public let loss: Double?
        /// Sub-vectors of product quantisation.
        public let subVectors: Int?
        /// Bits of a code.
        public let bits: Int?
        /// How its graphs were built; nil without graphs.
        public let graph: VectorIndexKind.Graph?
        /// Bytes of its files.
        public let sizeInBytes: UInt64

        /// Rows in it: of all partitions, those deleted since counted.
        public var rowCount: Int { partitionSizes.reduce(0, +) }
        /// How much longer a search is for the partitions' being of different sizes: 1 when all are equal, otherwise the
        /// rows of the partition that an average row is in, by the rows of an average partition.
        public var imbalance: Double {
            guard rowCount > 0 else { return 1 }
            let squares = partitionSizes.reduce(0.0) { $0 + Double($1) * Double($1) }
            return squares * Double(partitionSizes.count) / (Double(rowCount) * Double(rowCount))
        }
    }

    /// The index as the table lists it.
    public let index: IndexDescription
    /// Its segments, oldest first; those that are still to be trained left out.
    public let segments: [Segment]
}

/// How well an index finds the nearest rows.
public struct IndexRecall: Sendable, Hashable {
    /// The share of the k nearest rows that are found, on average, 0 to 1.
    public let recall: Double
    /// Rows of the table that were asked for.
    public let queryCount: Int
    /// Rows wanted of each query.
    public let k: Int
    /// Time of the search with the index, all queries together.
    public let searchTime: Duration
    /// Time of the comparison with all rows, all queries together.
    public let exactTime: Duration
}

extension Dataset {
    /// Opens an index of vectors and says what is in it.
    ///
    /// - Throws: `notFound` when there is no index of that name, `unsupported` for indices that Lancer does not know,
    ///   `corrupt`, `truncated`, `io`.
    /// - Complexity: reads the centroids and codebooks, no rows.
    public func indexStatistics(_ name: String) async throws -> IndexStatistics {
        let (_, segments) = try await table.indexStatistics(name)
        guard let index = try await indices().first(where: { $0.name == name }) else {
            throw LanceError(.notFound, "there is no index \"\(name)\"")
        }
        return IndexStatistics(index: index, segments: segments.map { IndexStatistics.Segment($0) })
    }

    /// Measures how many of the k nearest rows an index finds, against a comparison with all rows, with rows of the table
    /// as queries.
    ///
    /// - Parameters:
    ///   - samples: Rows to ask for, chosen at random by `seed`.
    ///   - k: Rows wanted of each.
    ///   - options: How to search.
    /// - Returns: Nil when no row has a vector.
    /// - Throws: `notFound`, `unsupported`, `invalidArgument`, `corrupt`, `truncated`, `io`, or `CancellationError`.
    public func indexRecall(
        _ name: String,
        samples: Int = 100,
        k: Int = 10,
        options: NearestSearch = NearestSearch(),
        seed: UInt64 = 42
    ) async throws -> IndexRecall? {
        let measured = try await table.recall(of: name, samples: samples, try options.options(k: k), seed: seed)
        return measured.map {
            IndexRecall(
                recall: $0.recall,
                queryCount: $0.queries,
                k: k,
                searchTime: .seconds($0.seconds),
                exactTime: .seconds($0.exactSeconds)
            )
        }
    }
}

extension IndexStatistics.Segment {
    fileprivate init(_ segment: SegmentStatistics) {
        uuid = segment.entry.uuid
        kind = segment.kind.rawValue
        metric = DistanceMetric(segment.metric)
        elementType = segment.element.rawValue
        dimension = segment.dimension
        partitionSizes = segment.partitionSizes
        loss = segment.loss
        subVectors = segment.subVectors
        bits = segment.bits
        graph = segment.graph.map {
            VectorIndexKind.Graph(
                maxConnections: $0.maxConnections,
                efConstruction: $0.constructionEf,
                maxLevel: $0.maxLevel
            )
        }
        sizeInBytes = segment.byteCount
    }
}
