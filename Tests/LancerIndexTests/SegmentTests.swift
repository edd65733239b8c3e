import LancerArrow
import LancerBytes
import LancerIndex
import LancerKernels
import Testing

/// A kind of index with a metric and an element type.
struct IndexCase: CustomTestStringConvertible, Sendable {
    var kind: VectorIndexKind
    var metric: VectorMetric
    var element: VectorElementType
    var bits = 8

    var testDescription: String { "\(kind.rawValue) \(bits) \(metric.name) \(element.rawValue)" }

    static let all = VectorIndexKind.allCases.flatMap { kind in
        VectorMetric.allCases.flatMap { metric in
            VectorElementType.allCases.flatMap { element in
                (kind.compression == .product ? [8, 4] : [8]).map {
                    IndexCase(kind: kind, metric: metric, element: element, bits: $0)
                }
            }
        }
    }

    /// A few, one of each kind.
    static let some = [
        IndexCase(kind: .ivfFlat, metric: .l2, element: .float32),
        IndexCase(kind: .ivfPQ, metric: .cosine, element: .float16),
        IndexCase(kind: .ivfSQ, metric: .dot, element: .float32),
        IndexCase(kind: .ivfHNSWFlat, metric: .cosine, element: .float64),
        IndexCase(kind: .ivfHNSWSQ, metric: .l2, element: .float16),
        IndexCase(kind: .ivfHNSWPQ, metric: .l2, element: .float32),
        IndexCase(kind: .ivfPQ, metric: .dot, element: .float32, bits: 4),
    ]

    func parameters(_ dimension: Int) -> VectorIndexParameters {
        var parameters = VectorIndexParameters(kind: kind, metric: metric, element: element, dimension: dimension)
        parameters.partitions = 4
        parameters.subVectors = dimension / 2
        parameters.bits = bits
        parameters.maxConnections = 8
        parameters.efConstruction = 40
        parameters.threads = 2
        return parameters
    }
}

@Suite("Segments of vector indexes")
struct SegmentTests {
    static let dimension = 16
    static let data = Clustered(count: 1000, dimension: dimension, clusters: 20, spread: 0.4, seed: 3)
    static let queries = Clustered(count: 20, dimension: dimension, clusters: 20, spread: 0.4, seed: 3, queriesOf: 99)

    private static func exact(
        _ metric: VectorMetric,
        _ source: RowsSource,
        _ element: VectorElementType,
        k: Int
    ) throws -> [[Neighbour]] {
        let search = try FlatSearch(
            queries: queries.floats,
            dimension: dimension,
            element: element,
            metric: metric,
            k: k
        )
        try search.add(source.block(Array(0..<source.rowCount)))
        return search.results()
    }

    private static func recall(_ found: [[Neighbour]], _ exact: [[Neighbour]]) -> Double {
        let hits = zip(found, exact).map { Set($0.map(\.rowID)).intersection($1.map(\.rowID)).count }
        return Double(hits.reduce(0, +)) / Double(exact.reduce(0) { $0 + $1.count })
    }

