import LancerBytes
import LancerFile
import LancerProto
import LancerStorage

/// The opened data files and deletion vectors of a table, shared by all its versions that are in use.
package final class TableFiles: Sendable {
    package let store: any ObjectStore
    // By the whole entry of the manifest: the same file may have lost columns to another one in a later version.
    private let openedFiles = RecentlyUsed<DataFile, OpenedFile>(capacity: 256)
    private let pageCache = PageCacheBudget.standard
    private let vectors = RecentlyUsed<String, DeletionVector>(capacity: 1024)
    /// Opened segments of vector indices, and what is kept of them.
    let indices: IndexFiles

    /// Directory of the data files.
    package static let dataDirectory = "data"

    /// Which bytes of data files are compared with their checksums.
    package let comparison: PageComparison

    /// - Parameter indexCacheBytes: Memory for the partitions of vector indices.
    package init(
        store: any ObjectStore,
        comparison: PageComparison = .scans,
        indexCacheBytes: Int = IndexFiles.defaultCacheBytes
    ) {
        self.store = store
        self.comparison = comparison
        indices = IndexFiles(byteLimit: indexCacheBytes)
    }

    /// The store and path of a file that may be under another root of the table.
    ///
    /// - Parameters:
    ///   - baseID: The base path's id, nil for the table's own root.
    ///   - directory: Where in a table's root such files are; left out for a base that is no root.
    /// - Throws: `corrupt` for a base that is not in the manifest, `unsupported` for one that is not a local path.
    func locate(
        _ baseID: UInt32?,
        _ directory: String,
        _ name: String,
        _ manifest: Manifest
    ) throws(LanceError) -> (store: any ObjectStore, path: String) {
        guard let baseID else { return (store, "\(directory)/\(name)") }
        let base = try manifest.basePath(baseID)
        let root = try LocalPath.parse(base.path)
        guard !root.split(separator: "/").contains("..") else {
            throw LanceError(
                .corrupt,
                "base path \(baseID), \"\(base.path)\", has \"..\" in it",
                cause: DataFile.PathEscape()
            )
        }
        guard root.hasPrefix("/") else {
            throw .unsupported("base path \(baseID), \"\(base.path)\", is not absolute")
        }
        return (LocalStore(root: root), base.isDatasetRoot ? "\(directory)/\(name)" : name)
    }

    /// A data file, opened, with the fragment's number of rows checked.
    ///
    /// - Throws: `notFound`, `corrupt`, `truncated`, `unsupported`, `io`.
    func open(_ file: DataFile, of fragment: Fragment, _ manifest: Manifest) async throws -> OpenedFile {
        let opened: OpenedFile
        if let kept = openedFiles.value(file) {
            opened = kept
        } else {
            opened = try await openAnew(file, manifest)
            openedFiles.keep(opened, file)
        }
        if let rows = fragment.physicalRowCount, opened.reader.rowCount != rows {
            throw LanceError(
                .corrupt,
                "fragment \(fragment.id) has \(rows) rows by the manifest, this file \(opened.reader.rowCount)",
                at: ByteLocation(file: opened.path)
            )
        }
        return opened
    }

    private func openAnew(_ file: DataFile, _ manifest: Manifest) async throws -> OpenedFile {
        // Before anything else: files of other versions follow other rules.
        _ = try FileVersion(major: UInt16(clamping: file.majorVersion), minor: UInt16(clamping: file.minorVersion))
        guard manifest.fileVersion.isEmpty || FileVersion(manifest.fileVersion) != nil else {
            let version = manifest.fileVersion.prefix(40)
            throw LanceError.unsupported("a table whose files are said to be of version \(version)")
        }
        let columnOf = try file.columnOfField()
        let (store, path) = try locate(file.baseID, Self.dataDirectory, file.path, manifest)
        let object = try await Self.named { try await store.open(path) }
        if let expected = file.sizeInBytes, expected != object.size {
            throw LanceError(
                object.size < expected ? .truncated : .corrupt,
                "the manifest says \(expected) bytes, the file has \(object.size)",
                at: ByteLocation(file: object.path)
            )
        }
        let reader = try await LanceFileReader.open(
            StoredRangeSource(object, store: store, storePath: path),
            cache: pageCache
        )
        return OpenedFile(
            reader: reader.comparing(comparison.inTakes),
            scanReader: reader.comparing(comparison.inScans),
            columnOf: columnOf,
            path: object.path
        )
    }

    /// Opens a file that a manifest or a data file names: when it is not there, the table is damaged.
    static func named<T>(_ open: () async throws -> T) async throws -> T {
        do {
            return try await open()
        } catch let error as LanceError where error.code == .notFound {
            throw LanceError(
                .corrupt,
                "the table needs this file, but it is missing",
                at: error.location,
                cause: error
            )
        }
    }

    /// The deleted rows of a fragment.
    ///
    /// - Throws: `notFound`, `corrupt`, `truncated`, `unsupported`, `io`.
    package func deletionVector(of fragment: Fragment, _ manifest: Manifest) async throws -> DeletionVector? {
        guard let deletion = fragment.deletion else { return nil }
        let rows = try await physicalRowCount(of: fragment, manifest)
        let name = deletion.fileName(fragment: fragment.id)
        return try await vectors.value("\(deletion.baseID.map { "\($0):" } ?? "")\(name)") {
            let (store, path) = try locate(deletion.baseID, DeletionFile.directory, name, manifest)
            let bytes = try await Self.named { try await store.read(path) }
            do throws(LanceError) {
                let vector = try DeletionVector(bytes, kind: deletion.kind, rowCount: rows)
                if let expected = deletion.deletedRowCount, expected != vector.count {
                    throw .corrupt("the manifest says \(expected) rows are deleted, the file names \(vector.count)")
                }
                return vector
            } catch {
                throw error.located(file: store.fullPath(path))
            }
        }
    }

    /// Rows in the fragment's files, deleted ones counted.
    package func physicalRowCount(of fragment: Fragment, _ manifest: Manifest) async throws -> Int {
        if let rows = fragment.physicalRowCount { return rows }
        return try await open(fragment.files[0], of: fragment, manifest).reader.rowCount
    }

    /// Rows that are not deleted.
    ///
    /// - Complexity: reads nothing when the manifest has the numbers, as all current writers see to.
    package func liveRowCount(of fragment: Fragment, _ manifest: Manifest) async throws -> Int {
        if let rows = fragment.liveRowCount { return rows }
        let rows = try await physicalRowCount(of: fragment, manifest)
        return rows - (try await deletionVector(of: fragment, manifest)?.count ?? 0)
    }
}

