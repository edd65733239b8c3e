import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex
import LancerProto
import LancerStorage

/// Told now and then what a build is at, and the share of it that is done.
package typealias IndexProgress = @Sendable (_ stage: BuildStage, _ share: Double) -> Void

extension Table {
    /// Makes an index of a column's vectors.
    ///
    /// The files are written and synced first, then the index is committed. When another writer moves rows meanwhile it is
    /// built again. A table with too few rows to train gets an index without rows, which the next
    /// ``optimizeIndices(_:)`` trains.
    ///
    /// - Parameters:
    ///   - name: Nil for `<column>_idx`.
    ///   - replacing: Whether an index of that name is replaced.
    ///   - parameters: The kind and its settings, for the element type and dimension of the column.
    /// - Throws: `alreadyExists` when there is an index of that name, `invalidArgument` for settings that make no sense or
    ///   a column without usable vectors, `limitExceeded`, `conflict`, `corrupt`, `io`, `CancellationError`. The table is as
    ///   it was then.
    package func createVectorIndex(
        on column: VectorColumn,
        name: String?,
        replacing: Bool,
        _ parameters: VectorIndexParameters,
        commitMessage: String?,
        progress: @escaping IndexProgress
    ) async throws -> Table {
        let name = name ?? "\(column.name)_idx"
        guard !name.isEmpty, !name.hasPrefix("__lance_") else {
            throw LanceError.invalidArgument("\"\(name)\" cannot be the name of an index")
        }
        try parameters.check()
        return try await retrying { table in
            try table.manifest.writerFlags.requireKnown(to: "write")
            // The column may have been changed by another writer.
            let column = try VectorColumn(fieldID: column.fieldID, of: table.manifest.schema)
            guard column.element == parameters.element, column.dimension == parameters.dimension else {
                throw LanceError.conflict("column \"\(column.name)\" was changed by another writer", retry: false)
            }
            let old = try table.manifest.indexEntries().filter { $0.name == name }
            guard old.isEmpty || replacing else {
                throw LanceError(.alreadyExists, "there is an index \"\(name)\" already; replace it or name another")
            }
            let source = try await TableVectors(
                table,
                column,
                table.manifest.fragments,
                memoryLimit: parameters.memoryLimit
            )
            var writer = IndexWriter(store: table.store)
            let entry: Lance_Table_IndexMetadata
            if source.rowCount == 0
                || (parameters.kind.compression == .product && source.rowCount < parameters.leastRows)
            {
                entry = writer.entry(
                    name: name,
                    fieldID: column.fieldID,
                    fragments: [],
                    version: table.manifest.version,
                    details: try VectorIndexDetails(parameters).message(),
                    files: []
                )
            } else {
                entry = try await table.build(&writer, name, column, source, parameters, progress)
            }
            return try await table.commit([entry], removing: old.map(\.message), [writer], commitMessage)
        }
    }

    /// Trains and writes a segment with all rows of the table.
    func build(
        _ writer: inout IndexWriter,
        _ name: String,
        _ column: VectorColumn,
        _ source: TableVectors,
        _ parameters: VectorIndexParameters,
        _ progress: @escaping IndexProgress
    ) async throws -> Lance_Table_IndexMetadata {
        let model = try await VectorIndexBuilder.train(source, parameters, progress: progress)
        let scratch = writer.scratch
        let (built, files) = try await writer.write { index, auxiliary in
            try await VectorIndexBuilder.build(
                model,
                source,
                index: index,
                auxiliary: auxiliary,
                scratch: scratch,
                memoryLimit: parameters.memoryLimit,
                threads: parameters.threads,
                seed: parameters.seed,
                progress: progress
            )
        }
        // Without it the reference would go back to its own number of partitions when it optimizes the index.
        var target = parameters.targetPartitionSize ?? 0
        if parameters.partitions != nil {
            target = Swift.max(1, source.rowCount / Swift.max(1, built.model.partitionCount))
        }
        return writer.entry(
            name: name,
            fieldID: column.fieldID,
            fragments: manifest.fragments.map(\.id),
            version: manifest.version,
            details: try VectorIndexDetails(built.model, targetPartitionSize: target).message(),
            files: files
        )
    }

    /// Commits segments whose files are written; they are removed when that fails and no version can name them.
    ///
    /// - Throws: `conflict`, `io`.
    func commit(
        _ added: [Lance_Table_IndexMetadata],
        removing removed: [Lance_Table_IndexMetadata],
        _ writers: [IndexWriter],
        _ commitMessage: String?
    ) async throws -> Table {
        let loop = CommitLoop(store: store, commitMessage: commitMessage)
        do throws(CommitLoop.Failure) {
            return advanced(to: try await loop.commit(.createIndex(added: added, removed: removed), on: self))
        } catch {
            if error.filesAreUnused { for writer in writers { await writer.discard() } }
            throw error.error
        }
    }
}
