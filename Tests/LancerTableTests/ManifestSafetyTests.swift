import LancerBytes
import LancerProto
import LancerStorage
import LancerTable
import LancerTestSupport
import SwiftProtobuf
import Testing

@Suite("Damaged manifests")
struct ManifestSafetyTests {
    private static func newest(_ store: MemoryStore) async throws -> String {
        try #require(try await VersionList(store: store).latest()).path
    }

    /// Three versions of ten rows each.
    private static func table() async throws -> MemoryStore {
        let store = MemoryStore()
        var table = try await TableFixture.create(store, 0..<10)
        table = try await TableFixture.append(table, 10..<20)
        _ = try await TableFixture.append(table, 20..<30)
        return store
    }

    @Test("no flipped bit of a manifest gives another answer")
    func everyBit() async throws {
        let store = try await Self.table()
        let path = try await Self.newest(store)
        let whole = try #require(store.snapshot[path])
        let good = try Manifest(file: whole)
        #expect(good.hasChecksum)
        var bytes = whole.bytes
        var (refused, same) = (0, 0)
        for bit in 0..<(bytes.count * 8) {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            do throws(LanceError) {
                let manifest = try Manifest(file: ArrowBuffer(bytes))
                same += 1
                let isSame =
                    manifest.message == good.message && manifest.schema == good.schema
                    && manifest.fragments.map(\.message) == good.fragments.map(\.message)
                    && manifest.inlineTransaction?.bytes == good.inlineTransaction?.bytes
                if !isSame { Issue.record("bit \(bit % 8) of byte \(bit / 8) changes the manifest") }
            } catch {
                refused += 1
            }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        print("ManifestSafetyTests: \(refused) flipped bits refused, \(same) without effect")
    }

    @Test("the last good version is opened when newer manifests are damaged, and nothing is written on top")
    func fallBack() async throws {
        let store = try await Self.table()
        let path = try await Self.newest(store)
        let whole = try #require(store.snapshot[path])
        for damaged in [ArrowBuffer.empty, whole.slice(0..<10), whole.slice(0..<(whole.count - 1))] {
            try await store.put(path, damaged)
            let table = try await Table.open(store)
            #expect(table.manifest.version == 2)
            #expect(table.unreadable.map(\.name.version) == [3])
            #expect(try await TableFixture.ids(table) == Array(0..<20))
            for version in [table, try await Table.open(store, version: 1)] {
                await #expect(throws: LanceError.self) { _ = try await TableFixture.append(version, 90..<91) }
            }
            await #expect(throws: LanceError.self) { try await Table.open(store, version: 3) }
        }
        try await store.put(path, whole)
        #expect(try await Table.open(store).unreadable.isEmpty)
        // All of them: an error, not an empty table.
        for name in try await VersionList(store: store).all() { try await store.put(name.path, .empty) }
        await #expect(throws: LanceError(.truncated, "")) { try await Table.open(store) }
    }

    @Test("a repair goes back to the last good version and keeps the damaged manifest")
    func repair() async throws {
        let store = try await Self.table()
        let path = try await Self.newest(store)
        try await store.put(path, .empty)
        let report = try await TableCheck(store: store, isDeep: true).run()
        #expect(report.findings.map(\.problem) == [.manifest] && report.newestReadable == 2)
        let plan = try await RepairPlan(for: report, store)
        #expect(plan.steps.first == .fallBack(to: 2) && plan.steps.count == 2 && plan.remaining.isEmpty)
        #expect(try await plan.apply(store, commitMessage: nil) == 4)
        let table = try await Table.open(store)
        #expect(table.unreadable.isEmpty)
        #expect(try await TableFixture.ids(table) == Array(0..<20))
        #expect(store.snapshot.keys.contains { $0.hasPrefix("_damaged/") })
        #expect(try await TableCheck(store: store, isDeep: true).run().findings.isEmpty)
        #expect(try await TableFixture.ids(try await TableFixture.append(table, 50..<51)) == Array(0..<20) + [50])
    }

    /// A manifest of the newest version with a change, in place of the old one and without checksum.
    private static func rewrite(
        _ store: MemoryStore,
        _ change: (inout Lance_Table_Manifest) -> Void
    ) async throws {
        let path = try await newest(store)
        let file = try ManifestFile(try #require(store.snapshot[path]))
        var message = try Lance_Table_Manifest(serializedBytes: file.message.bytes)
        message.clearTransactionSection()
        change(&message)
        let bytes: [UInt8] = try message.serializedBytes()
        var builder = BufferBuilder()
        builder.append(UInt32(bytes.count).littleEndian)
        builder.append(contentsOf: bytes)
        builder.append(UInt64(0))
        builder.append(UInt16(0))
        builder.append(UInt16(2).littleEndian)
        builder.append(contentsOf: Array("LANC".utf8))
        try await store.put(path, builder.finish())
    }

    static let hostilePaths = [
        "..", "../x.lance", "../../etc/passwd", "a/../../x", "a/..", "./x.lance", "a/./b", ".", "/etc/passwd",
        "//host/x",
        "/", "a//b", "a/", "", "file:///etc/passwd", "file:/etc/passwd", "s3://bucket/x", "https://host/x", "C:\\x",
        "C:/x",
        "..\\x", "a\\..\\..\\x", "x\u{0}.lance", "data:text/plain,x", "memory:x", "\\\\host\\x", "a/b/../../../x",
        "../data/x",
        "x/../y", "/tmp/x.lance", "//", "./", "../", "gs://b/x", "az://c/x", "ftp://h/x", "file://localhost/x", ".//x",
        "a/b/", "..//x",
    ]

    @Test("paths that lead out of the table are refused, and no older version is opened instead")
    func hostile() async throws {
        #expect(Self.hostilePaths.count >= 40)
        for path in Self.hostilePaths {
            let store = try await Self.table()
            try await Self.rewrite(store) { $0.fragments[0].files[0].path = path }
            await #expect(throws: LanceError(.corrupt, ""), "\(path.debugDescription)") { try await Table.open(store) }
        }
        // A base path with ".." in it.
        let store = try await Self.table()
        try await Self.rewrite(store) { message in
            message.basePaths = [
                .with {
                    $0.id = 0
                    $0.isDatasetRoot = true
                    $0.path = "/tmp/../etc"
                }
            ]
            message.fragments[0].files[0].baseID = 0
        }
        let table = try await Table.open(store)
        await #expect(throws: LanceError.self) { _ = try await TableFixture.ids(table) }
    }

    @Test("unknown reader flags stop a reader, unknown writer flags a writer, by name; older versions do not stand in")
    func flags() async throws {
        let store = try await Self.table()
        try await Self.rewrite(store) { $0.readerFeatureFlags = 64 | 1 << 40 }
        do {
            _ = try await Table.open(store)
            Issue.record("a table with unknown reader flags was opened")
        } catch {
            #expect(error.code == .unsupported)
            #expect(error.message.contains("data overlay files (64)") && error.message.contains("1099511627776"))
        }
        let other = try await Self.table()
        try await Self.rewrite(other) { $0.writerFeatureFlags = 4096 }
        let table = try await Table.open(other)
        #expect(try await TableFixture.ids(table).count == 30)
        do {
            _ = try await TableFixture.append(table, 0..<1)
            Issue.record("a table with unknown writer flags was written")
        } catch let error as LanceError {
            #expect(error.code == .unsupported && error.message.contains("4096"))
        }
        await #expect(throws: LanceError(.unsupported, "")) {
            _ = try await table.delete([RowAddress(fragment: 0, offset: 0)])
        }
        // A flag set meanwhile stops a writer that did not know of it.
        let third = try await Self.table()
        let early = try await Table.open(third, version: 2)
        try await Self.rewrite(third) { $0.writerFeatureFlags = 4096 }
        await #expect(throws: LanceError(.unsupported, "")) { _ = try await TableFixture.append(early, 0..<1) }
    }

    @Test("what Lancer does not know in a manifest, its fields, fragments and files survives a commit")
    func unknownFields() async throws {
        let store = try await Self.table()
        // Field 1000, varint 7.
        let unknown: [UInt8] = [0xC0, 0x3E, 0x07]
        try await Self.rewrite(store) { message in
            try? message.merge(serializedBytes: unknown)
            try? message.fields[0].merge(serializedBytes: unknown)
            try? message.fragments[1].merge(serializedBytes: unknown)
            try? message.fragments[1].files[0].merge(serializedBytes: unknown)
        }
        var table = try await TableFixture.append(try await Table.open(store), 40..<41)
        table = try await table.delete([RowAddress(fragment: 1, offset: 3)])
        table = try await table.updateConfig(ConfigChange(), commitMessage: nil)
        let bytes = try #require(store.snapshot[try await Self.newest(store)])
        let message = try Lance_Table_Manifest(serializedBytes: try ManifestFile(bytes).message.bytes)
        #expect(message.version == 6)
        #expect(Array(message.unknownFields.data) == unknown)
        #expect(Array(message.fields[0].unknownFields.data) == unknown)
        #expect(Array(message.fragments[1].unknownFields.data) == unknown)
        #expect(Array(message.fragments[1].files[0].unknownFields.data) == unknown)
    }
}
