import LancerArrow
import LancerBytes
import LancerFile

/// Compares rows of the table with the source of a merge.
struct MergeMatcher: Sendable {
    /// What rows of the table mean for the merge.
    struct Matches: Sendable {
        /// Keys of the source that were met.
        var keys: [Int] = []
        /// Rows of the table that get the values of a row of the source.
        var updates: [(source: Int, target: RowAddress)] = []
        /// Rows of the table that go.
        var deletes: [RowAddress] = []
    }

    let source: KeyedSource
    /// What must be read of the table.
    let projection: Projection
    private let clauses: MergeClauses
    private let keyColumns: [Int]
    private let updateCondition: MergeCondition?
    private let deleteCondition: MergeCondition?

    /// - Throws: `invalidArgument`, `notFound`, `unsupported` for the conditions.
    init(_ source: KeyedSource, _ clauses: MergeClauses) throws(LanceError) {
        var target = TargetColumns()
        keyColumns = source.keys.map { target.index(of: $0) }
        updateCondition =
            if case .update(let text?) = clauses.matched {
                try MergeCondition(text, pairsOf: source.columns, reading: &target)
            } else {
                nil
            }
        deleteCondition =
            if case .delete(let text?) = clauses.notMatchedBySource {
                try MergeCondition(text, rowsOf: source.columns.schema, reading: &target)
            } else {
                nil
            }
        projection = try target.projection
        self.source = source
        self.clauses = clauses
    }

    /// - Throws: `alreadyExists` for a match where none may be, `invalidArgument` when several rows of the source match a
    ///   row of the table that would change, and what conditions throw.
    func match(_ rows: LiveRows) throws(LanceError) -> Matches {
        let columns = rows.batch.columns
        let count = rows.batch.rowCount
        var result = Matches()
        var matched: [(row: Int, key: Int)] = []
        var isUnmatched = [Bool](repeating: true, count: count)
        try EncodedKeys(keyColumns.map { columns[$0] }, rowCount: count).visit { row, key in
            guard let index = source.index(of: key) else { return }
            matched.append((row, index))
            isUnmatched[row] = false
        }
        result.keys = matched.map(\.key)
        switch clauses.matched {
        case .keep: break
        case .fail:
            if let first = matched.first { throw try Self.exists(source, first.key) }
        case .update:
            result.updates = try pairs(matched, columns).map { ($0.source, rows.address(of: $0.row)) }
        case .delete:
            result.deletes = try pairs(matched, columns).map { rows.address(of: $0.row) }
        }
        if case .delete = clauses.notMatchedBySource, matched.count < count {
            let chosen = try deleteCondition?.select(columns, source, [], count: count)
            for row in 0..<count where isUnmatched[row] && (chosen?[row] ?? true) {
                result.deletes.append(rows.address(of: row))
            }
        }
        return result
    }

    /// Pairs whose condition is evaluated at a time.
    private static let pairsAtOnce = 1 << 16

    /// The row of the source for each matched row of the table that has one.
    private func pairs(
        _ matched: [(row: Int, key: Int)],
        _ columns: [ArrowArray]
    ) throws(LanceError) -> [(row: Int, source: Int)] {
        var result: [(row: Int, source: Int)] = []
        var waiting: [(row: Int, source: Int)] = []
        for (row, key) in matched {
            let candidates = source.rows(ofKey: key)
            if updateCondition == nil {
                guard candidates.count == 1 else { throw try ambiguous(candidates[candidates.startIndex]) }
                result.append((row, candidates[candidates.startIndex]))
                continue
            }
            for candidate in candidates {
                waiting.append((row, candidate))
                if waiting.count == Self.pairsAtOnce { try decide(&waiting, columns, &result) }
            }
        }
        try decide(&waiting, columns, &result)
        return result
    }

    private func decide(
        _ waiting: inout [(row: Int, source: Int)],
        _ columns: [ArrowArray],
        _ result: inout [(row: Int, source: Int)]
    ) throws(LanceError) {
        guard let updateCondition, !waiting.isEmpty else { return }
        let rows = waiting.map(\.row)
        var target: [ArrowArray] = []
        for column in columns { target.append(try column.gather(rows)) }
        let chosen = try updateCondition.select(target, source, waiting.map(\.source), count: waiting.count)
        for (index, pair) in waiting.enumerated() where chosen[index] {
            if result.last?.row == pair.row { throw try ambiguous(pair.source) }
            result.append(pair)
        }
        waiting = []
    }

    private func ambiguous(_ row: Int) throws(LanceError) -> LanceError {
        .invalidArgument(
            "several rows of the source match the same row of the table (\(try source.text(ofKeyOf: row))); "
                + "leave one of them"
        )
    }

    private static func exists(_ source: KeyedSource, _ key: Int) throws(LanceError) -> LanceError {
        let rows = source.rows(ofKey: key)
        let text = try source.text(ofKeyOf: rows[rows.startIndex])
        return LanceError(.alreadyExists, "a row of the source is in the table already: \(text)")
    }
}
