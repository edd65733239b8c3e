import LancerArrow
import LancerBytes
import LancerFile

/// Rows that differ between two versions.
package enum RowDifference: Sendable {
    case added(RecordBatch)
    case removed(RecordBatch)
    /// The same keys in both, row by row, and for each row the names of the columns that differ.
    case changed(before: RecordBatch, after: RecordBatch, columns: [[String]])
}

/// How many rows differ.
package struct RowDiffCounts: Sendable, Hashable {
    package var added = 0
    package var removed = 0
    package var changed = 0
}

extension Table {
    /// Compares the rows of this version with those of a newer one, by key. Only rows in files that are not in both, or
    /// that were deleted in one of them, are read; memory holds the keys of those of this version.
    ///
    /// Of the rows that are read, those with a null in their key match no other: they count as removed and added. Columns that are in
    /// one version only, or of different types, do not count.
    ///
    /// - Parameters:
    ///   - key: Columns that together tell rows apart, in both versions.
    ///   - visit: Told the differences as they are found.
    /// - Throws: `notFound` for a key column that is not in both versions with the same type, `invalidArgument` when two
    ///   rows have the same key, `corrupt`, `io`, and what `visit` throws.
    package func diffRows(
        to newer: Table,
        key: [String],
        _ visit: (RowDifference) async throws -> Void
    ) async throws -> RowDiffCounts {
        let schema = SchemaDiff(manifest.schema, newer.manifest.schema)
        let comparison = try RowComparison(self, newer, schema.common, key: key)
        let candidates = try await DiffCandidates(self, newer, schema.common)
        return try await comparison.run(candidates, visit)
    }
}

/// Compares the candidates of two versions.
private final class RowComparison {
    private let old: Table
    private let new: Table
    private let oldKey: Projection
    private let oldAll: Projection
    private let newAll: Projection
    /// Positions of the columns that are compared, in ``oldAll`` and ``newAll``.
    private let common: [(old: Int, new: Int, name: String)]
    private let newKeyNames: [String]

    init(_ old: Table, _ new: Table, _ common: [(old: LanceField, new: LanceField)], key: [String]) throws {
        guard !key.isEmpty else { throw LanceError.invalidArgument("name at least one column as the key") }
        self.old = old
        self.new = new
        oldAll = try Projection(nil, of: old.manifest.schema)
        newAll = try Projection(nil, of: new.manifest.schema)
        var columns: [(old: Int, new: Int, name: String)] = []
        for pair in common {
            guard let one = old.manifest.schema.fields.firstIndex(where: { $0.id == pair.old.id }),
                let two = new.manifest.schema.fields.firstIndex(where: { $0.id == pair.new.id })
            else { continue }
            columns.append((one, two, pair.new.name))
        }
        self.common = columns
        var oldNames: [String] = []
        for name in key {
            let field = try new.field(at: name)
            // A renamed key column goes by its old name there.
            let top = name.split(separator: ".", maxSplits: 1).first.map(String.init) ?? name
            let pair = common.first { $0.new.name == top }
            let oldName = pair.map { $0.old.name + name.dropFirst(top.count) } ?? name
            guard try old.field(at: oldName).type == field.type else {
                throw LanceError.invalidArgument(
                    "key column \"\(name)\" has another type in version \(old.manifest.version)"
                )
            }
            oldNames.append(oldName)
        }
        oldKey = try Projection(oldNames, of: old.manifest.schema)
        newKeyNames = key
    }

    func run(
        _ candidates: DiffCandidates,
        _ visit: (RowDifference) async throws -> Void
    ) async throws -> RowDiffCounts {
        var counts = RowDiffCounts()
        var interner = ByteInterner()
        // For each key its row in the old version, or -1 when the new one has it, too.
        var rowOfKey: [Int] = []
        var removed: [Int] = []
        try await candidates.old.forEachPart { rows in
            let batch = try await old.take(rows, oldKey)
            var known = [Bool](repeating: false, count: rows.count)
            try EncodedKeys(batch.columns, rowCount: rows.count).visit { row, key in
                let index = interner.intern(key)
                known[row] = true
                if index == rowOfKey.count { rowOfKey.append(rows[row]) } else { known[row] = false }
            }
            for (row, isKnown) in known.enumerated() where !isKnown {
                guard batch.columns.contains(where: { $0.isNull(row) }) else { throw twice(batch, row, old) }
                removed.append(rows[row])
            }
        }
        var isMatched = [Bool](repeating: false, count: rowOfKey.count)
        let oldCount = rowOfKey.count
        let newKey = try Projection(newKeyNames, of: new.manifest.schema)
        try await candidates.new.forEachPart { rows in
            let keys = try await new.take(rows, newKey)
            var matches = [Int](repeating: -1, count: rows.count)
            var repeated: Int?
            try EncodedKeys(keys.columns, rowCount: rows.count).visit { row, key in
                let count = interner.count
                let index = interner.intern(key)
                if index >= oldCount {
                    if index < count { repeated = row }
                } else if isMatched[index] {
                    repeated = row
                } else {
                    isMatched[index] = true
                    matches[row] = rowOfKey[index]
                }
            }
            if let repeated { throw twice(keys, repeated, new) }
            try await compare(rows, matches, &counts, visit)
        }
        removed += rowOfKey.indices.filter { !isMatched[$0] }.map { rowOfKey[$0] }
        removed.sort()
        counts.removed = removed.count
        var start = 0
        while start < removed.count {
            let end = Swift.min(removed.count, start + 16_384)
            try await visit(.removed(try await old.take(Array(removed[start..<end]), oldAll)))
            start = end
        }
        return counts
    }

    private func twice(_ batch: RecordBatch, _ row: Int, _ table: Table) -> LanceError {
        let values = zip(newKeyNames, batch.columns).map { "\($0) = \($1.formatted(at: row))" }
        return .invalidArgument(
            "two rows of version \(table.manifest.version) have the key \(values.joined(separator: ", "))"
        )
    }

    private func compare(
        _ rows: [Int],
        _ matches: [Int],
        _ counts: inout RowDiffCounts,
        _ visit: (RowDifference) async throws -> Void
    ) async throws {
        let added = rows.indices.filter { matches[$0] < 0 }
        let both = rows.indices.filter { matches[$0] >= 0 }
        if !added.isEmpty {
            counts.added += added.count
            try await visit(.added(try await new.take(added.map { rows[$0] }, newAll)))
        }
        if both.isEmpty { return }
        let before = try await old.take(both.map { matches[$0] }, oldAll)
        let after = try await new.take(both.map { rows[$0] }, newAll)
        var names = [[String]](repeating: [], count: both.count)
        for column in common {
            let (one, two) = (before.columns[column.old], after.columns[column.new])
            if one.isEqual(to: two) { continue }
            for row in both.indices
            where !one.slice(row..<(row + 1)).isEqual(to: two.slice(row..<(row + 1))) {
                names[row].append(column.name)
            }
        }
        let changed = both.indices.filter { !names[$0].isEmpty }
        if changed.isEmpty { return }
        counts.changed += changed.count
        try await visit(
            .changed(
                before: try before.gather(Array(changed)),
                after: try after.gather(Array(changed)),
                columns: changed.map { names[$0] }
            )
        )
    }
}
