/// How a ``LanceFileWriter`` trades memory for page size.
package struct FileWriteOptions: Sendable {
    /// Arrow memory of one column that makes a page, in bytes.
    package var pageBytes = 8 << 20
    /// Arrow memory of all columns together that is held back at most, in bytes; above it the largest columns are cut
    /// into pages early.
    package var bufferedBytes = 256 << 20
    /// Pages that are encoded at the same time.
    package var parallelism = 4

    /// Whether the file carries checksums of all its bytes.
    package var checksums = true

    package init() {}
}

/// What a finished file is, for the table's manifest.
package struct WrittenFile: Sendable {
    /// Top-level rows.
    package var rowCount: Int
    /// Size of the file.
    package var sizeInBytes: UInt64
    /// Field id of each column, in column order.
    package var fieldIDs: [Int32]
    /// Column of each of ``fieldIDs``.
    package var columnIndices: [Int32]
}
