import LancerBytes
import LancerTable

extension Dataset {
    /// All versions that are still there and can be read, oldest first.
    ///
    /// - Parameter onWarning: Called for each version that cannot be read; writes to standard error by default.
    /// - Throws: `corrupt`, `truncated`, `unsupported`, `io`.
    /// - Complexity: Reads one manifest a version.
    public func versions(
        onWarning: DatasetWarning.Handler = DatasetWarning.toStandardError
    ) async throws -> [VersionInfo] {
        let list = VersionList(store: table.store)
        var result: [VersionInfo] = []
        for name in try await list.all() {
            guard let manifest = try await readable(name, list, onWarning) else { continue }
            let transaction = try await list.transaction(of: manifest)
            result.append(
                VersionInfo(
                    version: manifest.version,
                    timestamp: Timestamp(manifest.timestamp),
                    rowCount: manifest.liveRowCount,
                    fragmentCount: manifest.fragments.count,
                    operation: transaction?.operationName,
                    message: transaction?.commitMessage
                )
            )
        }
        return result
    }

    /// The manifest of a version, nil when it is damaged.
    private func readable(
        _ name: ManifestName,
        _ list: VersionList,
        _ onWarning: DatasetWarning.Handler
    ) async throws(LanceError) -> Manifest? {
        do throws(LanceError) {
            return try await list.read(name)
        } catch {
            guard error.isDamage else { throw error }
            onWarning(DatasetWarning(UnreadableVersion(name: name, error: error), opened: version))
            return nil
        }
    }

    /// Makes this version the newest again, as a new version with the same schema, rows and config. The versions in
    /// between stay readable.
    ///
    /// - Throws: `conflict` when another writer changed metadata of the schema meanwhile, `io`.
    public func restore(options: ChangeOptions = ChangeOptions()) async throws -> Dataset {
        try Dataset(path: path, table: try await writable(options).restore(commitMessage: options.message))
    }

    /// All tags by name.
    ///
    /// - Throws: `corrupt`, `io`.
    public func tags() async throws -> [TagInfo] { try await TagList(store: table.store).all().map { TagInfo($0) } }

    /// Makes a tag, a name that stands for a version until it is moved. Tagged versions are kept by a cleanup.
    ///
    /// - Parameter version: Nil for the version this value shows.
    /// - Throws: `alreadyExists`, `notFound` when there is no such version, `invalidArgument` for a name that cannot be,
    ///   `io`.
    public func createTag(_ name: String, version: UInt64? = nil) async throws {
        try await TagList(store: table.store).create(name, version ?? self.version)
    }

    /// Makes a tag stand for another version.
    ///
    /// - Parameter version: Nil for the version this value shows.
    /// - Throws: `notFound` when there is no such tag or version, `invalidArgument`, `corrupt`, `io`.
    public func moveTag(_ name: String, version: UInt64? = nil) async throws {
        try await TagList(store: table.store).move(name, to: version ?? self.version)
    }

    /// Removes a tag; the version stays.
    ///
    /// - Throws: `notFound`, `invalidArgument`, `corrupt`, `io`.
    public func deleteTag(_ name: String) async throws { try await TagList(store: table.store).delete(name) }
}

/// A name for a version.
public struct TagInfo: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The version it stands for.
    public let version: UInt64
    /// The branch the version is of; nil for the main one.
    public let branch: String?
    /// When it was made, as RFC 3339 text; nil if its writer did not say.
    public let createdAt: String?
    /// When it was last moved, as RFC 3339 text; nil if its writer did not say.
    public let updatedAt: String?

    init(_ tag: Tag) {
        name = tag.name
        version = tag.version
        branch = tag.branch
        createdAt = tag.createdAt
        updatedAt = tag.updatedAt
    }
}

extension Timestamp {
    init(_ time: (seconds: Int64, nanoseconds: Int32)) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }
}
