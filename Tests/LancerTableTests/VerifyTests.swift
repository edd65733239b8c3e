import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

@Suite("Checking a table")
struct VerifyTests {
    /// Two fragments, a deletion, a tag.
    private static func table() async throws -> MemoryStore {
        let store = MemoryStore()
        var table = try await TableFixture.create(store, 0..<10)
        table = try await TableFixture.append(table, 10..<20)
        _ = try await table.delete([RowAddress(fragment: 0, offset: 3)])
        try await TagList(store: store).create("good", 2)
        return store
    }

    private static func check(_ store: MemoryStore, deep: Bool = false) async throws -> TableReport {
        try await TableCheck(store: store, isDeep: deep).run()
    }

    private static func path(_ store: MemoryStore, _ prefix: String) throws -> String {
        try #require(store.snapshot.keys.sorted().first { $0.hasPrefix(prefix) })
    }

    @Test("a whole table has no findings, and everything is counted")
    func whole() async throws {
        let store = try await Self.table()
        let report = try await Self.check(store, deep: true)
        #expect(report.findings.isEmpty && report.orphans.isEmpty && report.notes.isEmpty)
        #expect(report.counts.versions == 3 && report.counts.checksummedManifests == 3)
        #expect(
            report.counts.dataFiles == 2 && report.counts.checksummedDataFiles == 2 && report.counts.goodBlocks == 2
        )
        #expect(report.counts.deletionFiles == 1 && report.counts.tags == 1 && report.counts.decodedValues == 20)
    }

    @Test("files that are missing, cut, changed or too many are found")
    func damage() async throws {
        func damaged(_ prefix: String, _ change: (ArrowBuffer) -> ArrowBuffer?) async throws -> TableReport {
            let store = try await Self.table()
            let path = try Self.path(store, prefix)
            if let bytes = change(try #require(store.snapshot[path])) {
                try await store.put(path, bytes)
            } else {
                try await store.delete(path)
            }
            return try await Self.check(store)
        }
        func flipped(_ bytes: ArrowBuffer, _ position: Int) -> ArrowBuffer {
            var bytes = bytes.bytes
            bytes[position] ^= 4
            return ArrowBuffer(bytes)
        }
        #expect(try await damaged("data/") { _ in nil }.findings.map(\.problem) == [.dataFile])
        #expect(try await damaged("data/") { $0.slice(0..<($0.count - 9)) }.findings.map(\.problem) == [.dataFile])
        #expect(try await damaged("data/") { flipped($0, 5) }.findings.map(\.problem) == [.checksum])
        #expect(try await damaged("_deletions/") { _ in nil }.findings.map(\.problem) == [.deletionFile])
        #expect(try await damaged("_deletions/") { $0.slice(0..<20) }.findings.map(\.problem) == [.deletionFile])
        #expect(try await damaged("_versions/1") { flipped($0, 9) }.findings.map(\.problem) == [.manifest])
        #expect(try await damaged("_transactions/") { flipped($0, 9) }.findings.map(\.problem) == [.transaction])
        #expect(try await damaged("_transactions/") { _ in nil }.findings.isEmpty)
        #expect(try await damaged("_refs/tags") { _ in ArrowBuffer(Array("{".utf8)) }.findings.map(\.problem) == [.tag])
        let store = try await Self.table()
        try await store.put("data/other.lance", ArrowBuffer(Array("x".utf8)))
        try await store.put("_transactions/9-x.txn", ArrowBuffer.empty)
        let report = try await Self.check(store)
        #expect(report.findings.isEmpty && report.orphans == ["_transactions/9-x.txn", "data/other.lance"])
    }

    @Test("a version that is gone is a note, a tag on it a finding")
    func gaps() async throws {
        let store = try await Self.table()
        let second = try #require(try await VersionList(store: store).all().first { $0.version == 2 })
        try await store.delete(second.path)
        let report = try await Self.check(store)
        #expect(report.findings.map(\.problem) == [.tag])
        #expect(report.notes.count == 1)
    }

    @Test("deleted rows beyond the fragment, and stable row ids that repeat, are found")
    func rows() async throws {
        let store = try await Self.table()
        let table = try await Table.open(store)
        let deletion = try #require(table.manifest.fragments[0].deletion)
        let path = "\(DeletionFile.directory)/\(deletion.fileName(fragment: 0))"
        // Row 3 becomes row 4,000,000,003 in the Arrow file.
        var bytes = try #require(store.snapshot[path]).bytes
        let place = try #require((0..<(bytes.count - 4)).last { bytes[$0] == 3 && bytes[$0 + 3] == 0 && $0 % 8 == 0 })
        bytes[place + 3] = 0xEE
        try await store.put(path, ArrowBuffer(bytes))
        #expect(try await Self.check(store).findings.map(\.problem) == [.deletionFile])
    }

    @Test("a repair leaves what cannot be read out of a new version and keeps the old one")
    func repair() async throws {
        let store = try await Self.table()
        let fragment = try await Table.open(store).manifest.fragments[1]
        try await store.delete("data/\(fragment.files[0].path)")
        let report = try await Self.check(store, deep: true)
        let plan = try await RepairPlan(for: report, store)
        #expect(plan.steps == [.leaveOut(fragments: [1], rows: 10)])
        #expect(try await plan.apply(store, commitMessage: nil) == 4)
        #expect(try await TableFixture.ids(try await Table.open(store)) == [0, 1, 2, 4, 5, 6, 7, 8, 9])
        // The finding is about the older versions now, which stay as they are.
        let again = try await RepairPlan(for: try await Self.check(store, deep: true), store)
        #expect(again.steps.isEmpty && !again.remaining.isEmpty)
    }
}
