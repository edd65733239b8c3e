import LancerArrow
import LancerBytes
import LancerIndex
import LancerKernels

extension Table {
    /// Exact distances of some rows from each query.
    ///
    /// Vectors come from memory where an earlier search has put them, and are read where it has not: each once, whatever the
    /// number of queries that want it, in the order they are stored.
    ///
    /// - Parameter rows: For each query the rows, live ones by address with their ids.
    /// - Returns: For each query the rows that have a vector and a distance in range, nearest first, at most `k`.
    /// - Throws: `corrupt`, `truncated`, `io`.
    func exactDistances(
        _ rows: [[(id: UInt64, address: RowAddress)]],
        of queries: VectorQueries,
        _ column: VectorColumn,
        _ metric: VectorMetric,
        _ options: NearestOptions
    ) async throws -> [[Neighbour]] {
        var comparison = ExactComparison(rows, DistanceFunction(metric, queries, column.element), options)
        for run in comparison.runs(atMost: Swift.max(1, BatchSize.targetBytes / column.byteCount)) {
            try Task.checkCancellation()
            try await compare(run, column, &comparison)
        }
        return comparison.best.map { $0.sorted().map { Neighbour(rowID: $0.row, distance: $0.distance) } }
    }

    /// Compares rows of one fragment.
    private func compare(_ run: Range<Int>, _ column: VectorColumn, _ comparison: inout ExactComparison) async throws {
        let address = comparison.wanted[run.lowerBound].address
        guard let fragment = manifest.fragment(address.fragment) else {
            throw LanceError.invalidArgument("there is no fragment \(address.fragment)")
        }
        let key = VectorShelf.Key(fragment: fragment.id, fieldID: column.fieldID, files: fragment.files)
        let missing = comparison.compare(run, files.indices.vectors, key, byteCount: column.byteCount)
        if missing.isEmpty { return }
        let rowCount = try await files.physicalRowCount(of: fragment, manifest)
        var offsets = missing.map { Int(comparison.wanted[$0].address.offset) }
        if !comparison.isSorted { offsets.sort() }
        offsets = offsets.withoutRepeats
        let reader = try await FragmentReader(fragment, column.projection, manifest, files)
        let batch = try column.projection.batch(try await reader.take(offsets), rowCount: offsets.count)
        let values = try column.values(batch.columns[0])
        values.buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            func vector(_ place: Int) -> UnsafeRawPointer? {
                values.valid?[place] ?? true ? base + place * column.byteCount : nil
            }
            comparison.compare(missing, at: offsets, vector)
            files.indices.vectors.keep(
                key,
                rowCount: rowCount,
                width: column.byteCount,
                offsets: offsets,
                limit: files.indices.vectorByteLimit,
                vector: vector
            )
        }
    }
}

extension Manifest {
    /// The fragment with an id.
    ///
    /// - Complexity: constant or logarithmic where ids ascend, as all known writers see to.
    func fragment(_ id: UInt64) -> Fragment? {
        if id < fragments.count, fragments[Int(id)].id == id { return fragments[Int(id)] }
        var (low, high) = (0, fragments.count)
        while low < high {
            let middle = (low + high) / 2
            if fragments[middle].id < id { low = middle + 1 } else { high = middle }
        }
        if low < fragments.count, fragments[low].id == id { return fragments[low] }
        return fragments.first { $0.id == id }
    }
}

/// Rows that are compared with queries, and what was found of them.
private struct ExactComparison {
    struct Wanted {
        var address: RowAddress
        var query: Int
        var id: UInt64
    }

    private(set) var wanted: [Wanted] = []
    private(set) var best: [TopK]
    /// Whether ``wanted`` is in the order of addresses: when queries share rows, or the rows are of several fragments.
    private(set) var isSorted = false
    private let function: DistanceFunction
    private let options: NearestOptions

    init(
        _ rows: [[(id: UInt64, address: RowAddress)]],
        _ function: DistanceFunction,
        _ options: NearestOptions
    ) {
        self.function = function
        self.options = options
        best = rows.map { _ in TopK(limit: options.k) }
        wanted.reserveCapacity(rows.reduce(0) { $0 + $1.count })
        for (query, list) in rows.enumerated() {
            for row in list { wanted.append(Wanted(address: row.address, query: query, id: row.id)) }
        }
        let first = wanted.first?.address.fragment
        if rows.count > 1 || !wanted.allSatisfy({ $0.address.fragment == first }) {
            wanted.sort { $0.address < $1.address }
            isSorted = true
        }
    }

    /// Parts of ``wanted``, each of one fragment and of so many rows at most.
    func runs(atMost limit: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start = 0
        var rows = 0
        for index in wanted.indices {
            let isOther = index > start && wanted[index].address.fragment != wanted[start].address.fragment
            let isNew = index == start || wanted[index].address != wanted[index - 1].address
            if isOther || (isNew && rows == limit) {
                runs.append(start..<index)
                start = index
                rows = 0
            }
            if isNew || index == start { rows += 1 }
        }
        if start < wanted.count { runs.append(start..<wanted.count) }
        return runs
    }

    /// Compares the rows whose vectors are in memory.
    ///
    /// - Parameter byteCount: Bytes of a vector.
    /// - Returns: The others.
    mutating func compare(_ run: Range<Int>, _ shelf: VectorShelf, _ key: VectorShelf.Key, byteCount: Int) -> [Int] {
        let found = shelf.find(key, count: run.count) { Int(wanted[run.lowerBound + $0].address.offset) }
        var missing: [Int] = []
        withExtendedLifetime(found) {
            for index in run {
                // The next row's vector may be anywhere in memory.
                if index + 1 < run.upperBound, case .bytes(let next) = found[index + 1 - run.lowerBound] {
                    MemoryHint.willRead(next, byteCount: byteCount)
                }
                switch found[index - run.lowerBound] {
                case .bytes(let bytes): compare(index, bytes)
                case .null: break
                case .unknown: missing.append(index)
                }
            }
        }
        return missing
    }

    /// Compares rows that were read.
    ///
    /// - Parameters:
    ///   - offsets: The rows that were read, ascending.
    ///   - vector: The vector of one of them.
    mutating func compare(_ rows: [Int], at offsets: [Int], _ vector: (Int) -> UnsafeRawPointer?) {
        for index in rows {
            guard let place = offsets.place(of: Int(wanted[index].address.offset)), let bytes = vector(place) else {
                continue
            }
            compare(index, bytes)
        }
    }

    private mutating func compare(_ index: Int, _ bytes: UnsafeRawPointer) {
        var distance: Float = 0
        let query = wanted[index].query
        function.distances(query: query, bytes, count: 1, into: &distance)
        if options.isInRange(distance) { best[query].insert(distance: distance, row: wanted[index].id) }
    }
}

extension [Int] {
    /// Ascending numbers, each once.
    fileprivate var withoutRepeats: [Int] {
        var result: [Int] = []
        result.reserveCapacity(count)
        for value in self where value != result.last { result.append(value) }
        return result
    }

    /// Where a number is among ascending ones.
    fileprivate func place(of value: Int) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value ? low : nil
    }
}
