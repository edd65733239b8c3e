import LancerArrow
import LancerBytes
import LancerFile
import LancerProto
import LancerStorage
import LancerTable
import LancerTestSupport
import SwiftProtobuf
import Testing

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Every pair of changes, the second prepared before the first was committed, on a table of four fragments of ten rows.
@Suite("Conflicts between two changes")
struct ConflictMatrixTests {
    enum Outcome: String {
        /// Both effects are there.
        case fine
        /// A conflict that starting over resolves.
        case retry
        /// A conflict for good.
        case never
    }

    /// A change as one of two writers makes it. `Here` touches fragment 0, `There` fragment 2.
    enum Change: String, CaseIterable {
        case append, deleteHere, deleteThere, updateHere, updateThere, overwrite, rewriteHere, rewriteThere
        case addColumn, dropColumn, forbidNulls, indexHere, restore, config, otherConfig, schemaMetadata, fieldMetadata

        func operation(on table: Table) async throws -> LancerTable.Operation {
            let fragments = table.manifest.fragments
            switch self {
            case .append: return .append([try await ConflictMatrixTests.fragment(table, 100..<105)])
            case .deleteHere: return .delete([0: DeletionVector(sortedOffsets: [1, 2])], predicate: "")
            case .deleteThere: return .delete([2: DeletionVector(sortedOffsets: [1, 2])], predicate: "")
            case .updateHere, .updateThere:
                let id: UInt64 = self == .updateHere ? 0 : 2
                let new = try await ConflictMatrixTests.fragment(table, 200..<202)
                return .update(
                    RowUpdate(
                        gone: [id: DeletionVector(sortedOffsets: [5, 6])],
                        newFragments: [new],
                        changedFieldIDs: [0],
                        insertsNewKeys: false
                    )
                )
            case .overwrite:
                let new = try await ConflictMatrixTests.fragment(table, 300..<305)
                return .overwrite([new], schema: table.manifest.schema, fileVersion: .v2_2)
            case .rewriteHere, .rewriteThere:
                let index = self == .rewriteHere ? 0 : 2
                var new = try await ConflictMatrixTests.fragment(table, (index * 10)..<(index * 10 + 10))
                new.id = UInt64(10 + index)
                return .rewrite([RewriteGroup(old: [fragments[index]], new: [new])])
            case .addColumn:
                let field = try LanceField(id: 7, name: "added", logicalType: "int32", nullable: true)
                return .merge(ColumnMerge(edits: [.add(field)], files: [:]))
            case .dropColumn: return .project([.drop(1)])
            case .forbidNulls: return .project([.setNullable(0, false)])
            case .indexHere:
                return .createIndex(
                    added: [
                        .with {
                            $0.uuid.uuid = .init(repeating: 7, count: 16)
                            $0.name = "by id"
                            $0.fields = [0]
                            // A Roaring bitmap with the value 0.
                            $0.fragmentBitmap = .init([0x3A, 0x30, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0])
                        }
                    ],
                    removed: []
                )
            case .restore: return .restore(version: 1)
            case .config, .otherConfig:
                var change = ConfigChange()
                change.config = MapChange([self == .config ? "k" : "other": "v"])
                return .updateConfig(change)
            case .schemaMetadata:
                var change = ConfigChange()
                change.schemaMetadata = MapChange(["s": "v"])
                return .updateConfig(change)
            case .fieldMetadata:
                var change = ConfigChange()
                change.fieldMetadata = [0: MapChange(["f": "v"])]
                return .updateConfig(change)
            }
        }
    }

