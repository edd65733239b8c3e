import LancerBytes
import LancerKernels
import Synchronization

extension VectorIndexSegment {
    /// The nearest rows of each query, nearest first, equal distances by row id.
    ///
    /// A query that is not finite, or zero with cosine, has no answer.
    ///
    /// - Parameter queries: one after another, as many numbers each as the index has dimensions.
    /// - Throws: `invalidArgument` for options that make no sense or numbers that are not whole queries; `corrupt` and
    ///   `truncated` for a bad partition; what the source throws; `CancellationError`.
    package func search(_ queries: [Float], _ options: SegmentSearchOptions) async throws -> [[Neighbour]] {
        try options.check(model.kind)
        let dimension = model.dimension
        guard queries.count % dimension == 0 else {
            throw LanceError.invalidArgument(
                "\(queries.count) numbers are not whole queries for vectors of \(dimension) dimensions"
            )
        }
        let count = queries.count / dimension
        if count == 0 { return [] }
        if rowCount == 0 { return Array(repeating: [], count: count) }
        let search = search(options)
        let k = min(options.k, rowCount)
        let control = BuildControl(threads: count == 1 ? 1 : options.threads)
        let states = Self.states(queries, model, k, control)
        control.parallel(count) { states[$0].plan(model, options, share: search.share) }
        var active = states
        while !active.isEmpty {
            try await look(active, search, control)
            active = active.filter { $0.goesOn() }
        }
        return states.map { state in
            (options.needsOnlyRows ? state.top.unordered : state.top.sorted()).map {
                Neighbour(rowID: $0.row, distance: $0.distance)
            }
        }
    }

    private static func states(
        _ queries: [Float],
        _ model: VectorIndexModel,
        _ k: Int,
        _ control: BuildControl
    ) -> [QueryState] {
        queries.withUnsafeBufferPointer { queries in
            guard let base = queries.baseAddress else { return [] }
            return (0..<queries.count / model.dimension).map {
                QueryState(base + $0 * model.dimension, model, k: k)
            }
        }
    }

    private func search(_ options: SegmentSearchOptions) -> PartitionScanner.Search {
        // Three halves of k, as the reference.
        let (half, overflow) = options.k.addingReportingOverflow(options.k / 2)
        var share = 1.0
        let selection = options.selection?.view
        if let allowed = selection?.allowedCount { share = min(1, Double(allowed) / Double(max(rowCount, 1))) }
        return PartitionScanner.Search(
            options: options,
            ef: min(max(options.ef ?? (overflow ? .max : half), options.k), max(rowCount, 1)),
            lower: options.lowerBound ?? -.infinity,
            ceiling: options.upperBound?.nextDown ?? .infinity,
            selection: selection,
            share: share
        )
    }

    /// Looks at the partitions that each query wants next.
    private func look(_ states: [QueryState], _ search: PartitionScanner.Search, _ control: BuildControl) async throws {
        if states.count == 1 {
            let state = states[0]
            guard state.done < state.goal else { return }
            for part in parts(Array(state.order[state.done..<state.goal])) {
                let loaded = try await set(part)
                let scanner = scanners.take()
                scanner.scan(state, part[...], loaded, search)
                scanners.giveBack(scanner)
            }
            return
        }
        var wanted: Set<Int> = []
        for state in states where state.done < state.goal { wanted.formUnion(state.order[state.done..<state.goal]) }
        for part in parts(wanted.sorted()) {
            let loaded = try await set(part)
            let isAll = part.count == wanted.count
            let scanners = (0..<control.threads).map { _ in self.scanners.take() }
            control.parallel(states.count) { index, worker in
                let state = states[index]
                guard state.done < state.goal else { return }
                var own = state.order[state.done..<state.goal]
                if !isAll { own = own.filter { loaded[$0] != nil }[...] }
                scanners[worker].scan(state, own, loaded, search)
            }
            for scanner in scanners { self.scanners.giveBack(scanner) }
        }
    }

    private func set(_ numbers: [Int]) async throws -> PartitionSet {
        try Task.checkCancellation()
        var set = PartitionSet()
        for (number, partition) in zip(numbers, try await load(numbers)) { set[number] = partition }
        return set
    }

    /// Partitions in parts that are in memory together: about what the cache may hold.
    private func parts(_ numbers: [Int]) -> [[Int]] {
        let limit = max(cache.byteLimit, SegmentFiles.readBytes)
        var parts: [[Int]] = []
        var bytes = 0
        for number in numbers {
            let size = partitionSizes[number] * model.rowByteCount
            if parts.isEmpty || bytes + size > limit {
                parts.append([])
                bytes = 0
            }
            parts[parts.count - 1].append(number)
            bytes += size
        }
        return parts
    }
}

/// Scanners that wait for their next search.
final class ScannerPool: Sendable {
    private let model: VectorIndexModel
    private let free = Mutex<[PartitionScanner]>([])

    init(_ model: VectorIndexModel) { self.model = model }

    func take() -> PartitionScanner { free.withLock { $0.popLast() } ?? PartitionScanner(model) }

    func giveBack(_ scanner: PartitionScanner) { free.withLock { if $0.count < 64 { $0.append(scanner) } } }
}
