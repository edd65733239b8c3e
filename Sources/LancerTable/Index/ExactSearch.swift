import LancerArrow
import LancerBytes
import LancerIndex
import LancerKernels

extension Table {
    /// The nearest rows of each query, by comparing it with every row.
    ///
    /// Rows without a vector, and those whose distance is not a number, are passed over.
    ///
    /// - Parameters:
    ///   - fragments: Those whose rows are looked at; nil for all.
    ///   - filter: Only rows for which it is true.
    /// - Returns: For each query at most `k` neighbours, nearest first.
    /// - Throws: `corrupt`, `truncated`, `io`.
    /// - Complexity: Reads the column once, whatever the number of queries; memory holds a few batches.
    func exactNeighbours(
        of queries: VectorQueries,
        _ column: VectorColumn,
        _ metric: VectorMetric,
        _ options: NearestOptions,
        fragments: [Fragment]? = nil,
        filter: RowFilter? = nil
    ) async throws -> [[Neighbour]] {
        let fragments = fragments ?? manifest.fragments
        var best = [TopK](repeating: TopK(limit: options.k), count: queries.count)
        if filter?.isNeverTrue == true || queries.count == 0 || fragments.isEmpty { return best.map { _ in [] } }
        let condition = filter?.isAlwaysTrue == true ? nil : filter
        let function = DistanceFunction(metric, queries, column.element)
        let rows = BatchSize.rows(for: column.projection, of: manifest)
        let pieceRows = Swift.min(rows, condition?.pieceRows(with: column.projection, of: manifest) ?? rows)
        let stream = PieceStream(PieceCutter(self, fragments, pieceRows: pieceRows)) { piece -> [TopK] in
            guard let chosen = try await read(piece, column.projection, where: condition, locating: true) else {
                return []
            }
            let values = try column.values(chosen.batch.columns[0])
            let ids = try rowIDs(chosen.runs, of: chosen.piece.fragment)
            return VectorPart(values: values, ids: ids, column: column).nearest(function, queries, options)
        }
        while let part = try await stream.next() {
            for (index, found) in part.enumerated() { best[index].merge(found) }
        }
        return best.map { $0.sorted().map { Neighbour(rowID: $0.row, distance: $0.distance) } }
    }
}

/// Vectors of some rows in memory.
private struct VectorPart {
    let values: VectorValues
    /// Ids of the rows.
    let ids: [Range<UInt64>]
    let column: VectorColumn

    /// Rows compared with all queries before the next ones are: their vectors stay in the processor's cache.
    private static let blockBytes = 256 << 10

    func nearest(
        _ function: DistanceFunction,
        _ queries: VectorQueries,
        _ options: NearestOptions
    ) -> [TopK] {
        var best = [TopK](repeating: TopK(limit: options.k), count: queries.count)
        let ids = ids.flatMap { Array($0) }
        let width = column.dimension * column.element.byteCount
        let block = Swift.max(1, Self.blockBytes / width)
        let hasRange = options.lowerBound != nil || options.upperBound != nil
        values.buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            withUnsafeTemporaryAllocation(of: Float.self, capacity: Swift.min(block, values.count)) { memory in
                guard let out = memory.baseAddress else { return }
                for start in stride(from: 0, to: values.count, by: block) {
                    let count = Swift.min(block, values.count - start)
                    for query in 0..<queries.count {
                        function.distances(query: query, base + start * width, count: count, into: out)
                        var limit = best[query].threshold
                        // A distance that is not a number fails the comparison.
                        for row in 0..<count where out[row] <= limit {
                            if hasRange, !options.isInRange(out[row]) { continue }
                            if let valid = values.valid, !valid[start + row] { continue }
                            best[query].insert(distance: out[row], row: ids[start + row])
                            limit = best[query].threshold
                        }
                    }
                }
            }
        }
        return best
    }
}
