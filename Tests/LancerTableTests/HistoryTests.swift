import LancerArrow
import LancerBytes
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

@Suite("History")
struct HistoryTests {
    @Test(
        "RFC 3339 times are read in every zone",
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0), ("1970-01-01T00:00:00.5Z", 0, 500_000_000),
            ("2026-11-21T10:15:30Z", 1_795_256_130, 0), ("2026-11-21 12:15:30+02:00", 1_795_256_130, 0),
            ("2026-11-21t00:45:30.123456789123-09:30", 1_795_256_130, 123_456_789), ("1969-12-31T23:59:59z", -1, 0),
            ("2000-02-29T00:00:00Z", 951_782_400, 0), ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
        ]
    )
    func times(text: String, seconds: Int64, nanoseconds: Int32) throws {
        let instant = try Instant(rfc3339: text)
        #expect(instant == Instant(seconds: seconds, nanoseconds: nanoseconds))
        #expect(try Instant(rfc3339: instant.text) == instant)
    }

    @Test(
        "times without a zone or beside the calendar are refused",
        arguments: [
            "", "2026", "2026-11-21", "2026-11-21T10:15:30", "2026-11-21T10:15Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-01-32T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+2:00", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00ZZ", "２026-01-01T00:00:00Z",
        ]
    )
    func badTimes(text: String) { #expect(throws: LanceError(.invalidArgument, "")) { try Instant(rfc3339: text) } }

    @Test("a tag is made once, moved and removed")
    func tags() async throws {
        let store = MemoryStore()
        let table = try await TableFixture.append(try await TableFixture.create(store, 0..<3), 3..<5)
        let tags = TagList(store: store)
        try await tags.create("one", 1)
        await #expect(throws: LanceError(.alreadyExists, "")) { try await tags.create("one", 2) }
        await #expect(throws: LanceError(.notFound, "")) { try await tags.create("nine", 9) }
        await #expect(throws: LanceError(.notFound, "")) { try await tags.move("two", to: 1) }
        let tagged = try await Table.open(store, tag: "one") { _ in store }
        #expect(try await TableFixture.ids(tagged) == [0, 1, 2])
        let made = try await tags.tag("one")
        try await tags.move("one", to: table.manifest.version)
        let moved = try await tags.tag("one")
        #expect(moved.version == 2 && moved.createdAt == made.createdAt && moved.updatedAt != made.updatedAt)
        #expect(moved.manifestSize == table.manifest.sizeInBytes)
        try await tags.delete("one")
        #expect(try await tags.all().isEmpty)
        try await store.put("_refs/tags/bad.json", ArrowBuffer(Array("{\"version\": 1.5}".utf8)))
        await #expect(throws: LanceError(.corrupt, "")) { try await tags.all() }
    }

    @Test("restoring keeps what must never be given out twice")
    func restore() async throws {
        let store = MemoryStore()
        let first = try await TableFixture.create(store, 0..<3)
        _ = try await TableFixture.append(first, 3..<5)
        let restored = try await first.restore(commitMessage: "back")
        #expect(try await TableFixture.ids(restored) == [0, 1, 2])
        #expect(restored.manifest.version == 3 && restored.manifest.maxFragmentID == 1)
        let next = try await TableFixture.append(restored, 7..<8)
        #expect(next.manifest.fragments.map(\.id) == [0, 2])
        #expect(try await VersionList(store: store).transaction(of: restored.manifest)?.commitMessage == "back")
    }

    @Test("a writer that dies at any moment leaves the old version or the new one", arguments: [false, true])
    func crashes(failsAfter: Bool) async throws {
        let base = MemoryStore()
        let first = try await TableFixture.append(try await TableFixture.create(base, 0..<5), 5..<10)
        _ = try await TableFixture.append(first, 10..<12)
        let before = base.snapshot
        let changes: [(String, @Sendable (Table) async throws -> Table, [Int])] = [
            ("delete", { try await $0.delete([RowAddress(fragment: 1, offset: 0)]) }, Array(0..<5) + Array(6..<12)),
            ("restore", { try await Table.open($0.store, version: 1).restore(commitMessage: nil) }, Array(0..<5)),
            ("add", { try await $0.addColumns([.nulls(ArrowField("n", .int32))], commitMessage: nil) }, Array(0..<12)),
            ("rename", { try await $0.renameColumn("id", to: "key", commitMessage: nil) }, Array(0..<12)),
        ]
        for (name, change, after) in changes {
            for calls in 0..<40 {
                let store = MemoryStore(before)
                let failing = FailingStore(store, calls: calls, failsAfter: failsAfter)
                _ = try? await change(try await Table.open(failing))
                let found = try await Table.open(MemoryStore(store.snapshot))
                let isNew = found.manifest.version == 4
                #expect(try await TableFixture.ids(found) == (isNew ? after : Array(0..<12)), "\(name) \(calls)")
                if !failing.hasFailed {
                    #expect(isNew)
                    break
                }
                if isNew { continue }
                let again = try await change(try await Table.open(MemoryStore(store.snapshot)))
                #expect(try await TableFixture.ids(again) == after, "\(name) \(calls)")
            }
        }
    }

    @Test("deletion vectors: union, difference and overlap agree with sets")
    func vectors() {
        var random = SplitMix64(seed: 11)
        for round in 0..<500 {
            let limit = UInt32(1 + round % 70)
            let one = Set(
                (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt32.random(in: 0..<limit, using: &random) }
            )
            let two = Set(
                (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt32.random(in: 0..<limit, using: &random) }
            )
            let left = DeletionVector(sortedOffsets: one.sorted())
            let right = DeletionVector(sortedOffsets: two.sorted())
            #expect(Array(left.offsets) == one.sorted())
            #expect(left.union(right) == DeletionVector(sortedOffsets: one.union(two).sorted()), "round \(round)")
            #expect(left.subtracting(right) == DeletionVector(sortedOffsets: one.subtracting(two).sorted()))
            #expect(left.intersects(right) == !one.isDisjoint(with: two))
        }
    }
}
