import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex
import LancerKernels
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

/// Every change of an index, stopped before, half-way through and after each of its storage calls.
@Suite("Stopping at every storage call of an index's life")
struct IndexCrashTests {
    enum Change: String, CaseIterable, CustomTestStringConvertible {
        case create, replace, append, merge, retrain, drop, compact

        var testDescription: String { rawValue }

        func make(_ store: any ObjectStore, _ kind: VectorIndexKind) async throws {
            let table = try await Table.open(store)
            var options = IndexOptimization()
            options.threads = 1
            switch self {
            case .create: try await IndexCrashTests.create(table, "second", kind)
            case .replace: try await IndexCrashTests.create(table, "first", kind)
            case .append: _ = try await table.optimizeIndices(options) { _, _ in }
            case .merge:
                options.mode = .merge(5)
                _ = try await table.optimizeIndices(options) { _, _ in }
            case .retrain:
                options.mode = .retrain
                _ = try await table.optimizeIndices(options) { _, _ in }
            case .drop: _ = try await table.dropIndex("first", commitMessage: nil)
            case .compact:
                let rules = try CompactionRules(targetRows: 1000, deletedShare: 0.01)
                _ = try await table.compact(rules, commitMessage: nil)
            }
        }
    }

    private static let dimension = 4

    private static func source(_ ids: Range<Int>) throws -> ReaderSource<BatchList> {
        let type = ArrowType.fixedSizeList(ArrowField("item", .float32), dimension)
        let numbers = ids.flatMap { id in (0..<dimension).map { Float((id * 31 + $0 * 17) % 101) } }
        let child = ArrowArray(
            type: .float32,
            length: numbers.count,
            storage: .fixedWidth(ArrowBuffer(numbers))
        )
        let vectors = ArrowArray(type: type, length: ids.count, storage: .fixedSizeList(child: child))
        let schema = ArrowSchema([ArrowField("id", .int64), ArrowField("v", type)])
        return ReaderSource(
            BatchList(try RecordBatch(schema: schema, columns: [.int64(ids.map { Int64($0) }), vectors]))
        )
    }

    @discardableResult
    private static func create(_ table: Table, _ name: String, _ kind: VectorIndexKind) async throws -> Table {
        let column = try VectorColumn("v", of: table.manifest.schema)
        var parameters = VectorIndexParameters(
            kind: kind,
            metric: .l2,
            element: column.element,
            dimension: column.dimension
        )
        parameters.partitions = 2
        parameters.subVectors = 2
        parameters.bits = 4
        return try await table.createVectorIndex(
            on: column,
            name: name,
            replacing: true,
            parameters,
            commitMessage: nil
        ) { _, _ in }
    }

    /// Two fragments in the index, one appended since, some rows deleted.
    private static func prepare(_ store: any ObjectStore, _ kind: VectorIndexKind) async throws {
        var table = try await Table.create(store, from: try source(0..<40), try TableFixture.options(rowsPerFile: 20))
        table = try await create(table, "first", kind)
        table = try await table.append(from: try source(40..<60), try TableFixture.options())
        table = try await table.delete([RowAddress(fragment: 0, offset: 3), RowAddress(fragment: 2, offset: 5)])
    }

    /// What a reader sees of the newest version.
    private struct State: Equatable {
        var ids: [Int]
        /// Names of the indices, with the fragments of each segment.
        var indices: [String]

        init(_ store: any ObjectStore) async throws {
            let table = try await Table.open(store)
            ids = try await TableFixture.ids(table, columns: ["id"]).sorted()
            indices = try table.manifest.indexEntries().map { "\($0.name) \($0.fragments.sorted())" }
            // All rows are found, by whichever segments there are, and no deleted one.
            let column = try VectorColumn("v", of: table.manifest.schema)
            var options = NearestOptions()
            options.k = 100
            let found = try await table.nearest(to: try VectorQueries([[1, 2, 3, 4] as [Float]]), on: column, options)
            #expect(found.warnings.isEmpty)
            #expect(Set(found.addresses[0]) == (try await IndexCrashTests.addresses(table)))
            #expect(found.addresses[0].count == ids.count)
        }
    }

    private static func addresses(_ table: Table) async throws -> Set<RowAddress> {
        var result: Set<RowAddress> = []
        for fragment in table.manifest.fragments {
            let deleted = try await table.files.deletionVector(of: fragment, table.manifest)
            for offset in 0..<(fragment.physicalRowCount ?? 0) where deleted?.contains(offset) != true {
                result.insert(RowAddress(fragment: fragment.id, offset: offset))
            }
        }
        return result
    }

    @Test(
        "the index is as before or as after, finds every live row, and the next change of it works",
        arguments: Change.allCases,
        [VectorIndexKind.ivfPQ, .ivfHNSWFlat]
    )
    func stops(change: Change, kind: VectorIndexKind) async throws {
        let original = MemoryStore()
        try await Self.prepare(original, kind)
        let before = try await State(original)
        let done = MemoryStore(original.snapshot)
        try await change.make(done, kind)
        let after = try await State(done)
        #expect(before != after)
        let name = "\(change) \(kind.rawValue)"
        try await CrashingStore.stops(of: name, on: original) {
            try await change.make($0, kind)
        } _: { stop in
            let place = stop.place
            let state = try await State(stop.left)
            try await stop.expect(state, before, or: after)
            // Whatever lies around, the index can be made again.
            try await Self.create(try await Table.open(stop.left), "first", kind)
            let next = try await State(stop.left)
            #expect(next.ids == state.ids, "\(place)")
        }
    }
}
