import LancerArrow
import LancerBytes
import LancerStorage
import LancerTable

extension Dataset {
    /// The table with a store that writes as the options say.
    func writable(_ options: ChangeOptions) throws(LanceError) -> Table {
        table.storing(in: LocalStore(root: table.store.root, durable: options.durable))
    }

    /// Drops columns, or with a dotted path fields of structs. Older versions still have them.
    ///
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `notFound`, `schemaMismatch` when no column would be left, `conflict`, `io`.
    public func dropColumns(_ columns: [String], options: ChangeOptions = ChangeOptions()) async throws -> Dataset {
        let table = try await writable(options).dropColumns(columns, commitMessage: options.message)
        return try Dataset(path: path, table: table)
    }

    /// Renames a column, or with a dotted path a field of a struct.
    ///
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `notFound`, `schemaMismatch` for a name that is taken, `conflict`, `io`.
    public func renameColumn(
        _ column: String,
        to name: String,
        options: ChangeOptions = ChangeOptions()
    ) async throws -> Dataset {
        let table = try await writable(options).renameColumn(column, to: name, commitMessage: options.message)
        return try Dataset(path: path, table: table)
    }

    /// Allows nulls in a column, or forbids them after a look at all its values.
    ///
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `schemaMismatch` when the column has nulls, `notFound`, `conflict`, `corrupt`, `io`.
    public func setNullable(
        _ column: String,
        _ nullable: Bool,
        options: ChangeOptions = ChangeOptions()
    ) async throws -> Dataset {
        let table = try await writable(options).setNullable(column, nullable, commitMessage: options.message)
        return try Dataset(path: path, table: table)
    }
}
