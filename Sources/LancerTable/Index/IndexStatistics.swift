import LancerBytes
import LancerIndex
import LancerKernels
import LancerProto

/// What is in one segment of a vector index.
package struct SegmentStatistics: Sendable {
    package var entry: IndexEntry
    package var kind: VectorIndexKind
    package var metric: VectorMetric
    package var element: VectorElementType
    package var dimension: Int
    /// Rows of each partition.
    package var partitionSizes: [Int]
    /// Sum of squared distances of the trained rows from their centroids.
    package var loss: Double?
    /// Of product quantisation.
    package var subVectors: Int?
    package var bits: Int?
    /// Of graphs.
    package var graph: VectorIndexDetails.Graph?
    /// Bytes of its files.
    package var byteCount: UInt64
}

extension Table {
    /// Opens the segments of an index and says what is in them.
    ///
    /// - Throws: `notFound`, `unsupported` for kinds that Lancer does not know, `corrupt`, `truncated`, `io`.
    package func indexStatistics(_ name: String) async throws -> (entries: [IndexEntry], segments: [SegmentStatistics])
    {
        let entries = try manifest.indexEntries().filter { $0.name == name }
        guard !entries.isEmpty else { throw try noIndex(named: name) }
        var result: [SegmentStatistics] = []
        for entry in entries where !entry.fragments.isEmpty || !entry.message.files.isEmpty {
            guard entry.mayBeVectorIndex, entry.hasKnownVersion, let fieldID = entry.fieldIDs.first else {
                throw LanceError.unsupported("statistics of index \"\(name)\", which is \(entry.typeName)")
            }
            let column = try VectorColumn(fieldID: fieldID, of: manifest.schema)
            let segment = try await files.indices.open(entry, column, manifest, files)
            let model = segment.model
            result.append(
                SegmentStatistics(
                    entry: entry,
                    kind: model.kind,
                    metric: model.metric,
                    element: model.element,
                    dimension: model.dimension,
                    partitionSizes: segment.partitionSizes,
                    loss: model.loss,
                    subVectors: model.product?.subvectors,
                    bits: model.product?.bits ?? (model.scalar == nil ? nil : 8),
                    graph: model.kind.hasGraph
                        ? VectorIndexDetails.Graph(
                            maxConnections: model.graph.maxConnections,
                            constructionEf: model.graph.efConstruction,
                            maxLevel: model.graph.maxLevel
                        ) : nil,
                    byteCount: segment.byteCount
                )
            )
        }
        return (entries, result)
    }

    /// How many of the k nearest rows an index finds, on average over some rows of the table as queries.
    ///
    /// - Parameters:
    ///   - samples: Rows asked for, chosen by the seed; at most as many as have a vector.
    /// The partitions are read before the time is taken, as far as the cache holds them.
    ///
    /// - Returns: The share found, 0 to 1, and the number of queries; nil when no row has a vector.
    /// - Throws: `invalidArgument`, `corrupt`, `truncated`, `io`, `CancellationError`.
    package func recall(
        of name: String,
        samples: Int,
        _ options: NearestOptions,
        seed: UInt64
    ) async throws -> (recall: Double, queries: Int, seconds: Double, exactSeconds: Double)? {
        guard samples > 0 else { throw LanceError.invalidArgument("\(samples) rows to measure the recall with") }
        let entries = try manifest.indexEntries().filter { $0.name == name }
        guard let entry = entries.last else { throw try noIndex(named: name) }
        guard entry.mayBeVectorIndex, let fieldID = entry.fieldIDs.first else {
            throw LanceError.unsupported("the recall of index \"\(name)\", which is \(entry.typeName)")
        }
        let column = try VectorColumn(fieldID: fieldID, of: manifest.schema)
        let source = try await TableVectors(self, column, manifest.fragments, memoryLimit: 1 << 30)
        let block = try await source.sample(samples, seed: seed)
        guard block.count > 0 else { return nil }
        let queries = try VectorQueries(block.values, count: block.count, column)
        var search = options
        let choice = try await chooseIndex(on: column, search, named: name)
        search.metric = choice.metric
        for part in choice.segments { try await part.segment.prewarm() }
        let clock = ContinuousClock()
        let start = clock.now
        let found = try await neighbours(of: queries, column, search, choice, nil)
        let middle = clock.now
        let expected = try await exactNeighbours(of: queries, column, choice.metric, search)
        let end = clock.now
        var hits = 0
        var all = 0
        for (list, best) in zip(found, expected) {
            let ids = Set(best.map(\.rowID))
            hits += list.prefix(best.count).count { ids.contains($0.rowID) }
            all += best.count
        }
        func seconds(_ duration: Duration) -> Double {
            Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        }
        return (
            all == 0 ? 1 : Double(hits) / Double(all), block.count, seconds(middle - start), seconds(end - middle)
        )
    }
}
