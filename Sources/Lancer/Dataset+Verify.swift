import LancerBytes
import LancerStorage
import LancerTable

extension Dataset {
    /// Checks a whole table: the manifests of all its versions and their transactions, that every file they name is there
    /// with its size and holds what they say, page tables, checksums, deletion files, row ids, indices, tags.
    ///
    /// - Parameters:
    ///   - path: A directory or a `file://` URL.
    ///   - deep: Whether every page is decoded, too.
    ///   - progress: Called from any thread with the number of files checked and of all.
    /// - Returns: What was found; ``VerificationReport/isClean`` when nothing is wrong.
    /// - Throws: `notFound` when there is no table, `io`. Damage is not thrown but reported.
    /// - Complexity: Reads all manifests and data files once; decodes them when `deep`.
    public static func verify(
        _ path: String,
        deep: Bool = false,
        progress: @escaping @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) async throws -> VerificationReport {
        let store = LocalStore(root: try LocalPath.parse(path))
        return VerificationReport(try await TableCheck(store: store, isDeep: deep, progress: progress).run())
    }

    /// Makes a damaged table usable again, as far as that can be done without throwing anything away.
    ///
    /// A damaged newest manifest: a new version that is the last good one again; the damaged manifests are moved to the
    /// directory `_damaged`. Data files of the newest version that are missing or damaged: a new version without their
    /// fragments. Indices without files or columns: a new version without them. Older versions stay as they are, so each
    /// step can be taken back with ``restore(options:)``, or by moving a manifest back.
    ///
    /// - Parameters:
    ///   - path: A directory or a `file://` URL.
    ///   - dryRun: Whether only to say what would be done.
    ///   - options: How the new versions are committed.
    /// - Throws: `notFound` when there is no table, `corrupt` when no version can be read, `unsupported` when a newer
    ///   version needs a feature that Lancer does not know, `conflict` when another writer commits meanwhile, `io`.
    public static func repair(
        _ path: String,
        dryRun: Bool = true,
        options: ChangeOptions = ChangeOptions()
    ) async throws -> RepairReport {
        let store = LocalStore(root: try LocalPath.parse(path), durable: options.durable)
        let report = try await TableCheck(store: store, isDeep: true).run()
        let plan = try await RepairPlan(for: report, store)
        var version: UInt64?
        if !dryRun, !plan.steps.isEmpty { version = try await plan.apply(store, commitMessage: options.message) }
        return RepairReport(
            steps: plan.steps.map { RepairReport.Step($0) },
            remaining: plan.remaining.map { VerificationReport.Finding($0) },
            version: version
        )
    }
}

/// What ``Dataset/verify(_:deep:progress:)`` found.
public struct VerificationReport: Sendable {
    /// What is wrong: something that a version says is not so.
    public struct Finding: Sendable, Hashable {
        /// The kind in one word: `manifest`, `transaction`, `dataFile`, `checksum`, `page`, `deletionFile`, `rowIDs`,
        /// `index`, `tag`, `branch`; `unsupported` for a part that was not checked because it needs a feature Lancer does
        /// not know, `notRead` for one that the system would not read.
        public let problem: String
        /// Path of the file below the table's directory, if it is about one.
        public let file: String?
        /// The newest version concerned.
        public let version: UInt64?
        /// Id of the fragment concerned.
        public let fragment: UInt64?
        /// What was found and what was expected.
        public let message: String

        init(_ finding: TableReport.Finding) {
            problem = finding.problem.rawValue
            file = finding.file
            version = finding.version
            fragment = finding.fragment
            message = finding.message
        }
    }

    /// What is wrong.
    public let findings: [Finding]
    /// Worth knowing but not wrong, such as versions that were cleaned up.
    public let notes: [String]
    /// Files that no version names: left behind by commits that did not come about, or being written now. They do no harm.
    public let orphans: [String]
    /// Newest version that can be read.
    public let newestReadableVersion: UInt64?
    /// Manifests looked at, one a version.
    public let versionCount: Int
    /// Manifests that carry a checksum.
    public let checksummedManifestCount: Int
    /// Data files looked at.
    public let dataFileCount: Int
    /// Data files that carry checksums.
    public let checksummedDataFileCount: Int
    /// Size of the data files.
    public let dataBytes: UInt64
    /// 64 KiB blocks of data files that have their checksum.
    public let goodBlockCount: Int
    /// Pages of the data files.
    public let pageCount: Int
    /// Values decoded; 0 unless the check was deep.
    public let decodedValueCount: Int
    /// Deletion files read.
    public let deletionFileCount: Int

    /// Whether nothing is wrong.
    public var isClean: Bool { findings.isEmpty }

    init(_ report: TableReport) {
        findings = report.findings.map { Finding($0) }
        notes = report.notes
        orphans = report.orphans
        newestReadableVersion = report.newestReadable
        versionCount = report.counts.versions
        checksummedManifestCount = report.counts.checksummedManifests
        dataFileCount = report.counts.dataFiles
        checksummedDataFileCount = report.counts.checksummedDataFiles
        dataBytes = report.counts.dataBytes
        goodBlockCount = report.counts.goodBlocks
        pageCount = report.counts.pages
        decodedValueCount = report.counts.decodedValues
        deletionFileCount = report.counts.deletionFiles
    }
}

/// What ``Dataset/repair(_:dryRun:options:)`` did, or would do.
public struct RepairReport: Sendable {
    /// One step of a repair.
    public enum Step: Sendable, Hashable {
        /// A new version that is the last good one again.
        case fallBack(to: UInt64)
        /// A new version without fragments that cannot be read; `rows` of them were not deleted, nil if nobody knows.
        case leaveOut(fragments: [UInt64], rows: Int?)
        /// A new version without these indices.
        case removeIndices([String])
        /// These damaged manifests moved to the directory `_damaged`.
        case setAside([String])

        init(_ step: RepairPlan.Step) {
            switch step {
            case .fallBack(let version): self = .fallBack(to: version)
            case .leaveOut(let fragments, let rows): self = .leaveOut(fragments: fragments, rows: rows)
            case .removeIndices(let names): self = .removeIndices(names)
            case .setAside(let names): self = .setAside(names.map(\.path))
            }
        }
    }

    /// The steps, in order.
    public let steps: [Step]
    /// What is wrong and cannot be repaired so; it may be in old versions only.
    public let remaining: [VerificationReport.Finding]
    /// The newest version after the repair; nil when nothing was done.
    public let version: UInt64?
}
