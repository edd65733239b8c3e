import LancerBytes
import LancerIndex
import LancerKernels
import LancerStorage

/// A search with an index: each of its segments, and by comparison the rows that it does not cover.
/// Spec: 13-vector-index.md, "Searching a table".
struct IndexSearch {
    private let table: Table
    private let queries: VectorQueries
    private let column: VectorColumn
    private let options: NearestOptions
    private let choice: IndexChoice
    private let filter: RowFilter?

    /// As many rows as this are compared one by one where that gives the same distances: sooner done, and complete.
    private static let fewRows = 512

    init(
        _ table: Table,
        _ queries: VectorQueries,
        _ column: VectorColumn,
        _ options: NearestOptions,
        _ choice: IndexChoice,
        _ filter: RowFilter?
    ) {
        self.table = table
        self.queries = queries
        self.column = column
        self.options = options
        self.choice = choice
        self.filter = filter?.isAlwaysTrue == true ? nil : filter
    }

    /// For each query at most k neighbours, nearest first.
    ///
    /// - Throws: `invalidArgument`, `corrupt`, `truncated`, `io`.
    func run() async throws -> [[Neighbour]] {
        if filter?.isNeverTrue == true { return Array(repeating: [], count: queries.count) }
        if let ef = options.ef, ef < options.k, choice.segments.contains(where: { $0.segment.model.kind.hasGraph }) {
            throw LanceError.invalidArgument("ef is \(ef), k is \(options.k); ef must be at least k")
        }
        let rest = options.indexedRowsOnly ? [] : choice.uncovered
        let isExact = options.refine != nil || !rest.isEmpty || hasDifferentScales
        var chosen: FragmentRuns?
        if let filter {
            let covered = Set(choice.segments.flatMap { $0.entry.fragments.map { UInt64($0) } })
            let runs = try await table.rows(
                where: filter,
                in: table.manifest.fragments.filter { covered.contains($0.id) }
            )
            let count = runs.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } }
            let few = isExact || hasExactDistances ? Swift.max(options.k, Self.fewRows) : options.k
            if options.maximumProbes == nil, count <= few {
                return try await compare(runs, rest)
            }
            chosen = runs
        }
        let wanted = options.k * (options.refine ?? 1)
        var candidates = try await searchSegments(wanted, chosen, needsOnlyRows: isExact && choice.segments.count == 1)
        if !isExact { return candidates.map { Array($0.prefix(options.k)) } }
        candidates = candidates.map { Array($0.prefix(wanted)) }
        return try await nearest(of: try await table.addresses(of: candidates), rest)
    }

    /// Whether the segments' distances are those of a comparison.
    private var hasExactDistances: Bool {
        choice.segments.allSatisfy { $0.segment.model.kind.compression == .flat }
    }

    /// Whether the distances of the segments cannot be compared with each other.
    private var hasDifferentScales: Bool {
        Set(choice.segments.map { $0.segment.model.kind.compression == .flat }).count > 1
    }

    /// Candidates of all segments together, nearest first.
    ///
    /// - Parameter needsOnlyRows: Their order and the last digits of their distances do not matter.
    private func searchSegments(
        _ wanted: Int,
        _ chosen: FragmentRuns?,
        needsOnlyRows: Bool
    ) async throws -> [[Neighbour]] {
        var found: [[Neighbour]] = Array(repeating: [], count: queries.count)
        for part in choice.segments {
            try Task.checkCancellation()
            guard part.segment.rowCount > 0 else { continue }
            var search = SegmentSearchOptions(k: Swift.min(wanted, part.segment.rowCount))
            if let minimum = options.minimumProbes, minimum == options.maximumProbes {
                search.probes = .fixed(minimum)
            } else {
                search.probes = .auto(minimum: options.minimumProbes ?? 1, maximum: options.maximumProbes)
            }
            search.rowsToFind = options.k
            search.needsOnlyRows = needsOnlyRows
            search.ef = options.ef.map { Swift.max($0, search.k) }
            search.lowerBound = options.lowerBound
            search.upperBound = options.upperBound
            search.selection = try await table.liveRows(of: part.entry, among: chosen)
            search.threads = queries.count > 1 ? Machine.coreCount : 1
            let results = try await part.segment.search(queries.floats, search)
            for (query, list) in results.enumerated() where query < found.count { found[query] += list }
        }
        if choice.segments.count == 1, !table.manifest.hasStableRowIDs { return found }
        return found.map { list in
            // An index merged by another program may have a row twice, as it was and as it is.
            var seen: Set<UInt64> = []
            return list.sorted(by: Neighbour.isNearer).filter { seen.insert($0.rowID).inserted }
        }
    }

    /// The neighbours among few rows of the index and the rows outside it, all compared.
    private func compare(_ runs: FragmentRuns, _ rest: [Fragment]) async throws -> [[Neighbour]] {
        var addresses: [RowAddress] = []
        for (fragment, runs) in runs {
            for offset in runs.joined() { addresses.append(RowAddress(fragment: fragment, offset: offset)) }
        }
        let ids = try table.rowIDs(at: addresses)
        let rows = zip(ids, addresses).map { (id: $0, address: $1) }
        return try await nearest(of: Array(repeating: rows, count: queries.count), rest)
    }

    /// The neighbours among some rows for each query and the rows outside the index, by exact distances.
    private func nearest(
        of rows: [[(id: UInt64, address: RowAddress)]],
        _ rest: [Fragment]
    ) async throws -> [[Neighbour]] {
        let others = try await table.exactNeighbours(
            of: queries,
            column,
            choice.metric,
            options,
            fragments: rest,
            filter: filter
        )
        let near = try await table.exactDistances(rows, of: queries, column, choice.metric, options)
        return zip(near, others).map { merged($0, $1) }
    }

    private func merged(_ one: [Neighbour], _ other: [Neighbour]) -> [Neighbour] {
        if other.isEmpty { return one }
        return Array((one + other).sorted(by: Neighbour.isNearer).prefix(options.k))
    }
}

