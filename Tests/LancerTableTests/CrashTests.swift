import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

/// Every change, stopped before, half-way through and after each of its storage calls.
@Suite("Stopping at every storage call")
struct CrashTests {
    /// A change of the fixture's table.
    enum Change: String, CaseIterable, CustomTestStringConvertible {
        case append, overwrite, delete, deleteWhere, update, merge, addNullColumns, addComputedColumns
        case addColumnsOfSource, dropColumn, config, compact, cleanUp, tag, moveTag, deleteTag, restore

        var testDescription: String { rawValue }

        func make(_ store: any ObjectStore) async throws {
            let table = try await Table.open(store)
            switch self {
            case .append: _ = try await TableFixture.append(table, 100..<105)
            case .overwrite:
                _ = try await table.overwrite(from: try TableFixture.source(200..<203), try TableFixture.options())
            case .delete:
                _ = try await table.delete([
                    RowAddress(fragment: 0, offset: 2), RowAddress(fragment: 1, offset: 0),
                    RowAddress(fragment: 1, offset: 9),
                ])
            case .merge:
                let rows = try await CollectedRows(TableFixture.source(25..<35), byteLimit: 1 << 20)
                _ = try await table.merge(
                    rows,
                    on: ["id"],
                    MergeClauses(matched: .update(if: nil), notMatched: .insert, notMatchedBySource: .keep),
                    MergeWriteOptions(
                        limits: try TableFixture.options().limits,
                        commitMessage: nil,
                        isDryRun: false
                    )
                )
            case .deleteWhere: _ = try await table.delete(where: "id % 7 = 3")
            case .update:
                let limits = try TableFixture.options().limits
                _ = try await table.update(["id": "id + 1000"], where: "id < 15", limits: limits)
            case .addNullColumns:
                _ = try await table.addColumns([.nulls(ArrowField("more", .utf8))], commitMessage: nil)
            case .addComputedColumns:
                _ = try await table.addColumns([.expression(name: "twice", "id * 2")], commitMessage: nil)
            case .addColumnsOfSource:
                let source = try TableFixture.source(500..<538, name: "other")
                _ = try await table.addColumns(from: source, commitMessage: nil)
            case .dropColumn: _ = try await table.dropColumns(["gone"], commitMessage: nil)
            case .config:
                var change = ConfigChange()
                change.config = MapChange(["a": "b"])
                _ = try await table.updateConfig(change, commitMessage: nil)
            case .compact:
                _ = try await table.compact(
                    try CompactionRules(targetRows: 1000, deletedShare: 0.1),
                    commitMessage: nil
                )
            case .cleanUp:
                let plan = try await table.planCleanup(
                    CleanupRules(committedBefore: nil, versionsKept: 1, orphansBefore: .max)
                )
                try await table.clean(plan)
            case .tag: try await TagList(store: store).create("new", 2)
            case .moveTag: try await TagList(store: store).move("old", to: 3)
            case .deleteTag: try await TagList(store: store).delete("old")
            case .restore: _ = try await Table.open(store, version: 2).restore(commitMessage: nil)
            }
        }
    }

    /// Four fragments, some rows deleted, a tag, five versions; a column of nulls where one is to be dropped.
    private static func prepare(_ store: any ObjectStore, for change: Change) async throws {
        var table = try await TableFixture.create(store, 0..<10)
        table = try await TableFixture.append(table, 10..<20)
        table = try await TableFixture.append(table, 20..<30)
        table = try await TableFixture.append(table, 30..<40)
        table = try await table.delete([RowAddress(fragment: 0, offset: 5), RowAddress(fragment: 2, offset: 5)])
        if change == .dropColumn {
            _ = try await table.addColumns([.nulls(ArrowField("gone", .int32))], commitMessage: nil)
        }
        try await TagList(store: store).create("old", 2)
    }

    /// What a reader sees of the newest version.
    struct State: Equatable {
        var ids: [Int]
        var columns: [String]
        var config: [String: String]

        init(_ store: any ObjectStore) async throws {
            let table = try await Table.open(store)
            ids = try await TableFixture.ids(table).sorted()
            columns = table.manifest.schema.fields.map(\.name)
            config = table.manifest.config
            #expect(table.unreadable.isEmpty)
        }
    }

