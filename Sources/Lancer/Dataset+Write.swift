import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage
import LancerTable

extension Dataset {
    /// Makes a new table at `path` from the batches of `reader`.
    ///
    /// Rows are written as they come; memory does not grow with their number.
    ///
    /// - Throws: `alreadyExists` when there is a table at `path`, `invalidArgument` and `schemaMismatch` for data that
    ///   cannot be stored, `unsupported` naming a column of a type that cannot be stored, `io`, and whatever `reader`
    ///   throws. After an error no table is there.
    public static func create(
        at path: String,
        from reader: some RecordBatchReader,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        try await create(path, ReaderSource(reader), options)
    }

    /// Makes a new table at `path` from the rows of a scan of another one.
    ///
    /// - Throws: as ``create(at:from:options:)-(_,RecordBatchReader,_)`` and the scan do.
    public static func create(
        at path: String,
        from scan: Scan,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        try await create(path, ScanSource(scan.scan), options)
    }

    /// Replaces schema and rows of the table at `path` by the batches of `reader` as a new version; makes the table if
    /// there is none. Older versions stay readable.
    ///
    /// - Throws: `conflict` when another writer overwrote the table at the same time, and what `create` throws except
    ///   `alreadyExists`. After an error the table is as it was.
    public static func overwrite(
        at path: String,
        from reader: some RecordBatchReader,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        try await overwrite(path, ReaderSource(reader), options)
    }

    /// Replaces schema and rows of the table at `path` by the rows of a scan, which may be one of the same table.
    ///
    /// - Throws: as ``overwrite(at:from:options:)-(_,RecordBatchReader,_)`` and the scan do.
    public static func overwrite(
        at path: String,
        from scan: Scan,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        try await overwrite(path, ScanSource(scan.scan), options)
    }

    /// Adds the rows of `reader` behind the table's rows.
    ///
    /// Columns are matched by name; their order may differ. The data files keep the table's file version;
    /// ``WriteOptions/fileVersion`` is not looked at. Appends of several writers at the same time all succeed.
    ///
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `schemaMismatch` when the columns differ from the table's, `conflict` when another writer replaced the
    ///   table or changed its columns meanwhile, `unsupported`, `io`, and whatever `reader` throws. After an error the
    ///   table is as it was.
    public func append(
        _ reader: some RecordBatchReader,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        try await append(ReaderSource(reader), options)
    }

    /// Adds the rows of a scan, which may be one of the same table, behind the table's rows.
    ///
    /// - Throws: as ``append(_:options:)-(RecordBatchReader,_)`` and the scan do.
    public func append(_ scan: Scan, options: WriteOptions = WriteOptions()) async throws -> Dataset {
        try await append(ScanSource(scan.scan), options)
    }

    private static func create(
        _ path: String,
        _ source: some BatchSource,
        _ options: WriteOptions
    ) async throws -> Dataset {
        let store = LocalStore(root: try LocalPath.parse(path), durable: options.durable)
        return try await Dataset(path: path, table: Table.create(store, from: source, try options.checked))
    }

    private static func overwrite(
        _ path: String,
        _ source: some BatchSource,
        _ options: WriteOptions
    ) async throws -> Dataset {
        let store = LocalStore(root: try LocalPath.parse(path), durable: options.durable)
        let checked = try options.checked
        guard try await Table.exists(store) else {
            return try await Dataset(path: path, table: Table.create(store, from: source, checked))
        }
        let table = try await Table.open(store)
        return try await Dataset(path: path, table: table.overwrite(from: source, checked))
    }

    private func append(_ source: some BatchSource, _ options: WriteOptions) async throws -> Dataset {
        let store = LocalStore(root: try LocalPath.parse(path), durable: options.durable)
        let table = try await table.storing(in: store).append(from: source, try options.checked)
        return try Dataset(path: path, table: table)
    }
}

extension WriteOptions {
    /// The options as the table layer wants them.
    ///
    /// - Throws: `invalidArgument` for numbers that make no sense.
    fileprivate var checked: TableWriteOptions {
        get throws(LanceError) {
            TableWriteOptions(
                limits: try FragmentLimits(rowsPerFile: maxRowsPerFile, bytesPerFile: maxBytesPerFile),
                commitMessage: message,
                fileVersion: fileVersion.version,
                naming: v1ManifestPaths ? .v1 : .v2,
                stableRowIDs: stableRowIDs
            )
        }
    }
}

extension WriteOptions.FileVersion {
    /// The same version as the file layer calls it.
    fileprivate var version: FileVersion {
        switch self {
        case .v2_1: .v2_1
        case .v2_2: .v2_2
        }
    }
}
