import LancerArrow
import LancerBytes
import LancerStorage
import LancerTable

/// A column to be added to a table.
public enum NewColumn: Sendable {
    /// Null in every row; nothing is written. Later appends may fill it.
    case null(ArrowField)
    /// Computed for every row by a SQL expression over the columns there are.
    case expression(_ name: String, _ sql: String)

    fileprivate var column: LancerTable.NewColumn {
        switch self {
        case .null(let field): .nulls(field)
        case .expression(let name, let sql): .expression(name: name, sql)
        }
    }
}

extension Dataset {
    /// Adds columns behind the others. Computed ones are written as new data files next to those there are, which stay as
    /// they are. All computed columns may be null.
    ///
    /// - Parameter progress: Told after each batch that was written its rows and their bytes in memory.
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `schemaMismatch` for a name that is taken, or a null column that forbids nulls; `invalidArgument` for an
    ///   expression that is wrong, or a value that cannot be computed; `unsupported` for a type that cannot be stored;
    ///   `conflict`, `corrupt`, `io`. The table is as it was then.
    public func addColumns(
        _ columns: [NewColumn],
        options: ChangeOptions = ChangeOptions(),
        progress: (@Sendable (_ rows: Int, _ bytes: Int) -> Void)? = nil
    ) async throws -> Dataset {
        let table = try await writable(options)
            .addColumns(columns.map(\.column), commitMessage: options.message, progress: progress)
        return try Dataset(path: path, table: table)
    }

    /// Adds columns of nulls behind the others. Nothing but the schema is written; later appends may fill them.
    ///
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `schemaMismatch` for a name that is taken, or a column that forbids nulls; `unsupported` for a type that
    ///   cannot be stored; `conflict`, `io`.
    public func addNullColumns(
        _ columns: [ArrowField],
        options: ChangeOptions = ChangeOptions()
    ) async throws -> Dataset {
        try await addColumns(columns.map { .null($0) }, options: options)
    }

    /// Adds the columns of `reader` behind the others, row by row: its first row belongs to the table's first one.
    ///
    /// - Parameter progress: Told after each batch that was written its rows and their bytes in memory.
    /// - Returns: The new version.
    /// - Throws: `invalidArgument` when there are more or fewer rows than in the table; `schemaMismatch` for a name that is
    ///   taken; `conflict` when another writer changed the table meanwhile, as the rows may be others then; `unsupported`,
    ///   `io`, and what `reader` throws. The table is as it was then.
    public func addColumns(
        from reader: some RecordBatchReader,
        options: ChangeOptions = ChangeOptions(),
        progress: (@Sendable (_ rows: Int, _ bytes: Int) -> Void)? = nil
    ) async throws -> Dataset {
        let table = try await writable(options)
            .addColumns(from: ReaderSource(reader), commitMessage: options.message, progress: progress)
        return try Dataset(path: path, table: table)
    }

    /// Adds the columns of a scan, which may be one of another table, row by row.
    ///
    /// - Throws: as ``addColumns(from:options:progress:)-(RecordBatchReader,_,_)`` and the scan do.
    public func addColumns(
        from scan: Scan,
        options: ChangeOptions = ChangeOptions(),
        progress: (@Sendable (_ rows: Int, _ bytes: Int) -> Void)? = nil
    ) async throws -> Dataset {
        let table = try await writable(options)
            .addColumns(from: ScanSource(scan.scan), commitMessage: options.message, progress: progress)
        return try Dataset(path: path, table: table)
    }

    /// Gives a column, or with a dotted path a field of a struct, another type. Its values are converted into new data
    /// files by the rules of SQL's `CAST`.
    ///
    /// - Parameter progress: Told after each batch that was written its rows and their bytes in memory.
    /// - Returns: The new version, with what other writers committed since this one; this value when the column has the
    ///   type.
    /// - Throws: `invalidArgument` for a value that does not fit, `unsupported` when there is no conversion, `schemaMismatch`
    ///   for a column with indices, `notFound`, `conflict`, `corrupt`, `io`. The table is as it was then.
    public func castColumn(
        _ column: String,
        to type: ArrowType,
        options: ChangeOptions = ChangeOptions(),
        progress: (@Sendable (_ rows: Int, _ bytes: Int) -> Void)? = nil
    ) async throws -> Dataset {
        let table = try await writable(options)
            .castColumn(column, to: type, commitMessage: options.message, progress: progress)
        return try Dataset(path: path, table: table)
    }
}