    /// What happens to the row's change after the column's, column by column in the order of ``Change``: `.` fine,
    /// `R` retry, `X` never. As the reference does, but for `!` (fine there, with something lost).
    static let matrix: [(Change, String)] = [
        // append
        // |  delete here, there
        // |  |  |  update here, there
        // |  |  |  |  |  overwrite
        // |  |  |  |  |  |  rewrite here, there
        // |  |  |  |  |  |  |  |  add, drop, forbid nulls
        // |  |  |  |  |  |  |  |  |  |  |  index, restore
        // |  |  |  |  |  |  |  |  |  |  |  |  |  config, other, schema, field metadata
        (.append, ".  .  .  .  .  X  .  .  .  R  R  .  X  .  .  .  ."),  // dropped column: `!`
        (.deleteHere, ".  R  .  .  .  X  R  .  R  .  .  .  X  .  .  .  ."),
        (.deleteThere, ".  .  R  .  .  X  .  R  R  .  .  .  X  .  .  .  ."),
        (.updateHere, ".  .  .  R  .  X  R  .  R  R  R  .  X  .  .  .  ."),
        (.updateThere, ".  .  .  .  R  X  .  R  R  R  R  .  X  .  .  .  ."),
        (.overwrite, ".  .  .  .  .  R  .  .  .  .  .  .  .  .  .  .  ."),
        (.rewriteHere, ".  R  .  R  .  X  R  .  R  .  .  R  X  .  .  .  ."),
        (.rewriteThere, ".  .  R  .  R  X  .  R  R  .  .  .  X  .  .  .  ."),
        (.addColumn, "R  R  R  R  R  X  R  R  R  X  X  .  X  .  .  R  R"),
        (.dropColumn, ".  .  .  .  .  X  .  .  R  R  R  .  X  .  .  .  ."),
        (.forbidNulls, "R  .  .  R  R  X  .  .  R  R  R  .  X  .  .  .  ."),  // new rows: `!`
        (.indexHere, ".  .  .  .  .  X  R  .  .  .  .  R  X  .  .  .  ."),
        (.restore, ".  .  .  .  .  .  .  .  .  .  .  .  .  .  .  X  X"),
        (.config, ".  .  .  .  .  .  .  .  .  .  .  .  .  X  .  .  ."),
        (.otherConfig, ".  .  .  .  .  .  .  .  .  .  .  .  .  .  X  .  ."),
        (.schemaMetadata, ".  .  .  .  .  X  .  .  R  .  .  .  X  .  .  X  ."),
        (.fieldMetadata, ".  .  .  .  .  X  .  .  R  .  .  .  X  .  .  .  X"),
    ]

    static let schema = ArrowSchema([ArrowField("id", .int64), ArrowField("other", .int64)])

    static func source(_ ids: Range<Int>) throws -> ReaderSource<BatchList> {
        let values = ids.map { Int64($0) as Int64? }
        return ReaderSource(
            BatchList(
                try RecordBatch(schema: schema, columns: [.int64(values), .int64(values.map { $0.map { -$0 } })])
            )
        )
    }

    /// A new data file as an append would write it.
    static func fragment(_ table: Table, _ ids: Range<Int>) async throws -> Fragment {
        let scratch = MemoryStore()
        let other = try await Table.create(scratch, from: try source(ids), try TableFixture.options())
        let fragment = other.manifest.fragments[0]
        for (path, bytes) in scratch.snapshot where path.hasPrefix("data/") { try await table.store.put(path, bytes) }
        return Fragment(files: fragment.files, rowCount: ids.count)
    }

    private static func outcome(
        _ second: Change,
        after first: Change
    ) async throws -> (Outcome, store: MemoryStore, stale: Table) {
        let store = MemoryStore()
        var table = try await Table.create(store, from: try source(0..<40), try TableFixture.options(rowsPerFile: 10))
        // Room for the ids that the rewrites use.
        _ = try await CommitLoop(store: store).commit(.reserveFragments(20), on: table)
        table = try await Table.open(store)
        let ours = try await second.operation(on: table)
        let theirs = try await first.operation(on: table)
        _ = try await CommitLoop(store: store).commit(theirs, on: table)
        do throws(CommitLoop.Failure) {
            _ = try await CommitLoop(store: store).commit(ours, on: table)
            return (.fine, store, table)
        } catch {
            #expect(error.error.code == .conflict, "\(second) after \(first): \(error.error)")
            return (error.error.isRetryable ? .retry : .never, store, table)
        }
    }

    @Test("each pair ends as the matrix says")
    func pairs() async throws {
        for (second, line) in Self.matrix {
            let cells = line.split(separator: " ")
            try #require(cells.count == Change.allCases.count)
            for (first, cell) in zip(Change.allCases, cells) {
                let (outcome, store, stale) = try await Self.outcome(second, after: first)
                let expected: Outcome = cell == "." ? .fine : cell == "R" ? .retry : .never
                #expect(outcome == expected, "\(second) after \(first)")
                let after = try await Table.open(store)
                #expect(after.manifest.version == (outcome == .fine ? 4 : 3))
                try await Self.check(after, first, outcome == .fine ? second : nil)
                // Nothing is left behind by the one that failed.
                if outcome != .fine {
                    #expect(store.snapshot.keys.filter { $0.hasPrefix("_transactions/") }.count == 3)
                }
                _ = stale
            }
        }
    }

