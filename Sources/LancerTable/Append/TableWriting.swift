import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage

/// How rows are written into a table.
package struct TableWriteOptions: Sendable {
    package var limits: FragmentLimits
    package var commitMessage: String?
    /// File version of a new or overwritten table.
    package var fileVersion: FileVersion
    /// Names of the manifests of a new table.
    package var naming: ManifestNaming
    /// Whether a new or overwritten table gets stable row ids; a table that has them keeps them.
    package var stableRowIDs: Bool

    package init(
        limits: FragmentLimits,
        commitMessage: String?,
        fileVersion: FileVersion,
        naming: ManifestNaming,
        stableRowIDs: Bool = false
    ) {
        self.limits = limits
        self.commitMessage = commitMessage
        self.fileVersion = fileVersion
        self.naming = naming
        self.stableRowIDs = stableRowIDs
    }
}

/// Told, after each batch a long change has written, its rows and bytes.
package typealias WriteProgress = @Sendable (_ rows: Int, _ bytes: Int) -> Void

/// Where the batches of a write come from: a synchronous reader, or a scan.
package protocol BatchSource {
    var schema: ArrowSchema { get }
    mutating func nextBatch() async throws -> RecordBatch?
}

/// A ``RecordBatchReader`` as a ``BatchSource``.
package struct ReaderSource<Reader: RecordBatchReader>: BatchSource {
    private var reader: Reader

    package init(_ reader: Reader) { self.reader = reader }

    package var schema: ArrowSchema { reader.schema }
    package mutating func nextBatch() async throws -> RecordBatch? { try reader.next() }
}

/// A scan as a ``BatchSource``: rows go from one table to another.
package struct ScanSource: BatchSource {
    package let schema: ArrowSchema
    private let iterator: TableScan.Iterator

    package init(_ scan: TableScan) {
        schema = scan.projection.schema
        iterator = scan.makeIterator()
    }

    package mutating func nextBatch() async throws -> RecordBatch? { try await iterator.next() }
}

extension Table {
    /// Makes a new table.
    ///
    /// - Throws: `alreadyExists`, `schemaMismatch`, `unsupported`, `io`, and what `source` throws. Nothing is left
    ///   behind then.
    package static func create(
        _ store: any ObjectStore,
        from source: some BatchSource,
        _ options: TableWriteOptions
    ) async throws -> Table {
        guard try await !exists(store) else {
            throw LanceError(.alreadyExists, "there is a table already", at: ByteLocation(file: store.root))
        }
        let schema = try IncomingColumns.tableSchema(for: source.schema)
        let manifest = try await write(source, store, schema, options.fileVersion, options.limits) {
            (fragments) throws(CommitLoop.Failure) in
            try await CommitLoop(store: store, commitMessage: options.commitMessage)
                .create(
                    .overwrite(
                        fragments,
                        schema: schema,
                        fileVersion: options.fileVersion,
                        stableRowIDs: options.stableRowIDs
                    ),
                    naming: options.naming
                )
        }
        let name = ManifestName(version: manifest.version, naming: options.naming)
        return Table(store: store, name: name, manifest: manifest, files: TableFiles(store: store))
    }

    /// Replaces schema and rows.
    ///
    /// - Throws: `conflict`, `schemaMismatch`, `unsupported`, `io`, and what `source` throws. The table is as it was then.
    package func overwrite(from source: some BatchSource, _ options: TableWriteOptions) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        let schema = try IncomingColumns.tableSchema(for: source.schema)
        let manifest = try await Self.write(source, store, schema, options.fileVersion, options.limits) {
            (fragments) throws(CommitLoop.Failure) in
            try await CommitLoop(store: store, commitMessage: options.commitMessage)
                .commit(
                    .overwrite(
                        fragments,
                        schema: schema,
                        fileVersion: options.fileVersion,
                        stableRowIDs: options.stableRowIDs
                    ),
                    on: self
                )
        }
        return advanced(to: manifest)
    }

    /// Adds rows behind those there are, in files of the table's file version.
    ///
    /// - Throws: `conflict`, `schemaMismatch`, `unsupported`, `io`, and what `source` throws. The table is as it was then.
    package func append(from source: some BatchSource, _ options: TableWriteOptions) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        let version = try writableFileVersion()
        let manifest = try await Self.write(source, store, manifest.schema, version, options.limits) {
            (fragments) throws(CommitLoop.Failure) in
            try await CommitLoop(store: store, commitMessage: options.commitMessage)
                .commit(.append(fragments), on: self)
        }
        return advanced(to: manifest)
    }

    /// Writes the data files and commits them; whatever goes wrong, files that no version names are removed.
    private static func write(
        _ source: some BatchSource,
        _ store: any ObjectStore,
        _ schema: LanceSchema,
        _ version: FileVersion,
        _ limits: FragmentLimits,
        commit: ([Fragment]) async throws(CommitLoop.Failure) -> Manifest
    ) async throws -> Manifest {
        let columns = try IncomingColumns(source.schema, into: schema)
        var source = source
        var writer = FragmentWriter(store: store, schema: columns.schema, version: version, limits: limits)
        do {
            while let batch = try await source.nextBatch() {
                try Task.checkCancellation()
                try writer.write(try columns.batch(batch))
            }
            try writer.finishFile()
        } catch {
            writer.cancel()
            await remove(writer.paths, store)
            throw error
        }
        do throws(CommitLoop.Failure) {
            return try await commit(writer.fragments)
        } catch {
            if error.filesAreUnused { await remove(writer.paths, store) }
            throw error.error
        }
    }

    private static func remove(_ paths: [String], _ store: any ObjectStore) async {
        // Best effort: the error that led here matters more, and files that no version names do no harm.
        for path in paths { try? await store.delete(path) }
    }
}

extension Table {
    /// The version of new data files, which is that of the table's files.
    ///
    /// - Throws: `unsupported` by name.
    func writableFileVersion() throws(LanceError) -> FileVersion {
        guard let version = FileVersion(manifest.fileVersion) else {
            throw LanceError(
                .unsupported,
                "writing files of version \(manifest.fileVersion), which all files of this table have",
                at: ByteLocation(file: store.root)
            )
        }
        return version
    }
}
