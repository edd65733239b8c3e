import LancerArrow
import LancerBytes
import LancerIndex
import LancerKernels
import Testing

@Suite("Merging and rebuilding segments; odd tables")
struct SegmentLifeTests {
    private static let data = Clustered(count: 900, dimension: 16, clusters: 10, spread: 0.4, seed: 8)

    private static func source(_ rows: Range<Int>, _ element: VectorElementType) -> RowsSource {
        var source = RowsSource(
            Array(data.floats[rows.lowerBound * 16..<rows.upperBound * 16]),
            dimension: 16,
            element: element
        )
        source.first = UInt64(rows.lowerBound)
        return source
    }

    @Test("parts of a table merged are the index of the whole", arguments: IndexCase.some)
    func merged(_ test: IndexCase) async throws {
        let parameters = test.parameters(16)
        let model = try await VectorIndexBuilder.train(Self.source(0..<900, test.element), parameters)
        let whole = try await MemoryIndex.build(model, Self.source(0..<900, test.element), parameters).bytes
        let first = try await MemoryIndex.build(model, Self.source(0..<400, test.element), parameters).bytes.open()
        // The model of a segment that was read serves as well as the one that was trained.
        let second = try await MemoryIndex.build(first.model, Self.source(400..<700, test.element), parameters)
            .bytes.open()
        let merged = try await MemoryIndex.combine([second, first], adding: Self.source(700..<900, test.element)).bytes
        #expect(merged.auxiliary.bytes == whole.auxiliary.bytes)
        // The loss is that of the training, the graphs' seed the same: equal to the byte as well.
        #expect(merged.index.bytes == whole.index.bytes)
    }

    @Test("rows dropped and renumbered are found under their new ids only", arguments: IndexCase.some)
    func remapped(_ test: IndexCase) async throws {
        let parameters = test.parameters(16)
        let segment = try await MemoryIndex.build(Self.source(0..<900, test.element), parameters).bytes.open()
        let (bytes, built) = try await MemoryIndex.combine([segment]) { $0 % 3 == 0 ? nil : (7 << 32) | (1000 - $0) }
        #expect(built.rowCount == 600)
        let copy = try await bytes.open()
        var options = SegmentSearchOptions(k: 600)
        options.ef = 600
        options.probes = .fixed(4)
        let found = try await copy.search(Array(Self.data.floats[0..<16]), options)[0]
        #expect(found.count >= 580)
        #expect(found.allSatisfy { $0.rowID >> 32 == 7 && (1000 - $0.rowID & 0xFFFF_FFFF) % 3 != 0 })
    }

    @Test("segments with different models are not merged")
    func differentModels() async throws {
        let test = IndexCase(kind: .ivfFlat, metric: .l2, element: .float32)
        var parameters = test.parameters(16)
        let first = try await MemoryIndex.build(Self.source(0..<400, .float32), parameters).bytes.open()
        parameters.seed = 7
        let second = try await MemoryIndex.build(Self.source(400..<900, .float32), parameters).bytes.open()
        await #expect(throws: LanceError(.invalidArgument, "")) { try await MemoryIndex.combine([first, second]) }
    }

    @Test("one vector, or the same one many times", arguments: IndexCase.all.filter { $0.element == .float32 })
    func oddTables(_ test: IndexCase) async throws {
        let least = test.parameters(16).leastRows
        for count in [1, 15, 300] {
            let source = RowsSource(
                (0..<count).flatMap { _ in (0..<16).map { Float($0) - 3.5 } },
                dimension: 16,
                element: .float32
            )
            if count < least {
                await #expect(throws: LanceError(.invalidArgument, "")) {
                    try await MemoryIndex.build(source, test.parameters(16))
                }
                continue
            }
            let segment = try await MemoryIndex.build(source, test.parameters(16)).bytes.open()
            #expect(segment.rowCount == count)
            var options = SegmentSearchOptions(k: 5)
            options.ef = 300
            let found = try await segment.search((0..<16).map { Float($0) }, options)[0]
            #expect(found.count == min(5, count))
            #expect(Set(found.map(\.distance)).count == 1)
            if !test.kind.hasGraph { #expect(found.map(\.rowID) == Array(0..<UInt64(min(5, count)))) }
        }
    }

    @Test("nothing to train on")
    func nothing() async throws {
        let bad = LanceError(.invalidArgument, "")
        for test in IndexCase.some {
            let empty = RowsSource([], dimension: 16, element: test.element)
            await #expect(throws: bad) { try await MemoryIndex.build(empty, test.parameters(16)) }
            var nulls = Self.source(0..<900, test.element)
            nulls.validity = Bitmap(repeating: false, count: 900)
            await #expect(throws: bad) { try await MemoryIndex.build(nulls, test.parameters(16)) }
        }
    }

    @Test("a build without rows is an index without rows", arguments: IndexCase.some)
    func noRows(_ test: IndexCase) async throws {
        let model = try await VectorIndexBuilder.train(Self.source(0..<900, test.element), test.parameters(16))
        let empty = RowsSource([], dimension: 16, element: test.element)
        let segment = try await MemoryIndex.build(model, empty, test.parameters(16)).bytes.open()
        #expect(
            segment.rowCount == 0 && segment.partitionSizes == [0, 0, 0, 0].prefix(model.partitionCount).map { $0 }
        )
        #expect(try await segment.search(Array(Self.data.floats[0..<16]), SegmentSearchOptions(k: 3)) == [[]])
    }

    @Test("a cancelled build ends and leaves no scratch file")
    func cancelled() async throws {
        let task = Task {
            let scratch = CountingScratch()
            withUnsafeCurrentTask { $0?.cancel() }
            let test = IndexCase(kind: .ivfFlat, metric: .l2, element: .float32)
            await #expect(throws: CancellationError.self) {
                try await MemoryIndex.build(Self.source(0..<900, .float32), test.parameters(16), scratch: scratch)
            }
            return scratch.made == scratch.removed
        }
        #expect(await task.value)
    }

    @Test(
        "parameters that make no sense",
        arguments: [
            { (p: inout VectorIndexParameters) in p.partitions = 0 }, { $0.sampleRate = 0 }, { $0.iterations = 0 },
            { $0.subVectors = 5 }, { $0.bits = 6 }, { $0.maxConnections = 3 }, { $0.efConstruction = 4 },
            { $0.maxLevel = 0 }, { $0.threads = 0 }, { $0.memoryLimit = 1 }, { $0.dimension = 0 },
        ] as [@Sendable (inout VectorIndexParameters) -> Void]
    )
    func badParameters(_ change: @Sendable (inout VectorIndexParameters) -> Void) {
        var parameters = VectorIndexParameters(kind: .ivfHNSWPQ, metric: .l2, element: .float32, dimension: 16)
        #expect(throws: Never.self) { try parameters.check() }
        change(&parameters)
        #expect(throws: LanceError(.invalidArgument, "")) { try parameters.check() }
    }
}
