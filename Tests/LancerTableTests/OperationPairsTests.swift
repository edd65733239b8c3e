import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage
import LancerTable
import LancerTestSupport
import Testing

/// Every ordered pair of changes as callers make them: two handles of the same version, one makes the first change, the
/// other, which is stale then, the second. ``ConflictMatrixTests`` has the verdicts of single commits; here changes that
/// are worked out anew after a conflict are, so that most pairs end well.
///
/// Four fragments of ten rows, three rows of the last deleted. `here` and `beside` are different rows of the last
/// fragment, which is the one that a compaction rewrites, `there` is in the first.
@Suite("Pairs of operations")
struct OperationPairsTests {
    enum Change: String, CaseIterable {
        case append
        case deleteHere, deleteBeside, deleteThere
        case updateHere, updateBeside, updateThere
        case mergeHere, mergeBeside, mergeThere
        case overwrite, compact, addA, addB, addC, dropW, dropSpare, restore, configK, configL
    }

    enum Outcome: Character {
        /// Both effects are there.
        case fine = "."
        /// The second is refused, and would be accepted if it were made again; append and overwrite are not made again
        /// by themselves, as their rows are gone.
        case retry = "R"
        /// The second makes no sense after the first.
        case never = "X"
        /// The second was made again and is an error then: the column is there already, or no longer.
        case void = "E"
    }

