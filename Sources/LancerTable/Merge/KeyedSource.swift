import LancerArrow
import LancerBytes
import LancerFile

/// The source of a merge, looked up by key.
final class KeyedSource: @unchecked Sendable {
    // Safe to share: nothing changes after init; the interner is only asked.
    let rows: CollectedRows
    let columns: MergeColumns
    /// The key columns, as paths in the table's schema.
    let keys: [[LanceField]]
    private let interner: ByteInterner
    /// The key of each row, by number; -1 for none.
    private let keyOfRow: [Int32]
    /// Where the rows of each key begin in ``rowsByKey``, and behind the last key all.
    private let keyStarts: [Int]
    private let rowsByKey: [Int]

    /// Number of different keys.
    var keyCount: Int { keyStarts.count - 1 }

    /// - Throws: `schemaMismatch` when the source lacks a key column, `limitExceeded` for more than 2^31 rows.
    init(_ rows: CollectedRows, _ columns: MergeColumns, keys: [[LanceField]]) throws(LanceError) {
        guard rows.rowCount < Int32.max else { throw .limitExceeded("a merge of \(rows.rowCount) rows") }
        var interner = ByteInterner()
        var keyOfRow = [Int32](repeating: -1, count: rows.rowCount)
        try rows.forEachBatch { (start, batch) throws(LanceError) in
            var arrays: [ArrowArray] = []
            for path in keys { arrays.append(try columns.array(at: path, of: batch)) }
            try EncodedKeys(arrays, rowCount: batch.rowCount).visit { row, key in
                keyOfRow[start + row] = Int32(truncatingIfNeeded: interner.intern(key))
            }
        }
        var starts = [Int](repeating: 0, count: interner.count + 1)
        for key in keyOfRow where key >= 0 { starts[Int(key) + 1] += 1 }
        for key in 0..<interner.count { starts[key + 1] += starts[key] }
        var next = starts
        var rowsByKey = [Int](repeating: 0, count: starts[interner.count])
        for (row, key) in keyOfRow.enumerated() where key >= 0 {
            rowsByKey[next[Int(key)]] = row
            next[Int(key)] += 1
        }
        self.rows = rows
        self.columns = columns
        self.keys = keys
        self.keyOfRow = keyOfRow
        self.rowsByKey = rowsByKey
        keyStarts = starts
        self.interner = interner
    }

    /// The number of a key of the table; nil when the source does not have it.
    func index(of key: UnsafeRawBufferPointer) -> Int? { interner.index(of: key) }

    /// The rows with a key, ascending.
    func rows(ofKey key: Int) -> ArraySlice<Int> { rowsByKey[keyStarts[key]..<keyStarts[key + 1]] }

    /// The rows whose key is not among `matched`, in order; rows without a key match nothing.
    func rows(notIn matched: [Bool]) -> [Int] {
        keyOfRow.indices.filter { keyOfRow[$0] < 0 || !matched[Int(keyOfRow[$0])] }
    }

    /// Whether one of the rows has a key.
    func hasKey(_ rows: [Int]) -> Bool { rows.contains { keyOfRow[$0] >= 0 } }

    /// Values of the source at the end of a path in the table's schema.
    func gather(_ rows: [Int], at path: [LanceField]) throws(LanceError) -> ArrowArray {
        try self.rows.gather(rows, type: path[path.count - 1].type) { (batch) throws(LanceError) in
            try columns.array(at: path, of: batch)
        }
    }

    /// The key of a row as people read it: `id = 1, day = 2026-11-21`.
    func text(ofKeyOf row: Int) throws(LanceError) -> String {
        var parts: [String] = []
        for path in keys {
            let value = try gather([row], at: path).formatted(at: 0)
            parts.append("\(path.text) = \(value.prefix(80))")
        }
        return parts.joined(separator: ", ")
    }
}
