import LancerBytes

/// Columns of the same length under one schema.
public struct RecordBatch: Sendable {
    /// Names and types of the columns.
    public let schema: ArrowSchema
    /// The columns, in the schema's order.
    public let columns: [ArrowArray]
    /// Number of rows (a batch without columns can have rows).
    public let rowCount: Int

    /// Puts columns together.
    ///
    /// - Throws: `schemaMismatch` when the number, types or lengths of the columns do not fit.
    public init(schema: ArrowSchema, columns: [ArrowArray], rowCount: Int? = nil) throws(LanceError) {
        guard schema.fields.count == columns.count else {
            throw .schemaMismatch("schema has \(schema.fields.count) columns, the batch \(columns.count)")
        }
        let rows = rowCount ?? columns.first?.length ?? 0
        for (field, column) in zip(schema.fields, columns) {
            guard column.length == rows else {
                throw .schemaMismatch("column \"\(field.name)\" has \(column.length) rows, the batch \(rows)")
            }
            guard column.type == field.type else {
                throw .schemaMismatch("column \"\(field.name)\" is \(column.type), its field says \(field.type)")
            }
        }
        self.schema = schema
        self.columns = columns
        self.rowCount = rows
    }

    /// The first column called `name`.
    public func column(_ name: String) -> ArrowArray? { schema.index(of: name).map { columns[$0] } }

    /// Part of the rows, without a copy.
    public func slice(_ range: Range<Int>) -> RecordBatch {
        RecordBatch(unchecked: schema, columns.map { $0.slice(range) }, rowCount: range.count)
    }

    package init(unchecked schema: ArrowSchema, _ columns: [ArrowArray], rowCount: Int) {
        self.schema = schema
        self.columns = columns
        self.rowCount = rowCount
    }

    /// Bytes of all columns.
    public var sizeInBytes: Int { columns.reduce(0) { $0 + $1.sizeInBytes } }
}

/// Batches of one schema, produced one after the other: a file being read, a scan, a pipe.
///
/// The one currency between readers of other formats, scans and writers. Not safe to share; each consumer owns one.
public protocol RecordBatchReader {
    /// The schema of every batch.
    var schema: ArrowSchema { get }
    /// The next batch, or nil at the end. A batch may be empty.
    mutating func next() throws -> RecordBatch?
}
