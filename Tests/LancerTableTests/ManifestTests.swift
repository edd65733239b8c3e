import LancerBytes
import LancerFile
import LancerProto
import LancerStorage
import LancerTable
import LancerTestSupport
import SwiftProtobuf
import Testing

@Suite("Manifests")
struct ManifestTests {
    @Test("names of both ways are read and written; anything else is passed over")
    func names() {
        #expect(ManifestName(version: 1, naming: .v2).fileName == "18446744073709551614.manifest")
        #expect(ManifestName(version: .max - 5, naming: .v2).fileName == "00000000000000000005.manifest")
        #expect(ManifestName(version: 12, naming: .v1).fileName == "12.manifest")
        for name in [ManifestName(version: 7, naming: .v1), ManifestName(version: 7, naming: .v2)] {
            #expect(ManifestName(name.fileName) == name)
        }
        for name in [
            "", ".manifest", "0.manifest", "1.manifest#1", ".tmp_7.manifest_ab", "7.manifest-0a1b", "d9.manifest",
            "-1.manifest", "+1.manifest", " 1.manifest", "1 .manifest", "x.manifest", "1.manifest.txt",
            "99999999999999999999.manifest", "18446744073709551615.manifest", "184467440737095516140.manifest",
            "latest_version_hint.json", "١.manifest",
        ] {
            #expect(ManifestName(name) == nil, "\(name)")
        }
    }

    /// A manifest with something in every part.
    private static func richManifest() async throws -> (bytes: ArrowBuffer, store: MemoryStore, name: ManifestName) {
        let store = MemoryStore()
        let table = try await TableFixture.append(try await TableFixture.create(store, 0..<10, rowsPerFile: 3), 10..<12)
        var draft = ManifestDraft(after: table.manifest)
        draft.message.config["key"] = "value"
        draft.message.basePaths = [.with { $0.path = "/elsewhere" }]
        draft.indexSection = ArrowBuffer([0x0A, 0x02, 0x1A, 0x00] as [UInt8])
        draft.schema.metadata["about"] = "text"
        draft.message.branch = "b"
        let bytes = try draft.serialized(
            transaction: ArrowBuffer([0x08, 0x02] as [UInt8]),
            transactionFile: "2-x.txn",
            time: (1_700_000_000, 5)
        )
        return (bytes, store, ManifestName(version: 3, naming: .v2))
    }

