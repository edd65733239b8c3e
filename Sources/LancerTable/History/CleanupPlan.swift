import LancerBytes
import LancerStorage

/// What a cleanup may take away. Spec: 12-history.md, "Cleanup".
package struct CleanupRules: Sendable {
    /// Versions committed at or before this moment may go; nil for any.
    package var committedBefore: Instant?
    /// How many of the newest versions stay whatever their age; nil for only the newest.
    package var versionsKept: Int?
    /// Files that no version ever named go when they were written at or before this moment, in seconds since 1970: the
    /// commit that wrote them must be over.
    package var orphansBefore: Int64

    package init(committedBefore: Instant?, versionsKept: Int?, orphansBefore: Int64) {
        self.committedBefore = committedBefore
        self.versionsKept = versionsKept
        self.orphansBefore = orphansBefore
    }
}

/// Versions and files that a cleanup removes.
package struct CleanupPlan: Sendable {
    /// A file to remove.
    package struct File: Sendable {
        package var path: String
        package var size: UInt64
    }

    /// Versions to remove, oldest first.
    package var versions: [ManifestName] = []
    /// The newest version the plan knows of.
    package var newestVersion: UInt64 = 0
    /// Versions that were to go but are kept for a tag or a branch.
    package var keptVersions: [UInt64] = []
    /// Manifests of ``versions``.
    package var manifests: [File] = []
    /// Files that only removed versions name.
    package var released: [File] = []
    /// Files that no version names, left behind by commits that failed or writers that died.
    package var orphans: [File] = []

    /// Bytes that become free.
    package var sizeInBytes: UInt64 {
        (manifests + released + orphans).reduce(0) { $0.addingReportingOverflow($1.size).partialValue }
    }
}

/// Files of a table's own root, by path below it.
struct ReferencedFiles {
    private(set) var paths: Set<String> = []
    /// `_indices/<uuid>`: everything in them.
    private(set) var indexDirectories: Set<String> = []

    /// Adds what a manifest names.
    ///
    /// - Parameter isHere: Whether a base path is the table's own root; nil means the manifest's root.
    mutating func insert(_ manifest: Manifest, where isHere: (UInt32?) -> Bool) throws(LanceError) {
        for fragment in manifest.fragments {
            for file in fragment.files where isHere(file.baseID) {
                paths.insert("\(TableFiles.dataDirectory)/\(file.path)")
            }
            if let deletion = fragment.deletion, isHere(deletion.baseID) {
                paths.insert("\(DeletionFile.directory)/\(deletion.fileName(fragment: fragment.id))")
            }
        }
        if let section = manifest.indexSection {
            for directory in try IndexEntries(section).directories(where: isHere) { indexDirectories.insert(directory) }
        }
        if isHere(nil), !manifest.transactionFile.isEmpty {
            paths.insert("\(Transaction.directory)/\(manifest.transactionFile)")
        }
    }

    func contains(_ path: String) -> Bool {
        if paths.contains(path) { return true }
        let parts = path.split(separator: "/")
        guard parts.count > 2 else { return false }
        let directory = parts[0..<2].joined(separator: "/")
        // What stands in a directory beside a data file belongs to that file.
        return indexDirectories.contains(directory) || paths.contains("\(directory).lance")
    }
}
