import LancerBytes
import LancerTable

extension Dataset {
    /// Deletes rows by number, 0 for the first row that ``scan(columns:offset:limit:batchRows:)`` gives.
    ///
    /// - Returns: The new version, with what other writers committed since this one; this value itself when `rows` is
    ///   empty.
    /// - Throws: `invalidArgument` for a row number outside the table, `conflict` when another writer changed one of the
    ///   rows meanwhile, `corrupt`, `io`.
    package func delete(rows: [Int], options: ChangeOptions = ChangeOptions()) async throws -> Dataset {
        let addresses = try await table.addresses(ofRows: rows)
        let table = try await writable(options).delete(addresses, commitMessage: options.message)
        return try Dataset(path: path, table: table)
    }
}
