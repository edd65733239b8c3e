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

    /// Whether the delimiter occurs in numbers, dates or base64.
    var checksAll: Bool {
        switch delimiter {
        case 0x2B, 0x2D...0x3A, 0x3D, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    /// Puts the text from `start` on in quotes if it needs them: when it is empty (an empty cell without quotes is
    /// null), has the delimiter, a quote or a line end in it, starts or ends with a blank, or starts like a byte order
    /// mark.
    @inline(__always)
    func finishCell(from start: Int, in output: inout BufferBuilder) {
        if output.withUnsafeBytes({ needsQuotes($0, from: start) }) { quote(from: start, in: &output) }
    }

    private func quote(from start: Int, in output: inout BufferBuilder) {
        let text = output.withUnsafeBytes { Array($0[start...]) }
        output.truncate(to: start)
        output.append(UInt8(0x22))
        for byte in text {
            if byte == 0x22 { output.append(byte) }
            output.append(byte)
        }
        output.append(UInt8(0x22))
    }

    @inline(__always)
    private func needsQuotes(_ text: UnsafeRawBufferPointer, from start: Int) -> Bool {
        guard start < text.count else { return true }
        let (first, last) = (text[start], text[text.count - 1])
        if first == 0x20 || first == 0x09 || last == 0x20 || last == 0x09 || first == 0xEF { return true }
        var index = start
        let (delimiters, quotes) = (ByteScan.spread(delimiter), ByteScan.spread(0x22))
        let (lineFeeds, returns) = (ByteScan.spread(0x0A), ByteScan.spread(0x0D))
        while index + 8 <= text.count {
            let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if ByteScan.matches(word, delimiters, lineFeeds, returns) | ByteScan.matches(word, quotes) != 0 {
                return true
            }
            index += 8
        }
        while index < text.count {
            let byte = text[index]
            if byte == delimiter || byte == 0x22 || byte == 0x0A || byte == 0x0D { return true }
            index += 1
        }
        return false
    }
}

/// Writes record batches as CSV or TSV text: LF line ends, values as `CellFormatter` has them.
///
/// ``CSVReader`` reads it back equal when it is given the schema (NaN payloads and time zone names aside, which are the
/// schema's matter). A null is an empty cell, an empty string `""`. In a table of a single column a null is a blank line.
package struct CSVWriter {
    private let schema: ArrowSchema
    private let quoting: CSVQuoting
    private let output: TextOutput

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
        output = TextOutput(sink)
        quoting = CSVQuoting(delimiter: options.delimiter)
        guard options.header else { return }
        var text = output.begin()
        for (index, field) in schema.fields.enumerated() {
            if index > 0 { text.append(options.delimiter) }
            let start = text.count
            text.append(contentsOf: Array(field.name.utf8))
            quoting.finishCell(from: start, in: &text)
        }
        text.append(UInt8(0x0A))
        output.end(text)
    }

    /// Writes the rows of a batch.
    ///
    /// - Throws: `schemaMismatch` when it has another schema; what the sink throws.
    package mutating func write(_ batch: RecordBatch) throws(LanceError) {
        guard batch.schema.fields == schema.fields else {
            throw .schemaMismatch("a batch with the schema (\(batch.schema)) where (\(schema)) is written")
        }
        let columns = batch.columns.map { CellFormatter($0, style: .cell) }
        let mayNeedQuotes = columns.map { $0.isFreeText || quoting.checksAll }
        var text = output.begin()
        for row in 0..<batch.rowCount {
            for (index, column) in columns.enumerated() {
                if index > 0 { text.append(quoting.delimiter) }
                if column.isNull(row) { continue }
                let start = text.count
                column.append(row, to: &text)
                // Besides text only empty binary needs quotes, unless numbers or dates have the delimiter in them.
                if mayNeedQuotes[index] || text.count == start { quoting.finishCell(from: start, in: &text) }
            }
            text.append(UInt8(0x0A))
            if text.count >= TextOutput.blockBytes { try output.handOver(&text) }
        }
        output.end(text)
    }

    /// Hands the rest of the text to the sink.
    package mutating func finish() throws(LanceError) { try output.finish() }
}
