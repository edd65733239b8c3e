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
    /// Newer versions that could not be read when the newest was asked for, newest first.
    package let unreadable: [UnreadableVersion]

    init(
        store: any ObjectStore,
        name: ManifestName,
        manifest: Manifest,
        files: TableFiles,
        unreadable: [UnreadableVersion] = []
    ) {
        self.unreadable = unreadable
        self.store = store
        self.name = name
        self.manifest = manifest
        self.files = files
    }

    /// Opens a version, the newest one that can be read when `version` is nil: ``unreadable`` says what was passed over.
    ///
    /// - Throws: `notFound`, `truncated`, `corrupt`, `unsupported`, `io`.
    package static func open(
        _ store: any ObjectStore,
        version: UInt64? = nil,
        comparison: PageComparison = .scans,
        indexCacheBytes: Int = IndexFiles.defaultCacheBytes
    ) async throws(LanceError) -> Table {
        let files = TableFiles(store: store, comparison: comparison, indexCacheBytes: indexCacheBytes)
        return if let version { try await open(store, version, files) } else { try await openNewest(store, files) }
    }

    private static func openNewest(_ store: any ObjectStore, _ files: TableFiles) async throws(LanceError) -> Table {
        let versions = VersionList(store: store)
        var unreadable: [UnreadableVersion] = []
        // The usual case needs no sorting of thousands of names.
        guard var name = try await versions.latest() else { throw missing(store) }
        var older: [ManifestName]?
        while true {
            do throws(LanceError) {
                let manifest = try await versions.read(name)
                return Table(store: store, name: name, manifest: manifest, files: files, unreadable: unreadable)
            } catch  where error.isDamage {
                unreadable.append(UnreadableVersion(name: name, error: error))
            } catch  where error.code == .notFound {
                // Gone since the listing.
            }
            if older == nil {
                let newest = name.version
                older = try await versions.all().filter { $0.version < newest }
            }
            guard let next = older?.popLast() else { break }
            name = next
        }
        throw unreadable.first?.error ?? missing(store)
    }

    private static func open(
        _ store: any ObjectStore,
        _ version: UInt64,
        _ files: TableFiles
    ) async throws(LanceError) -> Table {
        let versions = VersionList(store: store)
        let all = try await versions.all()
        guard !all.isEmpty else { throw missing(store) }
        guard let name = all.first(where: { $0.version == version }) else {
            throw LanceError(
                .notFound,
                "there is no version \(version); the newest is \(all[all.count - 1].version)",
                at: ByteLocation(file: store.root)
            )
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
        Table(store: store, name: name, manifest: manifest, files: files, unreadable: unreadable)
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
