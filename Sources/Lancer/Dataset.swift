import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage
import LancerTable

/// A Lance table pinned to one version.
///
/// A value never changes: writing returns the `Dataset` of the new version, and readers of the old value go on seeing
/// the old rows. Copies share their caches of open files, so passing a `Dataset` around is free.
public struct Dataset: Sendable {
    /// Path of the table's directory, as it was given.
    public let path: String
    /// The table behind the public face.
    package let table: Table
    /// Columns, as Arrow sees them.
    public let schema: ArrowSchema

    /// What was wrong with the table when it was opened, although it could be opened: newer versions that are damaged.
    public let warnings: [DatasetWarning]

    private let allColumns: Projection

    package init(path: String, table: Table) throws(LanceError) {
        self.path = path
        self.table = table
        allColumns = try Projection(nil, of: table.manifest.schema)
        schema = allColumns.schema
        warnings = table.unreadable.map { DatasetWarning($0, opened: table.manifest.version) }
    }

    /// The columns asked for; nil for all.
    func projection(_ columns: [String]?) throws(LanceError) -> Projection {
        try columns.map { (names) throws(LanceError) in try Projection(names, of: table.manifest.schema) } ?? allColumns
    }

    /// Number of the version this value shows; the first is 1.
    public var version: UInt64 { table.manifest.version }

    /// Version of the data files, for example `2.2`.
    public var fileVersion: String { table.manifest.fileVersion }

    /// Columns with field ids, as the format stores them.
    package var lanceSchema: LanceSchema { table.manifest.schema }

    /// Everything this version's manifest says.
    package var manifest: Manifest { table.manifest }

    /// Opens the table at `path`, a directory or a `file://` URL.
    ///
    /// When the manifest of the newest version is damaged, as after a hard stop of another writer's machine, the newest
    /// one that can be read is opened, and a warning given. Nothing can be written then: see ``repair(_:options:)``.
    ///
    /// - Parameters:
    ///   - selector: Which version.
    ///   - checksums: Which bytes are compared with the checksums that Lancer's data files carry.
    ///   - indexCacheBytes: Memory for the parts of vector indices that were used last. What these leave of it, half of it at
    ///     most, keeps the vectors that searches with ``NearestSearch/refine`` have read, as the column stores them: a search
    ///     that wants them again is several times as fast.
    ///   - onWarning: Called for each of ``warnings``; writes to standard error by default.
    /// - Throws: `notFound` when there is no table, no such version or tag, `corrupt` or `truncated` when its manifest is
    ///   damaged, `unsupported` when it needs a feature Lancer does not know, `io`.
    /// - Complexity: lists the versions and reads one manifest, no data.
    public static func open(
        _ path: String,
        at selector: VersionSelector = .latest,
        checksums: ChecksumPolicy = .scans,
        indexCacheBytes: Int = 1 << 30,
        onWarning: DatasetWarning.Handler = DatasetWarning.toStandardError
    ) async throws -> Dataset {
        let table = try await openTable(try LocalPath.parse(path), selector, checksums.comparison, indexCacheBytes)
        let dataset = try Dataset(path: path, table: table)
        for warning in dataset.warnings { onWarning(warning) }
        return dataset
    }

    private static func openTable(
        _ root: String,
        _ selector: VersionSelector,
        _ comparison: PageComparison,
        _ cacheBytes: Int
    ) async throws(LanceError) -> Table {
        let store = LocalStore(root: root)
        switch selector {
        case .latest: return try await Table.open(store, comparison: comparison, indexCacheBytes: cacheBytes)
        case .version(let version):
            return try await Table.open(
                store,
                version: version,
                comparison: comparison,
                indexCacheBytes: cacheBytes
            )
        case .asOf(let moment):
            return try await Table.open(
                store,
                asOf: moment.instant,
                comparison: comparison,
                indexCacheBytes: cacheBytes
            )
        case .tag(let name):
            return try await Table.open(store, tag: name, comparison: comparison, indexCacheBytes: cacheBytes) {
                LocalStore(root: "\(root)/\($0)")
            }
        }
    }

    /// Whether there is a table (at least one version) at `path`.
    ///
    /// - Throws: `io` when the directory cannot be listed.
    public static func exists(_ path: String) async throws -> Bool {
        try await Table.exists(LocalStore(root: try LocalPath.parse(path)))
    }
}
