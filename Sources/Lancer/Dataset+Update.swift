import LancerBytes
import LancerStorage
import LancerTable

extension Dataset {
    /// Gives columns of the rows for which a condition is true new values.
    ///
    /// ```swift
    /// let change = try await dataset.update(set: ["price": "price * 1.1", "note": "'raised'"], where: "stock = 0")
    /// print(change.rowCount, change.dataset.version)
    /// ```
    ///
    /// The right sides are SQL expressions over the row as it was, so `["a": "b", "b": "a"]` swaps. Values are converted
    /// to the column's type; a value that does not fit is an error. The rows that change are written anew behind all
    /// others, stable row ids move with them; nothing else is written. When another writer changes one of the rows first,
    /// the update is worked out again on that writer's version, as often as needed within a limit: updates like `n = n + 1`
    /// by several writers at the same time all count.
    ///
    /// - Parameters:
    ///   - values: An expression for each column to set, by the column's exact name. Fields of structs cannot be set alone.
    ///   - condition: Which rows, as in ``scan(columns:where:offset:limit:batchRows:)``; nil for all.
    ///   - progress: Told after each batch that was written its rows and their bytes in memory.
    /// - Throws: `notFound` for a column that does not exist, `unsupported` for a field of a struct, `invalidArgument` for
    ///   an expression that cannot be read or computed or a value that does not fit, `schemaMismatch` for a null where
    ///   none may be, `conflict` when other writers were faster time and again, `corrupt`, `io`. After an error the table
    ///   is as it was.
    public func update(
        set values: [String: String],
        where condition: String? = nil,
        options: ChangeOptions = ChangeOptions(),
        progress: (@Sendable (_ rows: Int, _ bytes: Int) -> Void)? = nil
    ) async throws -> RowChange {
        let write = WriteOptions()
        let (table, count) = try await writable(options).update(
            values,
            where: condition,
            limits: try FragmentLimits(rowsPerFile: write.maxRowsPerFile, bytesPerFile: write.maxBytesPerFile),
            commitMessage: options.message,
            progress: progress
        )
        return RowChange(dataset: try Dataset(path: path, table: table), rowCount: count)
    }

    /// Checks an update and counts its rows without making it.
    package func wouldUpdate(set values: [String: String], where condition: String?) async throws -> RowChange {
        RowChange(dataset: self, rowCount: try await table.countUpdated(values, where: condition))
    }
}
