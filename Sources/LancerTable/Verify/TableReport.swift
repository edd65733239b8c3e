/// What a check of a whole table found.
package struct TableReport: Sendable {
    /// What is wrong: something that a version says is not so.
    package enum Problem: String, Sendable, Hashable, CaseIterable {
        /// A manifest that is damaged, or two of one version.
        case manifest
        /// A transaction that cannot be read, or two that differ.
        case transaction
        /// A data file that is missing, cut short, or does not hold what the manifest says.
        case dataFile
        /// Bytes that do not have their checksum.
        case checksum
        /// A page that cannot be decoded.
        case page
        case deletionFile
        case rowIDs
        case index
        case tag
        case branch
        /// A feature that Lancer does not know: that part was not checked.
        case unsupported
        /// A file that the system would not read: that part was not checked.
        case notRead
    }

    /// One thing that is wrong.
    package struct Finding: Sendable {
        package var problem: Problem
        /// Path of the file below the table's root, if it is about one.
        package var file: String?
        /// The newest version concerned.
        package var version: UInt64?
        /// The fragment concerned.
        package var fragment: UInt64?
        package var message: String
    }

    /// What was looked at.
    package struct Counts: Sendable {
        package var versions = 0
        package var checksummedManifests = 0
        package var dataFiles = 0
        package var checksummedDataFiles = 0
        package var dataBytes: UInt64 = 0
        /// 64 KiB blocks that have their checksum.
        package var goodBlocks = 0
        package var pages = 0
        /// Values decoded, deleted rows included; deep checks only.
        package var decodedValues = 0
        package var deletionFiles = 0
        package var indexSegments = 0
        package var tags = 0
    }

    package var findings: [Finding] = []
    /// Worth knowing but not wrong: files that no version names, versions that are no longer there.
    package var notes: [String] = []
    package var orphans: [String] = []
    package var counts = Counts()
    /// Newest version that can be read.
    package var newestReadable: UInt64?

    mutating func add(
        _ problem: Problem,
        _ message: String,
        file: String? = nil,
        version: UInt64? = nil,
        fragment: UInt64? = nil
    ) {
        findings.append(
            Finding(problem: problem, file: file, version: version, fragment: fragment, message: message)
        )
    }
}