    /// The rows of a table after both changes, by a plain model.
    private static func check(_ table: Table, _ first: Change, _ second: Change?) async throws {
        var rows = (0..<40).map { $0 }
        for change in [first, second].compactMap({ $0 }) {
            switch change {
            case .append: rows += 100..<105
            case .deleteHere: rows.removeAll { [1, 2].contains($0) }
            case .deleteThere: rows.removeAll { [21, 22].contains($0) }
            case .updateHere: rows = rows.filter { ![5, 6].contains($0) } + (200..<202)
            case .updateThere: rows = rows.filter { ![25, 26].contains($0) } + (200..<202)
            case .overwrite: rows = Array(300..<305)
            case .restore: rows = Array(0..<40)
            default: break
            }
        }
        #expect(
            try await TableFixture.ids(table).sorted() == rows.sorted(),
            "\(second.map { "\($0)" } ?? "-") after \(first)"
        )
    }

    @Test("the matrix has a rule for every pair")
    func complete() {
        for ours in ChangeKind.allCases where ours != .dataReplacement && ours != .updateBases {
            for theirs in ChangeKind.allCases { #expect(ConflictMatrix.rule(ours, after: theirs) != nil) }
        }
    }

    @Test("deletes of different rows of one fragment are merged; what was written first is not left behind")
    func mergedDeletes() async throws {
        let store = MemoryStore()
        let table = try await TableFixture.create(store, 0..<10)
        _ = try await table.delete([RowAddress(fragment: 0, offset: 1)])
        let merged = try await table.delete([RowAddress(fragment: 0, offset: 3), RowAddress(fragment: 0, offset: 4)])
        #expect(try await TableFixture.ids(merged) == [0, 2, 5, 6, 7, 8, 9])
        let transaction = try await VersionList(store: store).transaction(of: merged.manifest)
        // As the reference does: the merged file was made on the newest version.
        #expect(transaction?.message.readVersion == 2)
        #expect(store.snapshot.keys.filter { $0.hasPrefix("_deletions/") }.count == 2)
        // A row that is gone already is a conflict for a stale writer, and nothing for a fresh one.
        await #expect(throws: LanceError(.conflict, "")) {
            try await table.delete([RowAddress(fragment: 0, offset: 1)])
        }
        #expect(try await merged.delete([RowAddress(fragment: 0, offset: 1)]).manifest.version == 3)
    }

    @Test("rows prepared for a column whose id was given out again are refused")
    func reusedID() async throws {
        let store = MemoryStore()
        let stale = try await Table.create(store, from: try Self.source(0..<3), try TableFixture.options())
        _ = try await CommitLoop(store: store).commit(.project([.drop(1)]), on: stale)
        let dropped = try await Table.open(store)
        #expect(dropped.manifest.highestFieldID == 1)
        // By a writer that does not care.
        let field = try LanceField(id: 1, name: "new", logicalType: "int64", nullable: true)
        let merge = ColumnMerge(edits: [.add(field)], files: [:])
        _ = try await CommitLoop(store: store).commit(.merge(merge), on: dropped)
        await #expect(throws: LanceError(.conflict, "")) {
            try await stale.append(from: try Self.source(3..<5), try TableFixture.options())
        }
    }

    @Test("a commit whose answer was lost is found again and not made twice")
    func unknownOutcome() async throws {
        let store = MemoryStore()
        let table = try await TableFixture.create(store, 0..<10)
        let forgetful = ForgetfulStore(store)
        let next = try await TableFixture.append(table.storing(in: forgetful), 10..<12)
        #expect(next.manifest.version == 2)
        #expect(try await TableFixture.ids(try await Table.open(store)) == Array(0..<12))
        let gone = try await next.storing(in: ForgetfulStore(store)).delete([RowAddress(fragment: 0, offset: 0)])
        #expect(gone.manifest.version == 3)
        #expect(try await TableFixture.ids(try await Table.open(store)) == Array(1..<12))
    }
}

/// A store that puts a manifest, and then says that it is there already: as a network does that lost the first answer.
private struct ForgetfulStore: ObjectStore {
    private let base: MemoryStore

    init(_ base: MemoryStore) { self.base = base }

    var root: String { base.root }
    func open(_ path: String) async throws(LanceError) -> any StoredObject { try await base.open(path) }
    func read(_ path: String, limit: Int) async throws(LanceError) -> ArrowBuffer {
        try await base.read(path, limit: limit)
    }
    func entries(_ directory: String) async throws(LanceError) -> [StoredEntry] { try await base.entries(directory) }
    func list(_ directory: String) async throws(LanceError) -> [String] { try await base.list(directory) }
    func exists(_ path: String) async throws(LanceError) -> Bool { try await base.exists(path) }
    func put(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) { try await base.put(path, bytes) }
    func delete(_ path: String) async throws(LanceError) { try await base.delete(path) }
    func create(_ path: String) throws(LanceError) -> any ObjectSink { try base.create(path) }
    func putIfAbsent(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        try await base.putIfAbsent(path, bytes)
        throw LanceError(.alreadyExists, "somebody was faster")
    }
}
