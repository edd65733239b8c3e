import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex
import LancerProto
import LancerStorage
import SwiftProtobuf

/// Told now and then what a build is at, and the share of it that is done.
package typealias IndexProgress = @Sendable (_ stage: BuildStage, _ share: Double) -> Void

/// What a new segment is a part of.
struct SegmentPlace {
    /// The index's name.
    var name: String
    var column: VectorColumn
    /// Segments that it takes the place of.
    var replaced: [IndexEntry] = []
    var commitMessage: String?
}

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
            let hasTooFew = parameters.kind.compression == .product && source.rowCount < parameters.leastRows
            guard source.rowCount > 0, !hasTooFew else {
                let writer = IndexWriter(store: table.store)
                let entry = writer.entry(
                    name: name,
                    fieldID: column.fieldID,
                    fragments: [],
                    version: table.manifest.version,
                    details: try VectorIndexDetails(parameters).message(),
                    files: []
                )
                return try await table.commit(entry, of: writer, replacing: old, commitMessage)
            }
            let place = SegmentPlace(name: name, column: column, replaced: old, commitMessage: commitMessage)
            return try await table.train(source, parameters, place, progress)
        }
    }

    /// Trains a segment with all rows of the table, writes and commits it.
    func train(
        _ source: TableVectors,
        _ parameters: VectorIndexParameters,
        _ place: SegmentPlace,
        _ progress: @escaping IndexProgress
    ) async throws -> Table {
        let model = try await VectorIndexBuilder.train(source, parameters, progress: progress)
        let means = BuildMeans(
            memoryLimit: parameters.memoryLimit,
            threads: parameters.threads,
            seed: parameters.seed,
            progress: progress
        )
        // Without it the reference would go back to its own number of partitions when it optimizes the index.
        var target = parameters.targetPartitionSize ?? 0
        if parameters.partitions != nil {
            target = Swift.max(1, source.rowCount / Swift.max(1, model.partitionCount))
        }
        let details = try VectorIndexDetails(model, targetPartitionSize: target).message()
        return try await commitSegment(place, fragments: manifest.fragments.map(\.id), details: details) { sinks in
            try await VectorIndexBuilder.build(model, source, to: sinks, with: means)
        }.table
    }

    /// Writes a segment, and commits it in the place of others.
    ///
    /// - Parameters:
    ///   - fragments: Those whose rows are in it.
    ///   - version: The version whose rows are in it; nil for this one.
    ///   - details: What the manifest says of it.
    ///   - build: Fills the sinks.
    /// - Throws: what `build` throws, `conflict`, `io`.
    func commitSegment(
        _ place: SegmentPlace,
        fragments: some Sequence<UInt64>,
        version: UInt64? = nil,
        details: Google_Protobuf_Any,
        build: (SegmentSinks) async throws -> BuiltVectorIndex
    ) async throws -> (table: Table, rowCount: Int) {
        var writer = IndexWriter(store: store)
        let (built, files) = try await writer.write(build)
        let entry = writer.entry(
            name: place.name,
            fieldID: place.column.fieldID,
            fragments: fragments,
            version: version ?? manifest.version,
            details: details,
            files: files
        )
        let table = try await commit(entry, of: writer, replacing: place.replaced, place.commitMessage)
        return (table, built.rowCount)
    }

    /// Commits a segment whose files are written; they are removed when that fails and no version can name them.
    ///
    /// - Throws: `conflict`, `io`.
    private func commit(
        _ entry: Lance_Table_IndexMetadata,
        of writer: IndexWriter,
        replacing old: [IndexEntry],
        _ commitMessage: String?
    ) async throws -> Table {
        let operation = Operation.createIndex(added: [entry], removed: old.map(\.message))
        let loop = CommitLoop(store: store, commitMessage: commitMessage)
        do throws(CommitLoop.Failure) {
            return advanced(to: try await loop.commit(operation, on: self))
        } catch {
            if error.filesAreUnused { await writer.discard() }
            throw error.error
        }
    }
}
