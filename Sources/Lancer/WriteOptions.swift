/// How a table is written.
public struct WriteOptions: Sendable, Hashable {
    /// Version of the data files a new or overwritten table gets.
    public enum FileVersion: String, Sendable, Hashable, CaseIterable {
        /// 2.1: read by every engine with Lance since mid 2025.
        case v2_1 = "2.1"
        /// 2.2: the reference's default.
        case v2_2 = "2.2"
    }

    /// Version of the data files. An append keeps the table's.
    public var fileVersion: FileVersion = .v2_2
    /// Most rows in one data file (and fragment).
    public var maxRowsPerFile = 1_048_576
    /// Size at which a data file is closed and the next begun, in bytes; checked after each batch.
    public var maxBytesPerFile = 90_000_000_000
    /// Name the manifests `1.manifest`, `2.manifest` … as tables made before 2025 did. An append keeps the table's way.
    public var v1ManifestPaths = false
    /// Give every row an id that it keeps when it is updated or compacted. Asked for when a table is made or overwritten; a
    /// table that has such ids keeps them.
    public var stableRowIDs = false
    /// Whether a write returns only when its bytes would survive a loss of power.
    public var durable = true
    /// Text kept with the new version, shown by ``Dataset/versions()``.
    public var message: String?

    /// The defaults, to be changed one by one.
    public init() {}
}
