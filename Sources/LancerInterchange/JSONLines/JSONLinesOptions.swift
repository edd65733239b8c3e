import LancerArrow

/// How JSON lines are read.
///
/// Every line holds one JSON object (RFC 8259, strictly); LF or CR LF ends it, the last one may go without. Lines of
/// nothing but blanks are skipped; a UTF-8 byte order mark too. A key that is missing is null. A key that comes twice
/// in one object is an error. The deepest nesting is 64 levels.
///
/// Types chosen when there is no schema: bool, int64 (uint64 when a value needs it), float64, utf8, `list<…>`,
/// `struct<…>` with the keys of all values in the order first seen, null when there is nothing else. Integers among
/// fractions become float64 when that loses no digit. Anything mixed otherwise is an error that names line and key.
///
/// With a schema, JSON numbers and strings fill every type as CSV text would (see ``TextColumn``); objects fill structs
/// and maps, arrays lists, fixed-size lists and maps (of `{"key": …, "value": …}`).
package struct JSONLinesOptions: Sendable {
    /// Names and types of the columns; nil to look at all lines and choose types.
    package var schema: ArrowSchema?
    /// Whether keys that ``schema`` does not name are left out, at every level; else they are an error.
    package var skipsOtherKeys = false
    /// Most rows of a batch.
    package var batchRows = 65_536
    /// Most bytes of text behind a batch (one line may have more).
    package var batchBytes = 8 << 20

    /// Types from all lines.
    package init() {}
}
