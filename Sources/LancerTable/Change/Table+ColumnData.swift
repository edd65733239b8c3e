import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage

extension Table {
    /// Ids that new fields may have begin here.
    ///
    /// - Throws: `limitExceeded` when they run out.
    func nextFieldID() throws(LanceError) -> Int32 {
        let highest = manifest.highestFieldID
        guard highest < Int32.max - 1_000_000 else { throw .limitExceeded("the table has used up its field ids") }
        return highest + 1
    }

    /// Commits a change of the schema with a new data file next to those of every fragment. Other files stay as they are.
    ///
    /// - Parameters:
    ///   - fields: What the new files hold.
    ///   - fill: Gives the writer the values of all live rows of a fragment.
    /// - Throws: what `fill` throws, `unsupported`, `schemaMismatch`, `conflict`, `io`. No file is left behind then.
    func addingFiles(
        _ edits: [SchemaEdit],
        _ fields: [LanceField],
        _ commitMessage: String?,
        _ fill: (Fragment, ColumnFileWriter) async throws -> Void
    ) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        // Names that are taken are found out before anything is written.
        _ = try manifest.schema.applying(edits)
        let version = try writableFileVersion()
        let schema = LanceSchema(fields: fields)
        var written: [UInt64: DataFile] = [:]
        var paths: [String] = []
        do {
            if !fields.isEmpty {
                for fragment in manifest.fragments {
                    try Task.checkCancellation()
                    let writer = try ColumnFileWriter(
                        schema,
                        version: version,
                        rowCount: try await files.physicalRowCount(of: fragment, manifest),
                        deleted: try await files.deletionVector(of: fragment, manifest),
                        store
                    )
                    do {
                        try await fill(fragment, writer)
                        written[fragment.id] = try writer.finish()
                        paths.append(writer.path)
                    } catch {
                        writer.cancel()
                        throw error
                    }
                }
            }
        } catch {
            for path in paths { try? await store.delete(path) }
            throw error
        }
        let loop = CommitLoop(store: store, commitMessage: commitMessage)
        do throws(CommitLoop.Failure) {
            return advanced(to: try await loop.commit(.merge(ColumnMerge(edits: edits, files: written)), on: self))
        } catch {
            // Best effort: files that no version names do no harm.
            if error.filesAreUnused { for path in paths { try? await store.delete(path) } }
            throw error.error
        }
    }

    /// Adds the columns of a source, whose rows belong to the table's live rows in order.
    ///
    /// - Throws: `invalidArgument` when there are more or fewer rows than in the table, `schemaMismatch`, `unsupported`,
    ///   `conflict` when another writer changed the table meanwhile, and what `source` throws.
    package func addColumns(
        from source: some BatchSource,
        commitMessage: String?,
        progress: WriteProgress? = nil
    ) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        let schema = try IncomingColumns.tableSchema(for: source.schema)
        let first = try nextFieldID()
        let new = try LanceSchema(arrow: ArrowSchema(schema.fields.map(\.arrowField)), firstID: first)
        let expected = try await countRows()
        let rows = RowFeed(source)
        let table = try await addingFilesChecked(new.fields, commitMessage, expected, rows, progress)
        return table
    }

    private func addingFilesChecked<Source: BatchSource>(
        _ fields: [LanceField],
        _ commitMessage: String?,
        _ expected: Int,
        _ rows: RowFeed<Source>,
        _ progress: WriteProgress?
    ) async throws -> Table {
        let lastID = manifest.fragments.last?.id
        if manifest.fragments.isEmpty { try await rows.requireEnd(after: expected) }
        return try await addingFiles(fields.map { .add($0) }, fields, commitMessage) { fragment, writer in
            while writer.missingRows > 0 {
                guard let batch = try await rows.next(atMost: writer.missingRows) else {
                    throw LanceError.invalidArgument(
                        "the data has \(rows.count) rows, the table \(expected); every row needs its values"
                    )
                }
                try writer.write(batch)
                progress?(batch.rowCount, batch.sizeInBytes)
            }
            if fragment.id == lastID { try await rows.requireEnd(after: expected) }
        }
    }
}

/// Batches of a source cut as they are asked for.
private final class RowFeed<Source: BatchSource> {
    private var source: Source
    private let columnCount: Int
    private var rest: RecordBatch?
    /// Rows given so far.
    private(set) var count = 0

    init(_ source: Source) {
        self.source = source
        columnCount = source.schema.fields.count
    }

    func next(atMost limit: Int) async throws -> RecordBatch? {
        while true {
            if let batch = rest, batch.rowCount > 0 {
                let taken = Swift.min(limit, batch.rowCount)
                rest = batch.slice(taken..<batch.rowCount)
                count += taken
                return batch.slice(0..<taken)
            }
            guard let batch = try await source.nextBatch() else { return nil }
            guard batch.columns.count == columnCount else {
                throw LanceError.schemaMismatch("a batch has \(batch.columns.count) columns instead of \(columnCount)")
            }
            rest = batch
        }
    }

    func requireEnd(after expected: Int) async throws {
        guard try await next(atMost: 1) == nil else {
            throw LanceError.invalidArgument("the data has more rows than the table, which has \(expected)")
        }
    }
}