extension Neighbour {
    /// Nearer rows first; at the same distance the one with the smaller id.
    static func isNearer(_ a: Neighbour, _ b: Neighbour) -> Bool {
        a.distance < b.distance || (a.distance == b.distance && a.rowID < b.rowID)
    }
}

extension Table {
    /// The rows of some fragments for which a condition is true.
    ///
    /// - Throws: `invalidArgument` for values that cannot be computed, `corrupt`, `truncated`, `io`.
    func rows(where filter: RowFilter, in fragments: [Fragment]) async throws -> FragmentRuns {
        let pieceRows = filter.pieceRows(with: nil, of: manifest)
        let stream = PieceStream(PieceCutter(self, fragments, pieceRows: pieceRows)) { piece in
            (piece.fragment.id, try await runs(of: piece, where: filter))
        }
        var result: FragmentRuns = [:]
        while let (fragment, runs) = try await stream.next() { result[fragment, default: []] += runs }
        return result
    }

    /// Where the rows are that an index named. Rows that are not there, which only a damaged index can name, are left out.
    ///
    /// - Throws: `corrupt`, `io`.
    func addresses(of neighbours: [[Neighbour]]) async throws -> [[(id: UInt64, address: RowAddress)]] {
        // A selection let them pass, so that without stable ids the rows are there.
        guard manifest.hasStableRowIDs else {
            return neighbours.map { $0.map { (id: $0.rowID, address: RowAddress(rawValue: $0.rowID)) } }
        }
        var found = try await addresses(ofRowIDs: neighbours.joined().map(\.rowID)).makeIterator()
        return neighbours.map { list in
            list.compactMap { neighbour in
                (found.next() ?? nil).map { (id: neighbour.rowID, address: $0) }
            }
        }
    }
}
