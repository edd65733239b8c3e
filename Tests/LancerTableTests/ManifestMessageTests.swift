import LancerBytes
import LancerFile
import LancerProto
import LancerTable
import LancerTestSupport
import SwiftProtobuf
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("Fragments in a manifest")
struct ManifestMessageTests {
    private static func randomFragment(_ id: UInt64, _ random: inout SplitMix64) -> Lance_Table_DataFragment {
        func maybe() -> Bool { UInt8.random(in: 0..<4, using: &random) == 0 }
        let files = (0..<Int.random(in: 1...3, using: &random)).map { number in
            let columns = Int.random(in: 0...4, using: &random)
            return Lance_Table_DataFile.with {
                $0.path = "\(number)-\(id)-ü.lance"
                $0.fields = (0..<columns).map { maybe() ? -2 : Int32($0) }
                if !maybe() { $0.columnIndices = (0..<columns).map { Int32($0) } }
                $0.fileMajorVersion = 2
                $0.fileMinorVersion = UInt32.random(in: 0...3, using: &random)
                if !maybe() { $0.fileSizeBytes = .random(in: 0...UInt64.max, using: &random) }
                if maybe() { $0.baseID = .random(in: 0...3, using: &random) }
                if $0.columnIndices.isEmpty { $0.fields = [] }
            }
        }
        return .with {
            $0.id = id
            $0.files = files
            if !maybe() { $0.physicalRows = .random(in: 100...10_000, using: &random) }
            if maybe() {
                $0.deletionFile = .with {
                    $0.fileType = maybe() ? .bitmap : .arrowArray
                    $0.readVersion = 7
                    $0.id = .random(in: 0...UInt64.max, using: &random)
                    $0.numDeletedRows = 99
                }
            }
            if maybe() { $0.inlineRowIds = .init([1, 2, 3]) }
            if maybe() { $0.externalRowIds = .with { $0.path = "elsewhere" } }
            if maybe() { $0.inlineLastUpdatedAtVersions = .init() }
        }
    }

    /// A manifest file whose message is `message` with `extra` bytes behind it.
    private static func file(_ message: Lance_Table_Manifest, extra: [UInt8] = []) throws -> ArrowBuffer {
        let bytes: [UInt8] = try message.serializedBytes()
        return try ManifestFile.serialize(indexSection: nil, transaction: nil) { (_, _) in ArrowBuffer(bytes + extra) }
    }

    private static func manifest(_ fragments: [Lance_Table_DataFragment]) -> Lance_Table_Manifest {
        .with {
            $0.version = 3
            $0.fields = [
                .with {
                    $0.name = "a"
                    $0.logicalType = "int64"
                    $0.parentID = -1
                }
            ]
            $0.fragments = fragments
            $0.dataFormat = .with {
                $0.fileFormat = "lance"
                $0.version = "2.2"
            }
            $0.maxFragmentID = 500
        }
    }

    @Test("are read as the general decoder reads them, and written back unchanged", arguments: [41 as UInt64, 42, 43])
    func random(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for count in [0, 1, 2, 50, 300] {
            let messages = (0..<count).map { Self.randomFragment(UInt64($0), &random) }
            let manifest = try Manifest(file: try Self.file(Self.manifest(messages)))
            #expect(manifest.fragments.map(\.message) == messages, "seed \(seed)")
            for (fragment, message) in zip(manifest.fragments, messages) {
                let expected = try Fragment(message)
                #expect(fragment.id == expected.id && fragment.files == expected.files, "seed \(seed)")
                #expect(
                    fragment.deletion == expected.deletion && fragment.physicalRowCount == expected.physicalRowCount
                )
            }
            let next = try ManifestDraft(after: manifest).serialized(
                transaction: ArrowBuffer([] as [UInt8]),
                transactionFile: "x.txn",
                time: (0, 0)
            )
            let again = try Manifest(file: next)
            #expect(again.fragments.map(\.message) == messages && again.version == 4)
            #expect(again.schema.fields.map(\.name) == ["a"])
        }
    }

    @Test("with fields Lancer does not know keep them")
    func unknownFields() throws {
        var message = try Lance_Table_DataFragment(
            serializedBytes: Self.bytes(
                [0x08, 0x05],
                file: [0xA2, 0x06, 0x02, 0x41, 0x42],
                [0x20, 0x0A, 0xF8, 0x07, 0x07]
            )
        )
        #expect(!message.unknownFields.data.isEmpty && !message.files[0].unknownFields.data.isEmpty)
        let manifest = try Manifest(file: try Self.file(Self.manifest([message])))
        #expect(manifest.fragments[0].message == message)
        #expect(manifest.fragments[0].physicalRowCount == 10)
        // A change of something else leaves them.
        var fragment = manifest.fragments[0]
        fragment.id = 6
        message.id = 6
        #expect(fragment.message == message)
    }

    /// A DataFragment of a file `a` with more bytes in the file's message.
    private static func bytes(_ before: [UInt8], file more: [UInt8], _ behind: [UInt8]) -> [UInt8] {
        let file: [UInt8] = [0x0A, 0x01, 0x61] + more
        return before + [0x12, UInt8(file.count)] + file + behind
    }

    @Test("lists of numbers may be packed or not, and fields come in any order")
    func encodings() throws {
        let unpacked = Self.bytes([0x20, 0x0A], file: [0x10, 0x07, 0x18, 0x00, 0x10, 0x08, 0x18, 0x01], [0x08, 0x05])
        let whole = [0x12, UInt8(unpacked.count)] + unpacked
        let manifest = try Manifest(file: try Self.file(Self.manifest([]), extra: whole))
        #expect(manifest.fragments[0].files[0].fieldIDs == [7, 8])
        #expect(manifest.fragments[0].files[0].columnIndices == [0, 1])
        #expect(manifest.fragments[0].id == 5)
    }

    @Test("cut or changed anywhere are refused or read, never a trap")
    func damage() throws {
        var random = SplitMix64(seed: 9)
        let message = Self.manifest((0..<4).map { Self.randomFragment(UInt64($0), &random) })
        let bytes: [UInt8] = try message.serializedBytes()
        func read(_ bytes: [UInt8]) -> Bool {
            guard
                let file = try? ManifestFile.serialize(
                    indexSection: nil,
                    transaction: nil,
                    manifest: { (_, _) in ArrowBuffer(bytes) }
                ), let manifest = try? Manifest(file: file)
            else { return false }
            return manifest.fragments.allSatisfy { $0.message.id == $0.id }
        }
        #expect(read(bytes))
        for count in 0..<bytes.count { _ = read(Array(bytes[..<count])) }
        for index in bytes.indices {
            for mask in [0x01, 0x80, 0xFF] as [UInt8] {
                var changed = bytes
                changed[index] ^= mask
                _ = read(changed)
            }
        }
    }

    @Test("of one id twice are refused, in any order", arguments: [[1, 1], [2, 1, 2], [0, 5, 3, 5]] as [[UInt64]])
    func duplicates(ids: [UInt64]) throws {
        var random = SplitMix64(seed: 3)
        let message = Self.manifest(ids.map { Self.randomFragment($0, &random) })
        #expect(throws: LanceError(.corrupt, "")) { try Manifest(file: try Self.file(message)) }
        let distinct = Self.manifest(Set(ids).sorted(by: >).map { Self.randomFragment($0, &random) })
        #expect(try Manifest(file: try Self.file(distinct)).fragments.count == Set(ids).count)
    }
}
