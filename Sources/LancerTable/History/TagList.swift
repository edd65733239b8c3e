import LancerBytes
import LancerStorage

/// The tags of a table.
package struct TagList: Sendable {
    package let store: any ObjectStore

    package init(store: any ObjectStore) { self.store = store }

    /// All tags by name.
    ///
    /// - Throws: `corrupt`, `io`.
    package func all() async throws(LanceError) -> [Tag] {
        var tags: [Tag] = []
        for file in try await store.list(Tag.directory).sorted() where file.hasSuffix(".json") {
            guard let name = ReferenceName.decoded(file.dropLast(".json".count)) else {
                throw LanceError(
                    .corrupt,
                    "the file's name stands for no name of a tag",
                    at: ByteLocation(file: store.fullPath("\(Tag.directory)/\(file)"))
                )
            }
            do throws(LanceError) {
                tags.append(try await read(name))
            } catch  where error.code == .notFound {
                // Removed since the listing.
            }
        }
        return tags
    }

    /// The tag called `name`.
    ///
    /// - Throws: `notFound`, `invalidArgument` for a name no tag can have, `corrupt`, `io`.
    package func tag(_ name: String) async throws(LanceError) -> Tag {
        try Tag.checkName(name)
        do throws(LanceError) {
            return try await read(name)
        } catch  where error.code == .notFound {
            throw LanceError(.notFound, "there is no tag \"\(name)\"", at: ByteLocation(file: store.root))
        }
    }

    private func read(_ name: String) async throws(LanceError) -> Tag {
        let bytes = try await store.read(Tag.path(name))
        do throws(LanceError) {
            return try Tag(name: name, json: bytes)
        } catch {
            throw error.located(file: store.fullPath(Tag.path(name)))
        }
    }

    /// Makes a tag for a version.
    ///
    /// - Throws: `alreadyExists`, `notFound` when there is no such version, `invalidArgument`, `io`.
    package func create(_ name: String, _ version: UInt64) async throws(LanceError) {
        try Tag.checkName(name)
        let now = Instant(WallClock.now()).text
        let manifest = try await manifest(version)
        let tag = Tag(
            name: name,
            version: version,
            branch: nil,
            manifestSize: manifest.sizeInBytes,
            now: now
        )
        do throws(LanceError) {
            try await store.putIfAbsent(tag.path, tag.json(now: now))
        } catch  where error.code == .alreadyExists {
            throw LanceError(.alreadyExists, "there is a tag \"\(name)\" already; move it", at: error.location)
        }
    }

    /// Makes a tag mean another version.
    ///
    /// - Throws: `notFound` when there is no such tag or version, `invalidArgument`, `corrupt`, `io`.
    package func move(_ name: String, to version: UInt64) async throws(LanceError) {
        var tag = try await tag(name)
        let now = Instant(WallClock.now()).text
        tag.manifestSize = try await manifest(version).sizeInBytes
        tag.version = version
        tag.branch = nil
        tag.updatedAt = now
        try await store.put(tag.path, tag.json(now: now))
    }

    /// Removes a tag; the version stays.
    ///
    /// - Throws: `notFound`, `invalidArgument`, `corrupt`, `io`.
    package func delete(_ name: String) async throws(LanceError) {
        try await store.delete(try await tag(name).path)
    }

    private func manifest(_ version: UInt64) async throws(LanceError) -> Manifest {
        let versions = VersionList(store: store)
        guard let name = try await versions.all().first(where: { $0.version == version }) else {
            throw LanceError(.notFound, "there is no version \(version)", at: ByteLocation(file: store.root))
        }
        return try await versions.read(name)
    }
}
