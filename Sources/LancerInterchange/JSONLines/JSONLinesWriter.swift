import LancerArrow
import LancerBytes

/// Writes record batches as JSON lines: one object a row, every column a key, nulls written out.
///
/// Values are written as `CellFormatter` has them; ``JSONLinesReader`` reads them back equal when it is given the
/// schema (NaN payloads aside). Integers are written as numbers with all their digits.
package struct JSONLinesWriter {
    private let schema: ArrowSchema
    private let keys: [[UInt8]]
    private let output: TextOutput

    /// Starts a text.
    package init(schema: ArrowSchema, sink: any ByteSink) throws(LanceError) {
        self.schema = schema
        output = TextOutput(sink)
        var keys: [[UInt8]] = []
        var names: Set<String> = []
        for field in schema.fields {
            guard names.insert(field.name).inserted else {
                throw .invalidArgument("two columns are called \"\(field.name)\", which one JSON object cannot hold")
            }
            var text = BufferBuilder()
            ArrowText.append(jsonString: field.name, to: &text)
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
        let columns = batch.columns.map { CellFormatter($0, style: .json) }
        var text = output.begin()
        for row in 0..<batch.rowCount {
            text.append(UInt8(0x7B))
            for (index, column) in columns.enumerated() {
                if index > 0 { text.append(UInt8(0x2C)) }
                text.append(contentsOf: keys[index])
                column.append(row, to: &text)
            }
            text.append(UInt8(0x7D))
            text.append(UInt8(0x0A))
            if text.count >= TextOutput.blockBytes { try output.handOver(&text) }
        }
        output.end(text)
    }

    /// Hands the rest of the text to the sink.
    package mutating func finish() throws(LanceError) { try output.finish() }
}
