import LancerArrow
import LancerBytes

/// Rows in memory, in batches of a good size.
package struct CollectedRows: Sendable {
    package let schema: ArrowSchema
    private let batches: [RecordBatch]
    /// Rows before each batch, and behind the last one all.
    private let starts: [Int]

    package var rowCount: Int { starts[starts.count - 1] }

    /// Reads a source to its end.
    ///
    /// - Parameter byteLimit: Most Arrow memory to keep.
    /// - Throws: `limitExceeded` when the source has more, and what it throws itself.
    package init(_ source: some BatchSource, byteLimit: Int) async throws {
        schema = source.schema
        var source = source
        var batches: [RecordBatch] = []
        var small: [RecordBatch] = []
        var smallBytes = 0
        var bytes = 0
        while let batch = try await source.nextBatch() {
            try Task.checkCancellation()
            guard batch.columns.count == schema.fields.count else {
                throw LanceError.schemaMismatch(
                    "a batch has \(batch.columns.count) columns instead of \(schema.fields.count)"
                )
            }
            if batch.rowCount == 0 { continue }
            let size = batch.sizeInBytes
            bytes += size
            guard bytes <= byteLimit else {
                throw LanceError(
                    .limitExceeded,
                    "the source of a merge is kept in memory and this one has more than \(byteLimit) bytes; "
                        + "merge it in parts or allow more memory"
                )
            }
            // Many batches of a few rows each would make every look-up slow.
            small.append(batch)
            smallBytes += size
            if smallBytes >= 4 << 20 {
                batches.append(try Self.joined(&small))
                smallBytes = 0
            }
        }
        if !small.isEmpty { batches.append(try Self.joined(&small)) }
        self.batches = batches
        starts = batches.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rowCount) }
    }

    private static func joined(_ small: inout [RecordBatch]) throws(LanceError) -> RecordBatch {
        defer { small = [] }
        return small.count == 1 ? small[0] : try RecordBatch.concatenating(small)
    }

    /// The arrays of some columns, batch by batch, with the number of the first row.
    func forEachBatch(
        _ body: (_ firstRow: Int, _ batch: RecordBatch) throws(LanceError) -> Void
    ) throws(LanceError) {
        for (start, batch) in zip(starts, batches) { try body(start, batch) }
    }

    /// Values of single rows, in the order given.
    ///
    /// - Parameter column: Gives the array wanted of a batch.
    func gather(
        _ rows: [Int],
        type: ArrowType,
        _ column: (RecordBatch) throws(LanceError) -> ArrowArray
    ) throws(LanceError) -> ArrowArray {
        if rows.isEmpty { return ArrowArray.empty(type) }
        if batches.count == 1 { return try column(batches[0]).gather(rows) }
        var members = [[Int]](repeating: [], count: batches.count)
        for (position, row) in rows.enumerated() { members[Table.fragment(of: row, starts)].append(position) }
        var parts: [ArrowArray] = []
        var order: [Int] = []
        for (batch, positions) in members.enumerated() where !positions.isEmpty {
            parts.append(try column(batches[batch]).gather(positions.map { rows[$0] - starts[batch] }))
            order += positions
        }
        let joined = try ArrowArray.concatenating(parts)
        var inverse = [Int](repeating: 0, count: order.count)
        for (place, position) in order.enumerated() { inverse[position] = place }
        return try joined.gather(inverse)
    }
}
