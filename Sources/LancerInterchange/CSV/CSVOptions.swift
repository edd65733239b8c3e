import LancerArrow
import LancerBytes

/// How a CSV or TSV text is laid out and read.
///
/// Layout (RFC 4180 with the usual freedoms):
/// - Rows end with LF, CR LF or CR; the last row may go without. A UTF-8 byte order mark is skipped.
/// - A cell that starts with `"` goes to the next lone `"`; two quotes inside stand for one, delimiters and line ends
///   are text there. A quote anywhere else is text.
/// - Every row has as many cells as the first one. Blank lines are skipped, unless the text has a single column: there
///   a blank line is a row with an empty cell.
///
/// Values:
/// - An empty cell is null. A quoted empty cell (`""`) is the empty string in a text column, null in any other.
/// - Blanks around numbers, booleans, dates and times do not count; in text they do.
/// - Nested values (lists, structs, maps) are JSON inside the cell.
/// - Text of the other types: see ``TextColumn``.
package struct CSVOptions: Sendable {
    /// The byte between cells.
    package var delimiter: UInt8 = 0x2C
    /// Whether the first row holds the column names. Without names columns are called `f0`, `f1`, ….
    package var header = true
    /// Names and types of the columns; nil to look at all rows and choose types.
    ///
    /// With a header the columns are found by name and come in the schema's order; without one they are taken in order.
    package var schema: ArrowSchema?
    /// Whether columns of the text that ``schema`` does not name are left out; else they are an error.
    package var skipsOtherColumns = false
    /// Most rows of a batch.
    package var batchRows = 65_536
    /// Most bytes of text behind a batch (one row may have more).
    package var batchBytes = 8 << 20

    /// Comma-separated, with a header.
    package init() {}

    /// Comma-separated, with a header.
    package static var csv: CSVOptions { CSVOptions() }

    /// Tab-separated, with a header.
    package static var tsv: CSVOptions {
        var options = CSVOptions()
        options.delimiter = 0x09
        return options
    }
}
