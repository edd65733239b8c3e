import LancerBytes
import LancerTable

/// What a delete or update by condition did.
public struct RowChange: Sendable {
    /// The new version, with what other writers committed since; when no row was chosen, none was made.
    public let dataset: Dataset
    /// Rows that were deleted or changed.
    public let rowCount: Int
}

extension Dataset {
    /// Deletes the rows for which a condition is true; those for which it is false or null stay. Older versions keep them.
    ///
    /// ```swift
    /// let smaller = try await dataset.delete(where: "section = 'doc' AND size_bytes > 1000000").dataset
    /// ```
    ///
    /// Only the columns that the condition names are read, and no data file is written anew. When another writer changes
    /// one of the rows first, the condition is computed again on that writer's version, as often as needed within a limit.
    ///
    /// - Parameter condition: SQL text, see ``scan(columns:where:offset:limit:batchRows:)``.
    /// - Throws: `invalidArgument` for a condition that cannot be read or computed, `conflict` when other writers were
    ///   faster time and again, `corrupt`, `truncated`, `unsupported`, `io`.
    public func delete(where condition: String, options: ChangeOptions = ChangeOptions()) async throws -> RowChange {
        let (table, count) = try await writable(options).delete(where: condition, commitMessage: options.message)
        return RowChange(dataset: try Dataset(path: path, table: table), rowCount: count)
    }

    /// Deletes rows by number, 0 for the first row that ``scan(columns:where:offset:limit:batchRows:)`` gives.
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
