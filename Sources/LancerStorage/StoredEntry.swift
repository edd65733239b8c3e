/// What a listing says about an object, or about a directory with objects in it.
package struct StoredEntry: Sendable, Hashable {
    /// Name in the directory that was listed.
    package let name: String
    package let isDirectory: Bool
    /// Number of bytes; 0 for a directory.
    package let size: UInt64
    /// When it was changed last: seconds since 1970-01-01T00:00:00Z.
    package let modified: Int64

    package init(name: String, isDirectory: Bool, size: UInt64, modified: Int64) {
        self.name = name
        self.isDirectory = isDirectory
        self.size = size
        self.modified = modified
    }
}
