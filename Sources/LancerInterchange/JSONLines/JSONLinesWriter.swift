import LancerArrow
import LancerBytes

/// Writes record batches as JSON lines: one object a row, every column a key, nulls written out.
///
/// Values are written as ``ValueWriter`` lists them; ``JSONLinesReader`` reads them back equal when it is given the
/// schema (NaN payloads aside). Integers are written as numbers with all their digits.
package struct JSONLinesWriter {
    private let schema: ArrowSchema
    private let keys: [[UInt8]]
    private var sink: any ByteSink
    private var output = BlockOutput()

    /// Starts a text.
    package init(schema: ArrowSchema, sink: any ByteSink) throws(LanceError) {
        self.schema = schema
        self.sink = sink
        var keys: [[UInt8]] = []
        var names: Set<String> = []
        for field in schema.fields {
            guard names.insert(field.name).inserted else {
                throw .invalidArgument("two columns are called \"\(field.name)\", which one JSON object cannot hold")
            }
            var text = BufferBuilder()
            JSONText.append(Array(field.name.utf8), into: &text)
            keys.append(text.finish().bytes + [0x3A])
        }
        self.keys = keys
    }

    /// Writes the rows of a batch.
    ///
    /// - Throws: `schemaMismatch` when it has another schema; what the sink throws.
    package mutating func write(_ batch: RecordBatch) throws(LanceError) {
        guard batch.schema.fields == schema.fields else {
            throw .schemaMismatch("a batch with the schema (\(batch.schema)) where (\(schema)) is written")
        }
        var columns: [ValueWriter] = []
        for column in batch.columns { columns.append(try ValueWriter(column)) }
        for row in 0..<batch.rowCount {
            output.text.append(UInt8(0x7B))
            for (index, column) in columns.enumerated() {
                if index > 0 { output.text.append(UInt8(0x2C)) }
                output.text.append(contentsOf: keys[index])
                column.appendJSON(row, into: &output.text)
            }
            output.text.append(UInt8(0x7D))
            output.text.append(UInt8(0x0A))
            try output.flush(into: &sink, atLeast: BlockOutput.blockBytes)
        }
    }

    /// Hands the rest of the text to the sink.
    package mutating func finish() throws(LanceError) { try output.flush(into: &sink, atLeast: 1) }
}