/// Which pages of data files with checksums are compared with them. Files of other writers have none.
package enum PageComparison: Sendable, Hashable {
    case off
    /// What scans touch, and what takes read in whole blocks.
    case scans
    /// What scans and takes touch.
    case all

    var inScans: ChecksumUse { self == .off ? .off : .allTouched }

    var inTakes: ChecksumUse {
        switch self {
        case .off: .off
        case .scans: .wholeBlocks
        case .all: .allTouched
        }
    }
}

/// A data file opened for reading.
struct OpenedFile: Sendable {
    /// For single rows.
    let reader: LanceFileReader
    /// For ranges of rows.
    let scanReader: LanceFileReader
    /// The file's column of each field id.
    let columnOf: [Int32: Int]
    let path: String
}

/// A stored object as the file reader wants it.
struct StoredRangeSource: RangeSource {
    private let object: any StoredObject
    private let store: any ObjectStore
    private let storePath: String

    /// - Parameter storePath: Where in the store the object is.
    init(_ object: any StoredObject, store: any ObjectStore, storePath: String) {
        self.object = object
        self.store = store
        self.storePath = storePath
    }

    var path: String { object.path }
    var size: UInt64 { object.size }

    func read(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer] { try await object.read(ranges) }

    func read(
        _ range: Range<UInt64>,
        step: Int,
        _ look: (_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(LanceError) -> Void
    ) async throws -> ArrowBuffer {
        try await object.read(range, step: step, look)
    }

    func sidecar(_ name: String) async throws -> any RangeSource {
        let suffix = ".lance"
        let directory = storePath.hasSuffix(suffix) ? String(storePath.dropLast(suffix.count)) : storePath
        let path = "\(directory)/\(name)"
        let object = try await TableFiles.named { try await store.open(path) }
        return StoredRangeSource(object, store: store, storePath: path)
    }
}