    @Test("every truncation is an error of a known class")
    func truncations() async throws {
        let (bytes, store, name) = try await Self.richManifest()
        #expect(try Manifest(file: bytes).fragments.count == 5)
        for length in 0..<bytes.count {
            let error = #expect(throws: LanceError.self) { try Manifest(file: bytes.slice(0..<length)) }
            #expect(
                error?.code == .truncated || error?.code == .corrupt,
                "\(length) bytes: \(String(describing: error))"
            )
        }
        try await store.put(name.path, bytes.slice(0..<100))
        do {
            _ = try await Table.open(store, version: 3)
            Issue.record("a cut manifest was opened")
        } catch {
            #expect(error.location.file?.hasSuffix(name.path) == true)
        }
        #expect(try await Table.open(store, version: 2).manifest.version == 2)
    }

    @Test("no change of a byte is a trap, and tables that still open can be read or say why not")
    func changedBytes() async throws {
        let (bytes, store, name) = try await Self.richManifest()
        let original = bytes.bytes
        var opened = 0
        for index in original.indices {
            for mask: UInt8 in [0xFF, 0x01, 0x80, 0x7F] {
                var changed = original
                changed[index] ^= mask
                try await store.put(name.path, ArrowBuffer(changed))
                do {
                    let table = try await Table.open(store)
                    opened += 1
                    _ = try await TableFixture.ids(table)
                    _ = try await VersionList(store: store).transaction(of: table.manifest)
                } catch {
                    #expect(error is LanceError)
                }
            }
        }
        #expect(opened > 0)
    }

    @Test("random bytes before a footer are no trap")
    func randomMessages() {
        var random = SplitMix64(seed: 99)
        for _ in 0..<3000 {
            let length = random.int(0...200)
            let message = ArrowBuffer((0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            let bytes = try? ManifestFile.serialize(indexSection: nil, transaction: nil) {
                (_, _) throws(LanceError) in message
            }
            if let bytes { _ = try? Manifest(file: bytes) }
        }
    }

    private static func parse(_ change: (inout Lance_Table_Manifest) -> Void) throws -> Manifest {
        var message = Lance_Table_Manifest.with {
            $0.version = 1
            $0.fields = [
                .with {
                    $0.name = "id"
                    $0.parentID = -1
                    $0.logicalType = "int64"
                }
            ]
            $0.fragments = [fragment(0)]
        }
        change(&message)
        let content = ArrowBuffer(try message.serializedBytes() as [UInt8])
        return try Manifest(
            file: try ManifestFile.serialize(indexSection: nil, transaction: nil) { (_, _) throws(LanceError) in content
            }
        )
    }

    private static func fragment(_ id: UInt64) -> Lance_Table_DataFragment {
        .with {
            $0.id = id
            $0.physicalRows = 10
            $0.files = [
                .with {
                    $0.path = "a.lance"
                    $0.fields = [0]
                    $0.columnIndices = [0]
                }
            ]
        }
    }

    @Test("a manifest that contradicts itself is corrupt")
    func contradictions() throws {
        #expect(try Self.parse { _ in }.liveRowCount == 10)
        let wrong: [(String, (inout Lance_Table_Manifest) -> Void)] = [
            ("version 0", { $0.version = 0 }),
            ("fragment id twice", { $0.fragments = [Self.fragment(1), Self.fragment(1)] }),
            ("fragment id beyond 32 bits", { $0.fragments = [Self.fragment(1 << 32)] }),
            ("no files", { $0.fragments[0].files = [] }),
            ("rows beyond 63 bits", { $0.fragments[0].physicalRows = .max }),
            ("columns do not match fields", { $0.fragments[0].files[0].columnIndices = [0, 1] }),
            ("path leads out", { $0.fragments[0].files[0].path = "../../etc/passwd" }),
            ("path is empty", { $0.fragments[0].files[0].path = "" }),
            ("more deleted than there", { $0.fragments[0].deletionFile = .with { $0.numDeletedRows = 11 } }),
            ("field without parent", { $0.fields[0].parentID = 7 }),
            ("field id twice", { $0.fields.append($0.fields[0]) }),
            ("index section outside", { $0.indexSection = 1 << 40 }),
            ("transaction section outside", { $0.transactionSection = .max }),
        ]
        for (name, change) in wrong {
            let error = #expect(throws: LanceError.self, "\(name)") { try Self.parse(change) }
            #expect(error?.code == .corrupt || error?.code == .truncated, "\(name): \(String(describing: error))")
        }
        #expect(throws: LanceError(.unsupported, "")) { try Self.parse { $0.fields[0].logicalType = "colour" } }
        #expect(throws: LanceError(.unsupported, "")) { try Self.parse { $0.dataFormat.fileFormat = "parquet" } }
    }

    @Test("a data file that is not what the manifest says is an error that names it")
    func wrongDataFiles() async throws {
        let store = MemoryStore()
        let table = try await TableFixture.create(store, 0..<10)
        let path = "data/\(table.manifest.fragments[0].files[0].path)"
        let bytes = try await store.read(path)
        func expectFailure(_ code: LanceError.Code) async throws {
            do {
                _ = try await TableFixture.ids(try await Table.open(MemoryStore(store.snapshot)))
                Issue.record("read although it should be \(code)")
            } catch let error as LanceError {
                #expect(error.code == code)
                #expect(error.location.file?.hasSuffix(path) == true)
            }
        }
        try await store.put(path, bytes.slice(0..<(bytes.count - 1)))
        try await expectFailure(.truncated)
        var longer = BufferBuilder()
        longer.append(contentsOf: bytes)
        longer.append(UInt8(0))
        try await store.put(path, longer.finish())
        try await expectFailure(.corrupt)
        try await store.delete(path)
        try await expectFailure(.corrupt)
    }

    @Test("leftovers of writers and an old hint do not confuse the listing")
    func leftovers() async throws {
        let store = MemoryStore()
        _ = try await TableFixture.append(try await TableFixture.create(store, 0..<2), 2..<4)
        try await store.put("_versions/18446744073709551612.manifest#1", ArrowBuffer([1]))
        try await store.put("_versions/.tmp0123", ArrowBuffer([1]))
        try await store.put("_versions/latest_version_hint.json", ArrowBuffer(Array("{\"version\":99}".utf8)))
        let table = try await Table.open(store)
        #expect(table.manifest.version == 2)
        #expect(try await TableFixture.ids(table) == [0, 1, 2, 3])
        // A gap in the versions is no harm either.
        try await store.delete(ManifestName(version: 1, naming: .v2).path)
        #expect(try await TableFixture.append(try await Table.open(store), 4..<5).manifest.version == 3)
    }
}
