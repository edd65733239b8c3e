import LancerBytes
import LancerProto
import LancerStorage

/// The versions of a table, as the directory of its manifests says. Spec: 10-table.md, "Latest version".
package struct VersionList: Sendable {
    package let store: any ObjectStore
    /// Where the table's directories are below the store's root: empty, or `tree/<branch>/`.
    private let prefix: String

    private static let hint = "\(ManifestName.directory)/latest_version_hint.json"

    /// - Parameter directory: A branch's directory below the store's root; nil for the root itself.
    package init(store: any ObjectStore, below directory: String? = nil) {
        self.store = store
        prefix = directory.map { "\($0)/" } ?? ""
    }

    /// All versions, oldest first.
    ///
    /// The hint file is not asked: it may be stale, the directory is not.
    ///
    /// - Throws: `io`, or `corrupt` when a version is there twice.
    package func all() async throws(LanceError) -> [ManifestName] {
        let names = try await store.list(prefix + ManifestName.directory).compactMap { ManifestName($0) }
            .sorted { $0.version < $1.version }
        for (one, next) in zip(names, names.dropFirst()) where one.version == next.version {
            throw .corrupt("version \(one.version) is there twice: \(one.fileName), \(next.fileName)")
                .located(file: store.fullPath(prefix + ManifestName.directory))
        }
        return names
    }

    /// All names of versions, oldest first, also when one is there twice.
    ///
    /// - Throws: `io`.
    func names() async throws(LanceError) -> [ManifestName] {
        try await store.list(prefix + ManifestName.directory).compactMap { ManifestName($0) }.sorted {
            $0.version < $1.version
        }
    }

    /// The newest version, or nil when there is no table.
    ///
    /// - Throws: `io`.
    package func latest() async throws(LanceError) -> ManifestName? {
        try await store.list(prefix + ManifestName.directory).lazy.compactMap { ManifestName($0) }
            .max { $0.version < $1.version }
    }

    /// The manifest of a version.
    ///
    /// - Throws: `notFound`, `truncated`, `corrupt`, `unsupported`, `io`.
    package func read(_ name: ManifestName) async throws(LanceError) -> Manifest {
        let bytes = try await store.read(prefix + name.path)
        let manifest: Manifest
        do throws(LanceError) {
            manifest = try Manifest(file: bytes)
        } catch {
            throw error.located(file: store.fullPath(prefix + name.path))
        }
        guard manifest.version == name.version else {
            throw .corrupt("the manifest says it is version \(manifest.version), its name says \(name.version)")
                .located(file: store.fullPath(prefix + name.path))
        }
        return manifest
    }

    /// The transaction that made a version, nil when it carries none or its file is gone.
    ///
    /// - Throws: `corrupt`, `io`.
    package func transaction(of manifest: Manifest) async throws(LanceError) -> Transaction? {
        if let inline = manifest.inlineTransaction { return try Transaction(serialized: inline) }
        let name = manifest.message.transactionFile
        guard !name.isEmpty else { return nil }
        try DataFile.checkName(name)
        let path = "\(prefix)\(Transaction.directory)/\(name)"
        let bytes: ArrowBuffer
        do throws(LanceError) {
            bytes = try await store.read(path)
        } catch  where error.code == .notFound {
            return nil
        }
        do throws(LanceError) {
            return try Transaction(serialized: bytes)
        } catch {
            throw error.located(file: store.fullPath(path))
        }
    }

    /// Notes the newest version for readers that want to save a listing. Best effort: nobody may rely on it.
    func writeHint(_ version: UInt64) async {
        try? await store.putBestEffort(prefix + Self.hint, ArrowBuffer(Array("{\"version\":\(version)}".utf8)))
    }
}
