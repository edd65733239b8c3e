import LancerArrow
import LancerBytes
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

@Suite("Compaction and cleanup")
struct MaintenanceTests {
    /// Ten fragments of ten rows, the second without a half and the last one without a row.
    private static func table(_ store: any ObjectStore) async throws -> Table {
        let table = try await TableFixture.create(store, 0..<100, rowsPerFile: 10)
        let gone = (0..<5).map { RowAddress(fragment: 1, offset: $0) } + [RowAddress(fragment: 9, offset: 3)]
        return try await table.delete(gone)
    }

    private static let rules: CompactionRules? = try? CompactionRules(targetRows: 30, deletedShare: 0.1)

    @Test("a compaction that dies at any moment leaves the rows as they were", arguments: [false, true])
    func crashes(failsAfter: Bool) async throws {
        let rules = try #require(Self.rules)
        let base = MemoryStore()
        let before = try await TableFixture.ids(try await Self.table(base))
        var calls = 0
        while true {
            let store = MemoryStore(base.snapshot)
            let failing = FailingStore(store, calls: calls, failsAfter: failsAfter)
            _ = try? await Table.open(failing).compact(rules, commitMessage: nil)
            let after = try await Table.open(MemoryStore(store.snapshot))
            #expect(try await TableFixture.ids(after) == before, "after \(calls) calls")
            #expect([10, 2].contains(after.manifest.fragments.count))
            #expect(try await TableFixture.ids(try await TableFixture.append(after, 200..<201)) == before + [200])
            if !failing.hasFailed { break }
            calls += 1
        }
        #expect(calls > 10)
    }

    @Test("bins are neighbours of at least the target's size; a remainder joins the last")
    func bins() async throws {
        let rules = try #require(Self.rules)
        let plan = try await Self.table(MemoryStore()).planCompaction(rules)
        #expect(plan.bins.map(\.rowCount) == [35, 59])
        #expect(plan.bins.map(\.fragments.count) == [4, 6])
        let large = try await TableFixture.create(MemoryStore(), 0..<100, rowsPerFile: 50).planCompaction(rules)
        #expect(large.bins.isEmpty)
    }

    @Test("a delete between the reading and the commit of a compaction brings no row back")
    func race() async throws {
        let rules = try #require(Self.rules)
        let store = MemoryStore()
        let stale = try await Self.table(store)
        let deleted = try await stale.delete([RowAddress(fragment: 4, offset: 4)])
        let compacted = try await stale.compact(rules, commitMessage: nil)
        #expect(try await TableFixture.ids(compacted) == (try await TableFixture.ids(deleted)))
        // The other way round the address means nothing any more.
        await #expect(throws: LanceError(.conflict, "")) {
            try await stale.delete([RowAddress(fragment: 5, offset: 5)])
        }
    }

    @Test("a cleanup that dies at any moment leaves every version whole", arguments: [false, true])
    func cleanupCrashes(failsAfter: Bool) async throws {
        let rules = try #require(Self.rules)
        let base = MemoryStore()
        _ = try await Self.table(base).compact(rules, commitMessage: nil)
        try await TagList(store: base).create("two", 2)
        let keepOne = CleanupRules(committedBefore: nil, versionsKept: 1, orphansBefore: 0)
        for calls in 0..<200 {
            let store = MemoryStore(base.snapshot)
            let failing = FailingStore(store, calls: calls, failsAfter: failsAfter)
            let table = try await Table.open(failing)
            _ = try? await table.clean(try await table.planCleanup(keepOne))
            let left = MemoryStore(store.snapshot)
            let versions = try await VersionList(store: left).all().map(\.version)
            #expect(versions.contains(2) && versions.contains(4))
            for version in versions {
                _ = try await TableFixture.ids(try await Table.open(left, version: version))
            }
            if !failing.hasFailed {
                #expect(versions == [2, 4])
                // Nothing more is found.
                #expect(try await Table.open(left).planCleanup(keepOne).sizeInBytes == 0)
                return
            }
        }
        Issue.record("a cleanup takes more calls than expected")
    }

    @Test("files of a version committed after the plan was made stay")
    func lateCommit() async throws {
        let store = MemoryStore()
        let first = try await TableFixture.create(store, 0..<10)
        _ = try await first.delete([RowAddress(fragment: 0, offset: 0)])
        let newest = try await Table.open(store)
        let plan = try await newest.planCleanup(
            CleanupRules(committedBefore: nil, versionsKept: 1, orphansBefore: .max)
        )
        #expect(plan.versions.map(\.version) == [1])
        let late = try await TableFixture.append(newest, 20..<22)
        try await newest.clean(plan)
        #expect(try await TableFixture.ids(try await Table.open(store)) == Array(1..<10) + [20, 21])
        #expect(late.manifest.version == 3)
    }
}
