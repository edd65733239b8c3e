import LancerBytes

/// What columns of a table may be called.
enum ColumnName {
    /// Checks the name of a new column outside all structs.
    ///
    /// - Throws: `schemaMismatch`.
    static func check(_ name: String) throws(LanceError) {
        guard !name.isEmpty else { throw .schemaMismatch("a column has an empty name; rename it") }
        guard !name.contains(".") else {
            throw .schemaMismatch("the name of column \"\(name)\" must not have a \".\" in it; rename it")
        }
        // The reference opens no table that has one of these.
        guard SystemColumn(rawValue: name) == nil else {
            throw .schemaMismatch("the name of column \"\(name)\" is reserved for what is known of rows; rename it")
        }
    }
}
