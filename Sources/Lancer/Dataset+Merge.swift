import LancerArrow
import LancerBytes
import LancerStorage
import LancerTable

extension Dataset {
    /// Brings the rows of `reader` into the table by key: updates rows that are there, inserts those that are not.
    ///
    /// ```swift
    /// let result = try await dataset.merge(reader, on: ["package"])                                   // upsert
    /// let result = try await dataset.merge(reader, on: ["id"], whenMatched: .updateIf("source.at > target.at"))
    /// let result = try await dataset.merge(reader, on: ["id"], whenNotMatchedBySource: .delete)       // replicate
    /// ```
    ///
    /// Columns are matched by name. The source needs the key columns with the table's types; others may be missing and
    /// keep their values. A null in a key column matches nothing, floats match by their bits. A row of the source may
    /// match several rows of the table, but not the other way round where rows change. Rows that change are written anew
    /// and stand behind the others, in the source's order. When other writers get in between, the merge is worked out
    /// again on their version, so that no key is inserted twice by merges at the same time.
    ///
    /// - Parameters:
    ///   - keys: Names or dotted paths of the key columns; empty for the primary key that the schema names.
    ///   - whenMatched: What happens to rows whose key is on both sides.
    ///   - whenNotMatched: What happens to rows of the source whose key is not in the table.
    ///   - whenNotMatchedBySource: What happens to rows of the table whose key is not in the source.
    /// - Throws: `invalidArgument` when several rows of the source match a row that would change, or for a condition that
    ///   cannot be read; `alreadyExists` when a row matches and `whenMatched` is ``WhenMatched/fail``; `notFound` for a
    ///   column that does not exist; `schemaMismatch` for columns that do not fit the table's; `limitExceeded` when the
    ///   source needs more memory than ``MergeOptions/maxSourceBytes``; `conflict` when other writers are faster time and
    ///   again; `corrupt`, `io`, and whatever `reader` throws. After an error the table is as it was.
    /// - Complexity: reads all rows of the key columns and of those that the conditions name; other columns only of rows
    ///   that change, and only those that the source does not have.
    public func merge(
        _ reader: some RecordBatchReader,
        on keys: [String],
        whenMatched: WhenMatched = .updateAll,
        whenNotMatched: WhenNotMatched = .insertAll,
        whenNotMatchedBySource: WhenNotMatchedBySource = .keep,
        options: MergeOptions = MergeOptions()
    ) async throws -> MergeResult {
        let rows = try await CollectedRows(ReaderSource(reader), byteLimit: options.maxSourceBytes)
        return try await merge(rows, keys, MergeClauses(whenMatched, whenNotMatched, whenNotMatchedBySource), options)
    }

    /// Brings the rows of a scan, which may be one of the same table, into the table by key.
    ///
    /// - Throws: as the merge of a reader and the scan do.
    public func merge(
        _ scan: Scan,
        on keys: [String],
        whenMatched: WhenMatched = .updateAll,
        whenNotMatched: WhenNotMatched = .insertAll,
        whenNotMatchedBySource: WhenNotMatchedBySource = .keep,
        options: MergeOptions = MergeOptions()
    ) async throws -> MergeResult {
        let rows = try await CollectedRows(ScanSource(scan.scan), byteLimit: options.maxSourceBytes)
        return try await merge(rows, keys, MergeClauses(whenMatched, whenNotMatched, whenNotMatchedBySource), options)
    }

    private func merge(
        _ rows: CollectedRows,
        _ keys: [String],
        _ clauses: MergeClauses,
        _ options: MergeOptions
    ) async throws -> MergeResult {
        let write = MergeWriteOptions(
            limits: try FragmentLimits(rowsPerFile: options.maxRowsPerFile, bytesPerFile: options.maxBytesPerFile),
            commitMessage: options.message,
            isDryRun: options.dryRun
        )
        let store = LocalStore(root: table.store.root, durable: options.durable)
        let (table, counts) = try await table.storing(in: store).merge(rows, on: keys, clauses, write)
        return MergeResult(
            dataset: try Dataset(path: path, table: table),
            insertedRows: counts.inserted,
            updatedRows: counts.updated,
            deletedRows: counts.deleted,
            attempts: counts.attempts
        )
    }
}

extension MergeClauses {
    fileprivate init(_ matched: WhenMatched, _ notMatched: WhenNotMatched, _ bySource: WhenNotMatchedBySource) {
        let old: Matched =
            switch matched {
            case .updateAll: .update(if: nil)
            case .updateIf(let condition): .update(if: condition)
            case .delete: .delete
            case .fail: .fail
            case .doNothing: .keep
            }
        let gone: NotMatchedBySource =
            switch bySource {
            case .keep: .keep
            case .delete: .delete(if: nil)
            case .deleteWhere(let condition): .delete(if: condition)
            }
        self.init(
            matched: old,
            notMatched: notMatched == .insertAll ? .insert : .ignore,
            notMatchedBySource: gone
        )
    }
}
