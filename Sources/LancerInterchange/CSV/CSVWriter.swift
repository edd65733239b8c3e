import LancerArrow
import LancerBytes

/// How CSV or TSV text is written.
package struct CSVWriterOptions: Sendable {
    /// The byte between cells.
    package var delimiter: UInt8 = 0x2C
    /// Whether the first row holds the column names.
    package var header = true

    /// Comma-separated, with a header.
    package init() {}
}

/// When a cell needs quotes, and how they are written.
struct CSVQuoting {
    let delimiter: UInt8

    /// Appends a cell; in quotes when it is empty (an empty cell without quotes is null), has the delimiter, a quote or
    /// a line end in it, starts or ends with a blank, or starts like a byte order mark.
    func append(_ text: TextBytes, into output: inout BufferBuilder) {
        guard needsQuotes(text) else { return output.append(UnsafeRawBufferPointer(text)) }
        output.append(UInt8(0x22))
        for byte in text {
            if byte == 0x22 { output.append(byte) }
            output.append(byte)
        }
        output.append(UInt8(0x22))
    }

    private func needsQuotes(_ text: TextBytes) -> Bool {
        guard let first = text.first, let last = text.last else { return true }
        if first == 0x20 || first == 0x09 || last == 0x20 || last == 0x09 || first == 0xEF { return true }
        for byte in text where byte == delimiter || byte == 0x22 || byte == 0x0A || byte == 0x0D { return true }
        return false
    }
}

/// Writes record batches as CSV or TSV text: LF line ends, values as ``ValueWriter`` lists them.
///
/// ``CSVReader`` reads it back equal when it is given the schema (NaN payloads and time zone names aside, which are the
/// schema's matter). A null is an empty cell, an empty string `""`. In a table of a single column a null is a blank line.
package struct CSVWriter {
    private let schema: ArrowSchema
    private let quoting: CSVQuoting
    private var sink: any ByteSink
    private var output = BlockOutput()

    /// Starts a text; the header is written at once.
    ///
    /// - Throws: `invalidArgument` for a schema without columns or a delimiter that cannot be one; what the sink throws.
    package init(
        schema: ArrowSchema,
        sink: any ByteSink,
        options: CSVWriterOptions = CSVWriterOptions()
    ) throws(LanceError) {
        guard !schema.fields.isEmpty else { throw .invalidArgument("a table without columns cannot be written as CSV") }
        let forbidden: [UInt8] = [0x22, 0x0A, 0x0D, 0x00]
        guard options.delimiter < 0x80, !forbidden.contains(options.delimiter) else {
            throw .invalidArgument("a CSV delimiter is one ASCII character other than a quote, CR, LF or NUL")
        }
        self.schema = schema
        self.sink = sink
        quoting = CSVQuoting(delimiter: options.delimiter)
        guard options.header else { return }
        for (index, field) in schema.fields.enumerated() {
            if index > 0 { output.text.append(options.delimiter) }
            Array(field.name.utf8).withUnsafeBufferPointer { quoting.append($0, into: &output.text) }
        }
        output.text.append(UInt8(0x0A))
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
            for (index, column) in columns.enumerated() {
                if index > 0 { output.text.append(quoting.delimiter) }
                column.appendCell(row, quoting: quoting, into: &output.text)
            }
            output.text.append(UInt8(0x0A))
            try output.flush(into: &sink, atLeast: BlockOutput.blockBytes)
        }
    }

    /// Hands the rest of the text to the sink.
    package mutating func finish() throws(LanceError) { try output.flush(into: &sink, atLeast: 1) }
}

/// Text on its way to a sink, handed over in blocks.
struct BlockOutput {
    static let blockBytes = 1 << 20

    /// A class, since builders cannot be copied and writers are plain values.
    private final class Box {
        var text = BufferBuilder(capacity: 1 << 16)
    }

    private let box = Box()

    /// Text not handed over yet.
    var text: BufferBuilder {
        _read { yield box.text }
        nonmutating _modify { yield &box.text }
    }

    /// Hands the text to `sink` when there are at least `limit` bytes.
    @inline(__always)
    func flush(into sink: inout any ByteSink, atLeast limit: Int) throws(LanceError) {
        if box.text.count >= limit { try handOver(&sink) }
    }

    private func handOver(_ sink: inout any ByteSink) throws(LanceError) {
        var full = BufferBuilder(capacity: Self.blockBytes + Self.blockBytes / 8)
        swap(&full, &box.text)
        try sink.write(full.finish())
    }
}
