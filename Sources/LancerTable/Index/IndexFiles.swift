import LancerBytes
import LancerFile
import LancerIndex
import LancerKernels
import LancerProto
import LancerStorage

/// The opened segments of a table's vector indices, with the partitions that were used last.
package final class IndexFiles: Sendable {
    /// Memory for partitions and for vectors of rows that were found, unless another limit is given, in bytes.
    package static let defaultCacheBytes = 1 << 30

    private let cache: PartitionCache
    /// Vectors that were compared exactly; they get what partitions leave of the memory, at most half.
    let vectors: VectorShelf
    private let segments = RecentlyUsed<String, VectorIndexSegment>(capacity: 64)
    private let selections = RecentlyUsed<SelectionKey, RowSelection>(capacity: 64)

    private let choices = RecentlyUsed<ChoiceKey, IndexChoice>(capacity: 64)

    /// What decides which index a search uses.
    struct ChoiceKey: Hashable {
        var version: UInt64
        var transaction: String
        var fieldID: Int32
        var metric: VectorMetric?
        var name: String?
    }

    private struct SelectionKey: Hashable {
        var uuid: String
        var version: UInt64
        /// The same version number may be another branch's.
        var transaction: String
    }

    init(byteLimit: Int) {
        vectors = VectorShelf()
        cache = PartitionCache(byteLimit: byteLimit, tenant: vectors)
    }

    /// Bytes that ``vectors`` may have now.
    var vectorByteLimit: Int { Swift.min(cache.byteLimit / 2, cache.spareByteCount) }

    /// Names of the two files of a segment.
    static let indexName = "index.idx"
    static let auxiliaryName = "auxiliary.idx"

    /// Opens a segment.
    ///
    /// - Throws: `unsupported` for kinds that Lancer does not know, `schemaMismatch` when it is of another column's type,
    ///   `corrupt`, `truncated`, `io`.
    func open(
        _ entry: IndexEntry,
        _ column: VectorColumn,
        _ manifest: Manifest,
        _ files: TableFiles
    ) async throws -> VectorIndexSegment {
        if let kept = segments.value(entry.uuid) { return kept }
        do {
            let segment = try await VectorIndexSegment.open(
                index: try await source(Self.indexName, entry, manifest, files),
                auxiliary: try await source(Self.auxiliaryName, entry, manifest, files),
                element: column.element,
                dimension: column.dimension,
                cache: cache
            )
            segments.keep(segment, entry.uuid)
            return segment
        } catch let error as LanceError {
            throw error.located(part: "index \"\(entry.name)\"")
        }
    }

    /// A file of a segment.
    private func source(
        _ name: String,
        _ entry: IndexEntry,
        _ manifest: Manifest,
        _ files: TableFiles
    ) async throws -> any RangeSource {
        let base = entry.message.hasBaseID ? entry.message.baseID : nil
        let (store, path) = try files.locate(base, entry.directory, name, manifest)
        let object = try await TableFiles.named { try await store.open(path) }
        if let expected = entry.message.files.first(where: { $0.path == name })?.sizeBytes, expected > 0,
            expected != object.size
        {
            throw LanceError(
                object.size < expected ? .truncated : .corrupt,
                "the manifest says \(expected) bytes, the file has \(object.size)",
                at: ByteLocation(file: object.path)
            )
        }
        return StoredRangeSource(object, store: store, storePath: path)
    }

    /// The index that a search uses, found when it is asked for first: a version's indices never change.
    func choice(_ key: ChoiceKey, make: () async throws -> IndexChoice) async throws -> IndexChoice {
        try await choices.value(key, make: make)
    }

    /// The live rows of a segment in a version, made when it is asked for first.
    func liveRows(
        of entry: IndexEntry,
        _ manifest: Manifest,
        make: () async throws -> RowSelection
    ) async throws -> RowSelection {
        let key = SelectionKey(uuid: entry.uuid, version: manifest.version, transaction: manifest.transactionFile)
        return try await selections.value(key) { try await make().prepared() }
    }
}