    /// What becomes of the row's change when the column's was first, in the order of ``Change``.
    static let table: [(Change, String)] = [
        // append
        // |  delete here, beside, there
        // |  |  |  |  update here, beside, there
        // |  |  |  |  |  |  |  merge here, beside, there
        // |  |  |  |  |  |  |  |  |  |  overwrite
        // |  |  |  |  |  |  |  |  |  |  |  compact
        // |  |  |  |  |  |  |  |  |  |  |  |  add a, add b, add c with values
        // |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  drop w, drop spare
        // |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  restore
        // |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  config k, l
        (.append, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  R  R  X  .  ."),
        (.deleteHere, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.deleteBeside, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.deleteThere, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.updateHere, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.updateBeside, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.updateThere, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.mergeHere, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.mergeBeside, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.mergeThere, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.overwrite, ".  .  .  .  .  .  .  .  .  .  R  .  .  .  .  .  .  .  .  ."),
        (.compact, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  .  X  .  ."),
        (.addA, ".  .  .  .  .  .  .  .  .  .  X  .  E  .  .  X  X  X  .  ."),
        (.addB, ".  .  .  .  .  .  .  .  .  .  X  .  .  E  .  X  X  X  .  ."),
        (.addC, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  E  X  X  X  .  ."),
        (.dropW, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  E  .  X  .  ."),
        (.dropSpare, ".  .  .  .  .  .  .  .  .  .  X  .  .  .  .  .  E  X  .  ."),
        (.restore, ".  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  ."),
        (.configK, ".  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  X  ."),
        (.configL, ".  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  X"),
    ]

    private static let schema = ArrowSchema([
        ArrowField("id", .int64), ArrowField("v", .int64), ArrowField("w", .utf8), ArrowField("spare", .float64),
    ])

    private static func source(_ ids: some Sequence<Int64>, _ columns: Int = 4, adding: Int64 = 0) throws -> BatchList {
        let ids = Array(ids)
        let all: [ArrowArray] = [
            .int64(ids), .int64(ids.map { $0 * 10 + adding }), .utf8(ids.map { "w\($0)" }),
            .float64(ids.map(Double.init)),
        ]
        let fields = ArrowSchema(Array(schema.fields.prefix(columns)))
        return BatchList(try RecordBatch(schema: fields, columns: Array(all.prefix(columns))))
    }

    /// What a table should be.
    private struct Model: Equatable {
        /// The values of `v` by `id`; two appends of the same rows leave two.
        var values: [Int64: [Int64]] = Dictionary(uniqueKeysWithValues: (0..<40).map { ($0, [$0 * 10]) })
        var columns: Set<String> = ["id", "v", "w", "spare"]
        var config: Set<String> = []

        mutating func apply(_ change: Change) {
            switch change {
            case .append: for id: Int64 in 100..<105 { values[id, default: []].append(id * 10) }
            case .deleteHere, .deleteBeside, .deleteThere: for id in change.ids { values[id] = nil }
            case .updateHere, .updateBeside, .updateThere:
                for id in change.ids { values[id] = values[id]?.map { $0 + 1 } }
            case .mergeHere, .mergeBeside, .mergeThere: for id in change.mergedIDs { values[id] = [id * 10 + 5] }
            case .overwrite:
                values = Dictionary(uniqueKeysWithValues: (200..<205).map { ($0, [$0 * 10]) })
                columns = ["id", "v", "w", "spare"]
            case .compact: break
            case .addA: columns.insert("a")
            case .addB: columns.insert("b")
            case .addC: columns.insert("c")
            case .dropW: columns.remove("w")
            case .dropSpare: columns.remove("spare")
            case .restore: self = Model()
            case .configK: config.insert("k")
            case .configL: config.insert("l")
            }
        }
    }

    private static func apply(_ change: Change, _ table: Table) async throws {
        switch change {
        case .append:
            _ = try await table.append(from: ReaderSource(try source(100..<105)), try TableFixture.options())
        case .deleteHere, .deleteBeside, .deleteThere:
            let list = change.ids.map(String.init).joined(separator: ", ")
            _ = try await table.delete(where: "id IN (\(list))")
        case .updateHere, .updateBeside, .updateThere:
            let list = change.ids.map(String.init).joined(separator: ", ")
            let limits = try TableFixture.options().limits
            _ = try await table.update(["v": "v + 1"], where: "id IN (\(list))", limits: limits)
        case .mergeHere, .mergeBeside, .mergeThere:
            let rows = try await CollectedRows(
                ReaderSource(try source(change.mergedIDs, 2, adding: 5)),
                byteLimit: 1 << 20
            )
            _ = try await table.merge(rows, on: ["id"], MergeTests.upsert, try MergeTests.options())
        case .overwrite:
            _ = try await table.overwrite(from: ReaderSource(try source(200..<205)), try TableFixture.options())
        case .compact:
            _ = try await table.compact(try CompactionRules(targetRows: 10, deletedShare: 0.1), commitMessage: nil)
        case .addA: _ = try await table.addColumns([.nulls(ArrowField("a", .int32))], commitMessage: nil)
        case .addB: _ = try await table.addColumns([.nulls(ArrowField("b", .int32))], commitMessage: nil)
        case .addC: _ = try await table.addColumns([.expression(name: "c", "v + 1")], commitMessage: nil)
        case .dropW: _ = try await table.dropColumns(["w"], commitMessage: nil)
        case .dropSpare: _ = try await table.dropColumns(["spare"], commitMessage: nil)
        case .restore: _ = try await Table.open(table.store, version: 1).restore(commitMessage: nil)
        case .configK, .configL:
            var config = ConfigChange()
            config.config = MapChange([change == .configK ? "k" : "l": "v"])
            _ = try await table.updateConfig(config, commitMessage: nil)
        }
    }

    private static func state(_ table: Table) async throws -> Model {
        var model = Model()
        model.columns = Set(table.manifest.schema.fields.map(\.name))
        model.config = Set(table.manifest.config.keys).intersection(["k", "l"])
        model.values = [:]
        for row in try await MergeTests.rows(table) {
            guard case .int(let id) = row[0], case .int(let value) = row[1] else { continue }
            model.values[id, default: []].append(value)
        }
        return model
    }

    @Test("end as the table says, and leave what both together should", arguments: [false, true])
    func pairs(stableRowIDs: Bool) async throws {
        #expect(Self.table.map(\.0) == Change.allCases)
        for (second, line) in Self.table {
            let cells = line.split(separator: " ")
            try #require(cells.count == Change.allCases.count, "\(second)")
            for (first, cell) in zip(Change.allCases, cells) {
                try await Self.run(first, second, cell.first, stableRowIDs)
            }
        }
    }

    private static func run(_ first: Change, _ second: Change, _ cell: Character?, _ stableRowIDs: Bool) async throws {
        let store = MemoryStore()
        var options = try TableFixture.options(rowsPerFile: 10)
        options.stableRowIDs = stableRowIDs
        let made = try await Table.create(store, from: ReaderSource(try source(0..<40)), options)
        let stale = try await made.delete(where: "id > 36").table
        var model = Model()
        for id: Int64 in 37..<40 { model.values[id] = nil }
        try await apply(first, stale)
        model.apply(first)
        let afterFirst = try await Table.open(store).manifest.version
        let outcome: Outcome
        var message = ""
        do {
            try await apply(second, stale)
            outcome = .fine
            model.apply(second)
        } catch let error as LanceError {
            message = "\(error)"
            outcome = error.code != .conflict ? .void : error.isRetryable ? .retry : .never
        }
        #expect(outcome.rawValue == cell, "\(second) after \(first): \(message)")
        let after = try await Table.open(store)
        // A compaction sets fragment ids aside before it is refused.
        if outcome != .fine, second != .compact { #expect(after.manifest.version == afterFirst) }
        let state = try await state(after)
        #expect(state == model, "\(second) after \(first)")
        if outcome == .fine, second == .addC,
            let column = after.manifest.schema.fields.firstIndex(where: { $0.name == "c" })
        {
            // Computed anew from what the first left.
            for row in try await MergeTests.rows(after) {
                guard case .int(let value) = row[1] else { continue }
                #expect(row[column] == .int(value + 1), "\(second) after \(first)")
            }
        }
        // Every older version reads as it was.
        let base = try await Self.state(try await Table.open(store, version: 1))
        #expect(base == Model())
    }
}

extension OperationPairsTests.Change {
    /// The rows it is about.
    fileprivate var ids: [Int64] {
        switch self {
        case .deleteHere, .updateHere, .mergeHere: [31, 32]
        case .deleteBeside, .updateBeside, .mergeBeside: [33, 34]
        case .deleteThere, .updateThere, .mergeThere: [1, 2]
        default: []
        }
    }

    /// The rows it is about and a new one.
    fileprivate var mergedIDs: [Int64] {
        ids + [self == .mergeHere ? 300 : self == .mergeBeside ? 301 : 302]
    }
}
