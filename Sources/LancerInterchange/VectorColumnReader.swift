import LancerArrow
import LancerBytes

/// Adds NumPy matrices as columns to the rows of another reader, row by row.
///
/// Batches are cut so that the added values of one stay near 8 MiB.
package struct VectorColumnReader: RecordBatchReader {
    /// The other reader's columns, then the added ones.
    package let schema: ArrowSchema

    private var base: any RecordBatchReader
    private let vectors: [NPYReader]
    private let rowsPerBatch: Int
    private var pending: RecordBatch?
    private var rowCount = 0

    /// Zips `base` with matrices; each is named by its reader's column.
    ///
    /// - Parameter baseRowCount: Number of rows of `base` when it is known, to find a mismatch before anything is read.
    /// - Throws: `schemaMismatch` when row counts differ or a name occurs twice.
    package init(
        _ base: any RecordBatchReader,
        adding vectors: [NPYReader],
        baseRowCount: Int? = nil
    ) throws(LanceError) {
        var schema = base.schema
        for vector in vectors {
            let field = vector.schema.fields[0]
            guard schema.index(of: field.name) == nil else {
                throw .schemaMismatch("the vectors \"\(field.name)\" have the name of a column that is there already")
            }
            schema.fields.append(field)
            if let baseRowCount, baseRowCount != vector.rowCount { throw Self.mismatch(vector, baseRowCount) }
        }
        self.schema = schema
        self.base = base
        self.vectors = vectors
        rowsPerBatch = Swift.max((8 << 20) / Swift.max(vectors.reduce(0) { $0 + $1.rowBytes }, 1), 1)
    }

    /// The next batch, or nil at the end.
    ///
    /// - Throws: `schemaMismatch` when the matrices have fewer or more rows than the other reader; what the readers
    ///   throw.
    package mutating func next() throws -> RecordBatch? {
        guard let batch = try pending ?? base.next() else {
            for vector in vectors where vector.rowCount != rowCount { throw Self.mismatch(vector, rowCount) }
            return nil
        }
        let rows = Swift.min(batch.rowCount, rowsPerBatch)
        pending = rows < batch.rowCount ? batch.slice(rows..<batch.rowCount) : nil
        var columns = batch.columns.map { $0.slice(0..<rows) }
        for vector in vectors {
            guard rows <= vector.rowCount - rowCount else {
                throw Self.mismatch(vector, rowCount + batch.rowCount, "at least ")
            }
            columns.append(try vector.read(rows: rowCount..<(rowCount + rows)))
        }
        rowCount += rows
        return try RecordBatch(schema: schema, columns: columns, rowCount: rows)
    }

    private static func mismatch(_ vector: NPYReader, _ rows: Int, _ least: String = "") -> LanceError {
        .schemaMismatch(
            "the vectors \"\(vector.schema.fields[0].name)\" have \(vector.rowCount) rows, the table has \(least)\(rows)"
        )
    }
}
