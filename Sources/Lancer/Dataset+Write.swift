import LancerArrow
import LancerBytes

extension Dataset {
    /// Makes a new table at `path` from the batches of `reader`.
    ///
    /// - Throws: `alreadyExists` when there is a table at `path`, `invalidArgument` and `schemaMismatch` for data that
    ///   cannot be stored, `io`, and whatever `reader` throws. After an error no table is there.
    public static func create(
        at path: String,
        from reader: some RecordBatchReader,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        throw LanceError(.unsupported, "writing a dataset is not there yet")
    }

    /// Replaces schema and rows of the table at `path` by the batches of `reader` as a new version; makes the table if
    /// there is none. Older versions stay readable.
    ///
    /// - Throws: `conflict` when another writer overwrote the table at the same time, and what ``create(at:from:options:)``
    ///   throws. After an error the table is as it was.
    public static func overwrite(
        at path: String,
        from reader: some RecordBatchReader,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        throw LanceError(.unsupported, "writing a dataset is not there yet")
    }

    /// Adds the rows of `reader` behind the table's rows.
    ///
    /// The data files keep the table's file version; ``WriteOptions/fileVersion`` is not looked at. Appends of several
    /// writers at the same time all succeed.
    ///
    /// - Returns: The new version.
    /// - Throws: `schemaMismatch` when the columns differ from the table's, `conflict` when another writer replaced the
    ///   table or changed its columns meanwhile, `io`, and whatever `reader` throws. After an error the table is as it was.
    public func append(
        _ reader: some RecordBatchReader,
        options: WriteOptions = WriteOptions()
    ) async throws -> Dataset {
        throw LanceError(.unsupported, "appending is not there yet")
    }
}