    @Test(
        "the table has its old or its new state, every version is whole, the next commit works",
        arguments: Change.allCases
    )
    func stops(change: Change) async throws {
        let original = MemoryStore()
        try await Self.prepare(original, for: change)
        let before = try await State(original)
        let done = MemoryStore(original.snapshot)
        try await change.make(done)
        let after = try await State(done)
        try await CrashingStore.stops(of: "\(change)", on: original) {
            try await change.make($0)
        } _: { stop in
            let place = stop.place
            let state = try await State(stop.left)
            try await stop.expect(state, before, or: after)
            // The table goes on as if nothing had happened, whatever lies around.
            if state.columns == ["id"] {
                let next = try await TableFixture.append(try await Table.open(stop.left), 900..<901)
                #expect(try await TableFixture.ids(next).sorted() == (state.ids + [900]).sorted(), "\(place)")
            } else {
                var config = ConfigChange()
                config.config = MapChange(["next": "yes"])
                let next = try await Table.open(stop.left).updateConfig(config, commitMessage: nil)
                #expect(try await TableFixture.ids(next).sorted() == state.ids, "\(place)")
            }
        }
    }

    @Test("a creator that is stopped leaves no table or a whole one")
    func creating() async throws {
        try await CrashingStore.stops(of: "creation", on: MemoryStore()) {
            _ = try await TableFixture.create($0, 0..<10, rowsPerFile: 4)
        } _: { stop in
            if try await Table.exists(stop.left) {
                #expect(try await TableFixture.ids(try await Table.open(stop.left)) == Array(0..<10), "\(stop.place)")
                try await stop.expectSound()
            } else {
                let next = try await TableFixture.create(stop.left, 0..<3)
                #expect(try await TableFixture.ids(next) == [0, 1, 2], "\(stop.place)")
            }
        }
    }
}

/// Commits whose answer is lost.
@Suite("Unknown outcomes")
struct UnknownOutcomeTests {
    /// A store that puts a manifest and then says that it failed, or that somebody else's is there.
    private final class LyingStore: ObjectStore {
        let base: MemoryStore
        let answer: LanceError

        init(_ base: MemoryStore, _ answer: LanceError) {
            self.base = base
            self.answer = answer
        }

        var root: String { base.root }
        func open(_ path: String) async throws(LanceError) -> any StoredObject { try await base.open(path) }
        func read(_ path: String, limit: Int) async throws(LanceError) -> ArrowBuffer {
            try await base.read(path, limit: limit)
        }
        func list(_ directory: String) async throws(LanceError) -> [String] { try await base.list(directory) }
        func entries(_ directory: String) async throws(LanceError) -> [StoredEntry] {
            try await base.entries(directory)
        }
        func exists(_ path: String) async throws(LanceError) -> Bool { try await base.exists(path) }
        func put(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) { try await base.put(path, bytes) }
        func putIfAbsent(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
            try await base.putIfAbsent(path, bytes)
            if ManifestName(String(path.split(separator: "/").last ?? "")) != nil { throw answer }
        }
        func delete(_ path: String) async throws(LanceError) { try await base.delete(path) }
        func create(_ path: String) throws(LanceError) -> any ObjectSink { try base.create(path) }
    }

    @Test("a manifest that was put although the store says it was not is found, and put once only")
    func lies() async throws {
        for answer in [LanceError(.io, "timed out"), LanceError(.alreadyExists, "somebody has it")] {
            let base = MemoryStore()
            let store = LyingStore(base, answer)
            var table = try await TableFixture.create(store, 0..<3)
            #expect(table.manifest.version == 1)
            table = try await TableFixture.append(table, 3..<6)
            table = try await table.delete([RowAddress(fragment: 0, offset: 0)])
            let newest = try await Table.open(base)
            #expect(newest.manifest.version == 3 && table.manifest.version == 3)
            #expect(try await TableFixture.ids(newest) == [1, 2, 3, 4, 5])
            #expect(try await TableCheck(store: base, isDeep: true).run().orphans.isEmpty)
        }
    }
}
