import LancerBytes
import LancerStorage
import LancerTable

/// What a cleanup may remove. Tagged versions and the newest one always stay.
public struct CleanupOptions: Sendable, Hashable {
    /// Only versions older than this go.
    public var olderThan: Duration?
    /// The newest versions that stay, whatever their age.
    public var versionsKept: Int?
    /// Files that no version names go when they are older than this: until then a commit may be about to name them.
    public var orphansOlderThan: Duration = .seconds(7 * 86400)
    /// Whether only to say what would go.
    public var dryRun = true
    /// Whether the removal survives a loss of power when the call returns.
    public var durable = true

    /// Removes nothing but orphans, and only tells which.
    public init() {}
}

/// What a cleanup removed, or would remove.
public struct CleanupReport: Sendable, Hashable {
    /// Versions, oldest first.
    public let versions: [UInt64]
    /// Versions that were to go and stay for a tag or a branch.
    public let keptVersions: [UInt64]
    /// Number of files that only those versions named, their manifests included.
    public let fileCount: Int
    /// Number of files that no version named.
    public let orphanCount: Int
    /// Bytes of all these files.
    public let sizeInBytes: UInt64
    /// Paths of all these files below the table's root.
    public let paths: [String]
}

/// How a table is compacted.
public struct CompactionOptions: Sendable, Hashable {
    /// Rows a fragment should have; smaller ones are merged with their neighbours.
    public var targetRows = 1_048_576
    /// Bytes of data files a fragment should have: one of half as many is not merged with its neighbours, and merged ones
    /// become files of about this size. Nil looks at the rows only.
    public var targetBytes: UInt64?
    /// Share of deleted rows above which a fragment is written anew, 0 to 1.
    public var deletedShare = 0.1
    /// Whether the call returns only when its bytes would survive a loss of power.
    public var durable = true
    /// Text kept with the new version, shown by ``Dataset/versions()``.
    public var message: String?

    /// The defaults, to be changed one by one.
    public init() {}

    fileprivate var rules: CompactionRules {
        get throws(LanceError) {
            try CompactionRules(
                targetRows: targetRows,
                targetBytes: targetBytes ?? .max,
                deletedShare: deletedShare
            )
        }
    }
}

extension Dataset {
    /// Removes old versions with the files only they need, and files that no version names.
    ///
    /// Works on the newest version, whichever this value shows. Values of removed versions can no longer be read.
    ///
    /// - Throws: `invalidArgument`; `corrupt`, `truncated` or `unsupported` when a version cannot be read, because its
    ///   files would not be known; `io`.
    /// - Complexity: Reads the manifests of all versions.
    public func cleanup(_ options: CleanupOptions) async throws -> CleanupReport {
        let now = WallClock.now()
        var rules = CleanupRules(
            committedBefore: nil,
            versionsKept: options.versionsKept,
            orphansBefore: now.seconds - options.orphansOlderThan.components.seconds
        )
        if let age = options.olderThan {
            rules.committedBefore = Instant(seconds: now.seconds - age.components.seconds, nanoseconds: now.nanoseconds)
        } else if options.versionsKept == nil {
            // Nothing is asked for: no version goes.
            rules.committedBefore = Instant(seconds: .min, nanoseconds: 0)
        }
        if let kept = options.versionsKept, kept < 1 {
            throw LanceError.invalidArgument("\(kept) versions to keep; at least the newest stays")
        }
        for age in [options.olderThan, options.orphansOlderThan].compactMap({ $0 }) where age < .zero {
            throw LanceError.invalidArgument("an age of \(age)")
        }
        let store = LocalStore(root: table.store.root, durable: options.durable)
        let newest = try await Table.open(store)
        let plan = try await newest.planCleanup(rules)
        if !options.dryRun { try await newest.clean(plan) }
        return CleanupReport(
            versions: plan.versions.map(\.version),
            keptVersions: plan.keptVersions,
            fileCount: plan.manifests.count + plan.released.count,
            orphanCount: plan.orphans.count,
            sizeInBytes: plan.sizeInBytes,
            paths: (plan.manifests + plan.released + plan.orphans).map(\.path)
        )
    }

    /// How many fragments ``compact(_:)`` would write anew.
    ///
    /// - Throws: `invalidArgument`, `corrupt`, `io`.
    public func fragmentsToCompact(_ options: CompactionOptions = CompactionOptions()) async throws -> Int {
        try await table.planCompaction(try options.rules).bins.reduce(0) { $0 + $1.fragments.count }
    }

    /// Writes small fragments and those with many deleted rows anew, as fewer and larger ones. Rows keep their order, and
    /// indices of vectors are written anew, so that they go on covering the rows; only fragments that the same indices
    /// cover are merged. In a table with other indices, rows written anew move to the end and are not covered by those
    /// until they are optimized. Memory does not grow with the table.
    ///
    /// - Parameter progress: Told after each batch that was written its rows and their bytes in memory.
    /// - Returns: The new version, with what other writers committed since this one; this value when there is nothing to
    ///   do.
    /// - Throws: `conflict` when other writers go on changing the same
    ///   fragments, `corrupt`, `io`. The rows are as they were then.
    public func compact(
        _ options: CompactionOptions = CompactionOptions(),
        progress: (@Sendable (_ rows: Int, _ bytes: Int) -> Void)? = nil
    ) async throws -> Dataset {
        let rules = try options.rules
        let table = table.storing(in: LocalStore(root: table.store.root, durable: options.durable))
        let new = try await table.compact(rules, commitMessage: options.message, progress: progress)
        return try Dataset(path: path, table: new)
    }

    /// Number of fragments.
    public var fragmentCount: Int { table.manifest.fragments.count }
}
