import LancerArrow
import LancerBytes
import LancerProto
import LancerStorage
import LancerTable
import LancerTestSupport
import SwiftProtobuf
import Testing

@Suite("Stable row ids")
struct RowIDTests {
    @Test("sequences of every shape come back from their message")
    func messages() throws {
        for seed in UInt64(0)..<300 {
            var random = SplitMix64(seed: seed)
            var ids: [UInt64] = []
            var next = UInt64.random(in: 0...1000, using: &random)
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                switch Int.random(in: 0..<5, using: &random) {
                case 0: next += UInt64.random(in: 1...3, using: &random)
                case 1: next += UInt64.random(in: 1...100_000, using: &random)
                case 2: next = UInt64.random(in: 0...10_000, using: &random)
                case 3: next += UInt64.random(in: 1 << 33...1 << 40, using: &random)
                default: break
                }
                let count = UInt64.random(in: 1...20, using: &random)
                ids += next..<(next + count)
                next += count
            }
            var sequence = RowIDSequence()
            for id in ids { sequence.append(id) }
            #expect(sequence.count == ids.count)
            let message = sequence.message
            let fragment = try Self.fragment(rows: ids.count, message)
            if ids.isEmpty { continue }
            let read = try RowIDSequence(of: fragment)
            #expect(read == sequence, "seed \(seed)")
            #expect(ids.indices.allSatisfy { read[$0] == ids[$0] }, "seed \(seed)")
            let start = Int.random(in: 0..<ids.count, using: &random)
            let end = Int.random(in: start...ids.count, using: &random)
            let chosen = read.selecting([0..<(start / 2), start..<end])
            #expect((0..<chosen.count).map { chosen[$0] } == Array(ids[0..<(start / 2)] + ids[start..<end]))
        }
    }

    private static func fragment(rows: Int, _ message: Lance_Table_RowIdSequence) throws -> Fragment {
        let bytes: [UInt8] = try message.serializedBytes()
        return try Fragment(
            .with {
                $0.files = [
                    .with {
                        $0.path = "f"
                        $0.fields = [0]
                        $0.columnIndices = [0]
                    }
                ]
                $0.physicalRows = UInt64(rows)
                $0.inlineRowIds.append(contentsOf: bytes)
            }
        )
    }

    @Test("the segments of the reference are read, and damaged ones refused")
    func segments() throws {
        func ids(_ segment: Lance_Table_U64Segment, rows: Int = 100) throws -> [UInt64] {
            let sequence = try RowIDSequence(of: try Self.fragment(rows: rows, .with { $0.segments = [segment] }))
            return (0..<sequence.count).map { sequence[$0] }
        }
        #expect(
            try ids(
                .with {
                    $0.rangeWithHoles.start = 5
                    $0.rangeWithHoles.end = 10
                    $0.rangeWithHoles.holes.u16Array.base = 5
                    $0.rangeWithHoles.holes.u16Array.offsets.append(contentsOf: [0, 0, 3, 0])
                }
            ) == [6, 7, 9]
        )
        #expect(
            try ids(
                .with {
                    $0.rangeWithBitmap.start = 3
                    $0.rangeWithBitmap.end = 13
                    $0.rangeWithBitmap.bitmap.append(contentsOf: [0b1000_0101, 0b11])
                }
            ) == [3, 5, 10, 11, 12]
        )
        #expect(
            try ids(
                .with { $0.array.u64Array.values.append(contentsOf: [9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]) }
            )
                == [9, 2]
        )
        let damaged: [Lance_Table_U64Segment] = [
            .with {
                $0.range.start = 5
                $0.range.end = 3
            },
            .with { $0.range.end = .max },
            .with { $0.range.end = 101 },
            .with {
                $0.rangeWithBitmap.end = 100
                $0.rangeWithBitmap.bitmap.append(1)
            },
            .with { $0.array.u16Array.offsets.append(1) },
            .with {
                $0.array.u32Array.base = .max
                $0.array.u32Array.offsets.append(contentsOf: [1, 0, 0, 0])
            },
            .with {
                $0.rangeWithHoles.end = 10
                $0.rangeWithHoles.holes.u16Array.offsets.append(contentsOf: [10, 0])
            },
        ]
        for segment in damaged {
            #expect(throws: LanceError(.corrupt, "")) { try ids(segment) }
        }
    }

    private static func create(_ store: any ObjectStore, _ ids: Range<Int>, rowsPerFile: Int) async throws -> Table {
        var options = try TableFixture.options(rowsPerFile: rowsPerFile)
        options.stableRowIDs = true
        return try await Table.create(store, from: try TableFixture.source(ids), options)
    }

    private static func rowIDs(_ table: Table) async throws -> [UInt64] {
        let count = try await table.countRows()
        return try table.rowIDs(at: try await table.addresses(ofRows: Array(0..<count)))
    }

    @Test("rows keep their ids through deletes, moves and compactions, and are found by them")
    func life() async throws {
        let store = MemoryStore()
        var table = try await Self.create(store, 0..<100, rowsPerFile: 10)
        #expect(table.manifest.hasStableRowIDs && table.manifest.writerFlags.contains(.stableRowIDs))
        table = try await TableFixture.append(table, 100..<110)
        #expect(try await Self.rowIDs(table) == Array(0..<110))
        table = try await table.delete((0..<4).map { RowAddress(fragment: 2, offset: $0) })
        // Rows 5 and 17 are written anew, in this order, and a new one behind them.
        let moved = [RowAddress(fragment: 1, offset: 7), RowAddress(fragment: 0, offset: 5)]
        let written = try await TableFixture.append(try await TableFixture.create(MemoryStore(), 0..<1), 0..<3)
        var fresh = Fragment(files: written.manifest.fragments[1].files, rowCount: 3)
        fresh = try #require(try table.keepingRowIDs(of: moved, in: [fresh]).first)
        let update = RowUpdate(
            gone: try await table.rows(at: moved),
            newFragments: [fresh],
            changedFieldIDs: [0],
            insertsNewKeys: false
        )
        table = try await table.committing(.update(update), nil)
        let expected = (0..<110).map { UInt64($0) }.filter { !(20..<24).contains($0) && $0 != 5 && $0 != 17 }
        let last = try #require(table.manifest.fragments.last)
        let lineage = try RowLineage(of: last)
        #expect((0..<3).map { lineage.ids[$0] } == [17, 5, 110])
        #expect((0..<3).map { lineage.created[$0] } == [1, 1, 4])
        #expect((0..<3).map { lineage.updated[$0] } == [4, 4, 4])
        #expect(try await Self.rowIDs(table) == expected + [17, 5, 110])
        #expect(
            try await table.addresses(ofRowIDs: [5, 22, 999]) == [RowAddress(fragment: last.id, offset: 1), nil, nil]
        )
        // The moved rows' file is of another table here: only the others can be compacted.
        let addresses = try await table.addresses(ofRowIDs: [0, 109])
        #expect(addresses == [RowAddress(fragment: 0, offset: 0), RowAddress(fragment: 10, offset: 9)])
    }

    @Test("a compaction hands on ids and versions")
    func compaction() async throws {
        let store = MemoryStore()
        var table = try await Self.create(store, 0..<100, rowsPerFile: 10)
        table = try await TableFixture.append(table, 100..<130)
        var random = SplitMix64(seed: 9)
        for _ in 0..<6 {
            let count = try await table.countRows()
            let rows = Set((0..<7).map { _ in Int.random(in: 0..<count, using: &random) }).sorted()
            table = try await table.delete(try await table.addresses(ofRows: rows))
        }
        let ids = try await TableFixture.ids(table)
        #expect(try await Self.rowIDs(table) == ids.map { UInt64($0) })
        let compacted = try await table.compact(
            try CompactionRules(targetRows: 40, deletedShare: 0.1),
            commitMessage: nil
        )
        #expect(try await TableFixture.ids(compacted) == ids)
        #expect(try await Self.rowIDs(compacted) == ids.map { UInt64($0) })
        #expect(compacted.manifest.fragments.count < 4)
        var created: [UInt64] = []
        for fragment in compacted.manifest.fragments {
            let lineage = try RowLineage(of: fragment)
            created += (0..<lineage.ids.count).map { lineage.created[$0] }
        }
        #expect(created == ids.map { $0 < 100 ? 1 : 2 })
        #expect(try await Self.rowIDs(try await TableFixture.append(compacted, 0..<2)).suffix(2) == [130, 131])
    }

    @Test("an overwrite goes on counting, and may bring ids to a table without")
    func overwrite() async throws {
        var table = try await Self.create(MemoryStore(), 0..<5, rowsPerFile: 10)
        table = try await table.overwrite(from: try TableFixture.source(0..<2), try TableFixture.options())
        #expect(try await Self.rowIDs(table) == [5, 6])
        var plain = try await TableFixture.create(MemoryStore(), 0..<5)
        #expect(!plain.manifest.hasStableRowIDs)
        var options = try TableFixture.options()
        options.stableRowIDs = true
        plain = try await plain.overwrite(from: try TableFixture.source(0..<2), options)
        #expect(plain.manifest.hasStableRowIDs)
        #expect(try await Self.rowIDs(plain) == [0, 1])
    }
}