    @Test("an index of every kind finds what exact search finds", arguments: IndexCase.all)
    func everyKind(_ test: IndexCase) async throws {
        let source = RowsSource(Self.data.floats, dimension: Self.dimension, element: test.element)
        let (bytes, built) = try await MemoryIndex.build(source, test.parameters(Self.dimension))
        #expect(built.rowCount == 1000 && built.skippedRowCount == 0)
        #expect(
            built.indexByteCount == UInt64(bytes.index.count)
                && built.auxiliaryByteCount == UInt64(bytes.auxiliary.count)
        )
        let segment = try await bytes.open(element: test.element, dimension: Self.dimension)
        #expect(segment.partitionSizes == built.partitionSizes && segment.rowCount == 1000)
        var ids: [UInt64] = []
        for partition in segment.partitionSizes.indices {
            let own = try await segment.rowIDs(ofPartition: partition)
            #expect(own == own.sorted())
            ids += own
        }
        #expect(ids.sorted() == Array(0..<1000))
        var options = SegmentSearchOptions(k: 10)
        options.probes = .fixed(4)
        options.ef = 80
        let found = try await segment.search(Self.queries.floats, options)
        let recall = Self.recall(found, try Self.exact(test.metric, source, test.element, k: 10))
        let least =
            switch test.kind.compression {
            case .flat: test.kind.hasGraph ? 0.97 : test.element == .float32 ? 1 : 0.98
            case .scalar: 0.93
            case .product: test.bits == 8 ? 0.7 : 0.35
            }
        #expect(recall >= least)
        // One by one, or together on some threads, with partitions in the cache or not: the same.
        options.threads = 3
        #expect(try await segment.search(Self.queries.floats, options) == found)
        let small = try await bytes.open(cache: PartitionCache(byteLimit: 1))
        for q in 0..<Self.queries.count {
            #expect(try await small.search(Self.queries.row(q), options)[0] == found[q])
        }
    }

    @Test("the same rows and seed give the same bytes, whatever threads and memory", arguments: IndexCase.some)
    func sameBytes(_ test: IndexCase) async throws {
        let data = Clustered(
            count: test.kind.hasGraph ? 2000 : 16_000,
            dimension: 32,
            clusters: 20,
            spread: 0.4,
            seed: 4
        )
        var source = RowsSource(data.floats, dimension: 32, element: test.element)
        var parameters = test.parameters(32)
        let first = try await MemoryIndex.build(source, parameters)
        parameters.threads = 1
        source.blockRows = 3000
        let scratch = CountingScratch()
        // Too little for the graphs of a real build; here it only makes the rows go to scratch files.
        let limit = test.kind.hasGraph ? 256 << 20 : 1 << 20
        let second = try await MemoryIndex.build(source, parameters, memoryLimit: limit, scratch: scratch)
        #expect(first.bytes.index.bytes == second.bytes.index.bytes)
        #expect(first.bytes.auxiliary.bytes == second.bytes.auxiliary.bytes)
        #expect(scratch.made == scratch.removed)
        if test.kind == .ivfFlat { #expect(scratch.made > 1) }
    }

    @Test("null, infinite and NaN vectors are left out, with cosine those of zeros too")
    func unusableRows() async throws {
        var floats = Self.data.floats
        floats[3 * 16] = .nan
        floats[5 * 16 + 7] = .infinity
        for j in 0..<16 { floats[9 * 16 + j] = 0 }
        for metric in VectorMetric.allCases {
            var source = RowsSource(floats, dimension: 16, element: .float32)
            source.validity = Bitmap((0..<1000).map { $0 != 11 })
            let test = IndexCase(kind: .ivfFlat, metric: metric, element: .float32)
            let (bytes, built) = try await MemoryIndex.build(source, test.parameters(16))
            let skipped: Set<UInt64> = metric == .cosine ? [3, 5, 9, 11] : [3, 5, 11]
            #expect(built.skippedRowCount == skipped.count)
            let segment = try await bytes.open()
            let found = try await segment.search(Self.queries.row(0), SegmentSearchOptions(k: 5000))[0]
            #expect(found.count == 1000 - skipped.count)
            #expect(skipped.isDisjoint(with: found.map(\.rowID)))
        }
    }

    @Test("selections, ranges of distances and few probes", arguments: IndexCase.some)
    func options(_ test: IndexCase) async throws {
        let source = RowsSource(Self.data.floats, dimension: 16, element: test.element)
        let segment = try await MemoryIndex.build(source, test.parameters(16)).bytes.open()
        var options = SegmentSearchOptions(k: 1000)
        options.probes = .fixed(4)
        options.ef = 1000
        let all = try await segment.search(Self.queries.row(0), options)[0]
        #expect(all.count == (test.kind.hasGraph ? all.count : 1000))
        for (left, right) in zip(all, all.dropFirst()) {
            #expect((left.distance, left.rowID) < (right.distance, right.rowID))
        }
        // Rows of a selection come in the same order, wide or narrow.
        for divisor: UInt64 in [2, 40] {
            var words = [UInt64](repeating: 0, count: 16)
            for row in 0..<1000 where UInt64(row) % divisor == 1 { words[row / 64] |= 1 << UInt64(row % 64) }
            var selection = RowSelection(others: false)
            selection.set(group: 0, words: words)
            options.k = 20
            options.ef = 600
            options.selection = selection
            let found = try await segment.search(Self.queries.row(0), options)[0]
            let wanted = all.filter { $0.rowID % divisor == 1 }.prefix(20)
            #expect(found.count == 20 && found.allSatisfy { $0.rowID % divisor == 1 })
            #expect(Set(found.map(\.rowID)).intersection(wanted.map(\.rowID)).count >= 19)
        }
        options.selection = nil
        options.k = 30
        options.ef = 1000
        options.lowerBound = all[10].distance
        options.upperBound = all[25].distance
        let middle = try await segment.search(Self.queries.row(0), options)[0]
        #expect(middle.allSatisfy { $0.distance >= all[10].distance && $0.distance < all[25].distance })
        #expect(Set(middle.map(\.rowID)).intersection(all[10..<25].map(\.rowID)).count >= 14)
        options.lowerBound = nil
        options.upperBound = nil
        options.k = 950
        options.ef = 950
        options.probes = .fixed(1)
        #expect(try await segment.search(Self.queries.row(0), options)[0].count < 950)
        options.probes = .auto()
        #expect(try await segment.search(Self.queries.row(0), options)[0].count >= 900)
    }

    @Test("bad options and queries")
    func badOptions() async throws {
        let source = RowsSource(Self.data.floats, dimension: 16, element: .float32)
        let test = IndexCase(kind: .ivfHNSWFlat, metric: .cosine, element: .float32)
        let segment = try await MemoryIndex.build(source, test.parameters(16)).bytes.open()
        let query = Self.queries.row(0)
        let bad = LanceError(.invalidArgument, "")
        await #expect(throws: bad) { try await segment.search(query, SegmentSearchOptions(k: 0)) }
        await #expect(throws: bad) { try await segment.search(query + [1], SegmentSearchOptions(k: 1)) }
        var options = SegmentSearchOptions(k: 3)
        options.ef = 2
        await #expect(throws: bad) { try await segment.search(query, options) }
        options.ef = nil
        options.probes = .fixed(0)
        await #expect(throws: bad) { try await segment.search(query, options) }
        options.probes = .auto(minimum: 3, maximum: 2)
        await #expect(throws: bad) { try await segment.search(query, options) }
        options.probes = .auto()
        #expect(try await segment.search([], options).isEmpty)
        #expect(try await segment.search([Float](repeating: 0, count: 16), options) == [[]])
        #expect(try await segment.search([Float](repeating: .nan, count: 16), options) == [[]])
        #expect(try await segment.search(query, SegmentSearchOptions(k: .max))[0].count > 950)
    }

    @Test("the cache keeps to its limit, and forgets a segment that is gone")
    func cacheLimit() async throws {
        let source = RowsSource(Self.data.floats, dimension: 16, element: .float32)
        let test = IndexCase(kind: .ivfFlat, metric: .l2, element: .float32)
        let bytes = try await MemoryIndex.build(source, test.parameters(16)).bytes
        let cache = PartitionCache(byteLimit: 40_000)
        do {
            let first = try await bytes.open(cache: cache)
            let second = try await bytes.open(cache: cache)
            var options = SegmentSearchOptions(k: 3)
            options.probes = .fixed(4)
            for q in 0..<Self.queries.count {
                let found = try await first.search(Self.queries.row(q), options)
                #expect(try await second.search(Self.queries.row(q), options) == found)
                #expect(cache.byteCount <= 40_000)
            }
            #expect(cache.byteCount > 0)
        }
        #expect(cache.byteCount == 0)
    }

    @Test("exact search: several queries or one, on threads or not", arguments: VectorElementType.allCases)
    func exactSearch(_ element: VectorElementType) throws {
        var source = RowsSource(Self.data.floats, dimension: 16, element: element)
        source.validity = Bitmap((0..<1000).map { $0 % 7 != 0 })
        for metric in VectorMetric.allCases {
            func search(_ queries: [Float], _ threads: Int, _ range: ClosedRange<Float>? = nil) throws -> [[Neighbour]]
            {
                let search = try FlatSearch(
                    queries: queries,
                    dimension: 16,
                    element: element,
                    metric: metric,
                    k: 10,
                    lowerBound: range?.lowerBound,
                    upperBound: range?.upperBound,
                    threads: threads
                )
                for start in stride(from: 0, to: 1000, by: 300) {
                    try search.add(source.block(Array(start..<min(1000, start + 300))))
                }
                return search.results()
            }
            let one = try search(Self.queries.floats, 1)
            for threads in [3, 50] { #expect(try search(Self.queries.floats, threads) == one) }
            for q in 0..<Self.queries.count { #expect(try search(Self.queries.row(q), 4)[0] == one[q]) }
            // Against distances worked out row by row.
            let all = try FlatSearch.distances(
                Self.queries.row(0),
                metric,
                values: source.values,
                element: element
            )
            let order = all.indices.filter { $0 % 7 != 0 }.sorted { (all[$0], $0) < (all[$1], $1) }
            #expect(one[0].map(\.rowID) == order.prefix(10).map { UInt64($0) })
            #expect(one[0].map(\.distance) == order.prefix(10).map { all[$0] })
            let range = try search(Self.queries.row(0), 2, all[order[5]]...all[order[9]])[0]
            #expect(range.map(\.rowID) == order[5..<9].map { UInt64($0) })
        }
    }
}
