import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage

/// A table at one of its versions. Never changes; copies share the opened files.
package struct Table: Sendable {
    package let store: any ObjectStore
    package let name: ManifestName
    package let manifest: Manifest
    package let files: TableFiles

    init(store: any ObjectStore, name: ManifestName, manifest: Manifest, files: TableFiles) {
        self.store = store
        self.name = name
        self.manifest = manifest
        self.files = files
    }

    /// Opens a version, the newest when `version` is nil.
    ///
    /// - Throws: `notFound`, `truncated`, `corrupt`, `unsupported`, `io`.
    package static func open(_ store: any ObjectStore, version: UInt64? = nil) async throws(LanceError) -> Table {
        try await open(store, version, TableFiles(store: store))
    }

    private static func open(
        _ store: any ObjectStore,
        _ version: UInt64?,
        _ files: TableFiles
    ) async throws(LanceError) -> Table {
        let versions = VersionList(store: store)
        let name: ManifestName
        if let version {
            let all = try await versions.all()
            guard !all.isEmpty else { throw missing(store) }
            guard let found = all.first(where: { $0.version == version }) else {
                throw LanceError(
                    .notFound,
                    "there is no version \(version); the newest is \(all[all.count - 1].version)",
                    at: ByteLocation(file: store.root)
                )
            }
            name = found
        } else {
            guard let latest = try await versions.latest() else { throw missing(store) }
            name = latest
        }
        return Table(store: store, name: name, manifest: try await versions.read(name), files: files)
    }

    static func missing(_ store: any ObjectStore) -> LanceError {
        LanceError(.notFound, "there is no Lance table here", at: ByteLocation(file: store.root))
    }

    /// Whether there is at least one version.
    ///
    /// - Throws: `io`.
    package static func exists(_ store: any ObjectStore) async throws(LanceError) -> Bool {
        try await VersionList(store: store).latest() != nil
    }

    /// The same version, with `store` (the same place, other settings) for what is written.
    package func storing(in store: any ObjectStore) -> Table {
        Table(store: store, name: name, manifest: manifest, files: files)
    }

    /// The version that a commit on this one made.
    func advanced(to manifest: Manifest) -> Table {
        Table(
            store: store,
            name: ManifestName(version: manifest.version, naming: name.naming),
            manifest: manifest,
            files: files
        )
    }

    /// Live rows before each fragment, and behind the last one all.
    func liveRowStarts() async throws -> [Int] {
        if let starts = manifest.liveRowStarts { return starts }
        var starts = [0]
        for fragment in manifest.fragments {
            let rows = try await files.liveRowCount(of: fragment, manifest)
            starts.append(try starts[starts.count - 1].adding(rows, "the number of rows"))
        }
        return starts
    }

    /// Number of rows, deleted ones not counted.
    ///
    /// - Complexity: reads nothing when the manifest has the numbers.
    package func countRows() async throws -> Int {
        let starts = try await liveRowStarts()
        return starts[starts.count - 1]
    }
}
