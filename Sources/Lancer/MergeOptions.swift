/// What ``Dataset/merge(_:on:whenMatched:whenNotMatched:whenNotMatchedBySource:options:)-(RecordBatchReader,_,_,_,_,_)``
/// does with rows whose key is in the table and in the source.
public enum WhenMatched: Sendable, Hashable {
    /// The table's row gets the values of the source's. Columns the source does not have keep theirs.
    case updateAll
    /// As ``updateAll`` where the condition is true; other rows stay. Columns are called `source.x` and `target.x`.
    case updateIf(String)
    /// The table's row is deleted.
    case delete
    /// The merge fails, and nothing changes.
    case fail
    /// The table's row stays as it is.
    case doNothing
}

/// What a merge does with rows of the source whose key is not in the table.
public enum WhenNotMatched: Sendable, Hashable {
    /// They become new rows. Columns the source does not have are null.
    case insertAll
    /// They are left out.
    case doNothing
}

/// What a merge does with rows of the table whose key is not in the source.
public enum WhenNotMatchedBySource: Sendable, Hashable {
    /// They stay.
    case keep
    /// They are deleted.
    case delete
    /// Those for which the condition is true are deleted. Columns are called by their names.
    case deleteWhere(String)
}

/// How a merge is made and written.
public struct MergeOptions: Sendable, Hashable {
    /// Most rows in one new data file.
    public var maxRowsPerFile = 1_048_576
    /// Size at which a data file is closed and the next begun, in bytes.
    public var maxBytesPerFile = 90_000_000_000
    /// Most memory for the source's rows, in bytes; a merge keeps them all until it is committed.
    public var maxSourceBytes = 4 << 30
    /// Only count what would change.
    public var dryRun = false
    /// Whether the merge returns only when its bytes would survive a loss of power.
    public var durable = true
    /// Text kept with the new version, shown by ``Dataset/versions()``.
    public var message: String?

    /// The defaults, to be changed one by one.
    public init() {}
}

/// What a merge did.
public struct MergeResult: Sendable {
    /// The new version; the old one when nothing changed or the merge was a dry run.
    public let dataset: Dataset
    /// Rows of the source that became new rows.
    public let insertedRows: Int
    /// Rows of the table that got values of the source.
    public let updatedRows: Int
    /// Rows of the table that were deleted.
    public let deletedRows: Int
    /// How often the merge was worked out: 1, and one more for every time another writer changed the same rows first.
    public let attempts: Int
}
