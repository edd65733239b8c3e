import LancerArrow
import LancerBytes
import LancerTable
import LancerTestSupport
import Testing

/// Random merges against a model that compares every row with every other.
@Suite("Random merges")
struct RandomMergeTests {
    private typealias Row = [ArrowValue]

    /// A condition and what it means; the rows are key, n, t.
    private static let pairConditions: [(text: String, holds: @Sendable (Row, Row) -> Bool)] = [
        ("source.n > target.n", { source, target in isGreater(number(source[1]), number(target[1])) }),
        ("source.n IS NULL OR target.n < 10", { $0[1] == .null || (number($1[1]) ?? 99) < 10 }),
        ("target.t IS NOT NULL AND source.n IN (1, 2, 3)", { $1[2] != .null && [1, 2, 3].contains(number($0[1])) }),
    ]
    private static let rowConditions: [(text: String, holds: @Sendable (Row) -> Bool)] = [
        ("n > 8", { isGreater(number($0[1]), 8) }),
        ("n IS NULL OR target.t = 'x3'", { $0[1] == .null || $0[2] == .string("x3") }),
    ]

    private static func isGreater(_ left: Int64?, _ right: Int64?) -> Bool {
        if let left, let right { left > right } else { false }
    }

    private static func number(_ value: ArrowValue) -> Int64? {
        if case .int(let number) = value { number } else { nil }
    }

    private static let keyTypes: [(ArrowType, @Sendable (Int) -> ArrowValue)] = [
        (.int8, { .int(Int64($0) - 4) }), (.int64, { .int(Int64($0) << 33) }), (.uint16, { .uint(UInt64($0)) }),
        (.utf8, { .string($0 == 0 ? "" : "key \($0)") }),
        (.largeBinary, { .bytes([UInt8]($0 == 0 ? [] : [0, UInt8($0)])) }),
        (.bool, { .bool($0 % 2 == 0) }), (.date32, { .int(Int64($0) + 20_000) }),
        (.float64, { .float([.nan, 0, -0.0, 1.5][$0 % 4] + Double($0 / 4)) }),
        (.timestamp(.microsecond, timezone: "UTC"), { .int(Int64($0) * 1_000_003) }),
        (.list(ArrowField("item", .int32)), { .list((0..<($0 % 3)).map { .int(Int64($0)) } + [.int(Int64($0 / 3))]) }),
    ]

    @Test("end as the model says, with the same counts", arguments: 0..<40)
    func random(block: UInt64) async throws {
        for seed in block * 10..<block * 10 + 10 { try await run(seed) }
    }

    private func run(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        let (type, key) = random.pick(Self.keyTypes)
        let schema = ArrowSchema([ArrowField("k", type), ArrowField("n", .int64), ArrowField("t", .utf8)])
        let span = random.int(1...14)
        func rows(_ count: Int, unique: Bool) -> [Row] {
            var seen: Set<ArrowValue> = []
            return (0..<count).compactMap { _ in
                let value: ArrowValue = random.chance(0.08) ? .null : key(random.int(0...span))
                if unique, value != .null, !seen.insert(value).inserted { return nil }
                let n: ArrowValue = random.chance(0.2) ? .null : .int(Int64(random.int(0...12)))
                return [value, n, random.chance(0.2) ? .null : .string("x\(random.int(0...5))")]
            }
        }
        var target = rows(random.int(0...40), unique: random.chance(0.5))
        let source = rows(random.int(0...20), unique: random.chance(0.8))
        var table = try await MergeTests.create(target, schema, rowsPerFile: random.int(2...20))
        if random.chance(0.5), !target.isEmpty {
            let gone = Set((0..<5).map { _ in random.int(0...(target.count - 1)) })
            table = try await table.delete(try await table.addresses(ofRows: gone.sorted()))
            target = target.indices.filter { !gone.contains($0) }.map { target[$0] }
        }
        let pair = random.pick(Self.pairConditions)
        let single = random.pick(Self.rowConditions)
        let clauses = MergeClauses(
            matched: random.pick([.update(if: nil), .update(if: nil), .update(if: pair.text), .delete, .fail, .keep]),
            notMatched: random.pick([.insert, .insert, .ignore]),
            notMatchedBySource: random.pick([.keep, .keep, .delete(if: nil), .delete(if: single.text)])
        )
        let columns = random.chance(0.3) && clauses.matched != .update(if: pair.text) ? [0, 2] : [0, 1, 2]
        let label = "seed \(seed): \(type) \(clauses) \(columns)"
        let expected = Self.model(target, source, clauses, columns, { pair.holds($0, $1) }, { single.holds($0) })
        let sourceSchema = ArrowSchema(columns.reversed().map { schema.fields[$0] })
        let given = source.map { row in columns.reversed().map { row[$0] } }
        let isIdle = clauses == MergeClauses(matched: .keep, notMatched: .ignore, notMatchedBySource: .keep)
        do {
            let (merged, counts) = try await MergeTests.merge(table, given, clauses, on: ["k"], sourceSchema)
            let result = try #require(expected, "\(label) should have failed")
            #expect(!isIdle, "\(label)")
            #expect(try await MergeTests.rows(merged) == result.rows, "\(label)")
            #expect([counts.inserted, counts.updated, counts.deleted] == result.counts, "\(label)")
        } catch let error as LanceError {
            #expect(expected == nil || isIdle, "\(label): \(error)")
            #expect(error.code == (clauses.matched == .fail ? .alreadyExists : .invalidArgument), "\(label): \(error)")
        }
    }

    /// Rows in order and the counts; nil when the merge must fail.
    private static func model(
        _ target: [Row],
        _ source: [Row],
        _ clauses: MergeClauses,
        _ columns: [Int],
        _ pairHolds: (Row, Row) -> Bool,
        _ rowHolds: (Row) -> Bool
    ) -> (rows: [Row], counts: [Int])? {
        func same(_ left: Row, _ right: Row) -> Bool { left[0] != .null && left[0] == right[0] }
        var kept: [Row] = []
        var updated: [(source: Int, row: Row)] = []
        var deleted = 0
        for row in target {
            let matches = source.indices.filter { same(source[$0], row) }
            guard !matches.isEmpty else {
                let goes =
                    switch clauses.notMatchedBySource {
                    case .keep: false
                    case .delete(let text): text == nil || rowHolds(row)
                    }
                if goes { deleted += 1 } else { kept.append(row) }
                continue
            }
            switch clauses.matched {
            case .keep: kept.append(row)
            case .fail: return nil
            case .delete:
                if matches.count > 1 { return nil }
                deleted += 1
            case .update(let text):
                let chosen = matches.filter { text == nil || pairHolds(source[$0], row) }
                if chosen.count > 1 { return nil }
                guard let one = chosen.first else {
                    kept.append(row)
                    continue
                }
                var new = row
                for column in columns { new[column] = source[one][column] }
                updated.append((one, new))
            }
        }
        var inserted: [Row] = []
        if clauses.notMatched == .insert {
            for row in source where !target.contains(where: { same(row, $0) }) {
                inserted.append(row.indices.map { columns.contains($0) ? row[$0] : .null })
            }
        }
        let moved = updated.enumerated().sorted { ($0.1.source, $0.0) < ($1.1.source, $1.0) }.map(\.element.row)
        return (kept + moved + inserted, [inserted.count, updated.count, deleted])
    }
}
