import LancerBytes
import LancerStorage

extension Table {
    /// Opens the version that a tag names, which may be on a branch.
    ///
    /// - Throws: `notFound`, `corrupt`, `truncated`, `unsupported`, `io`.
    package static func open(
        _ store: any ObjectStore,
        tag name: String,
        comparison: PageComparison = .scans,
        indexCacheBytes: Int = IndexFiles.defaultCacheBytes,
        branch: (String) -> any ObjectStore
    ) async throws(LanceError) -> Table {
        let tag = try await TagList(store: store).tag(name)
        guard let branchName = tag.branch, branchName != "main" else {
            return try await open(store, version: tag.version, comparison: comparison, indexCacheBytes: indexCacheBytes)
        }
        try DataFile.checkName(branchName)
        return try await open(
            branch("tree/\(branchName)"),
            version: tag.version,
            comparison: comparison,
            indexCacheBytes: indexCacheBytes
        )
    }

    /// Opens the version that was the newest at a moment: the last one committed at or before it.
    ///
    /// - Throws: `notFound` when there was no version yet, `corrupt`, `truncated`, `unsupported`, `io`.
    /// - Complexity: reads the manifests from the newest back to the one wanted.
    package static func open(
        _ store: any ObjectStore,
        asOf moment: Instant,
        comparison: PageComparison = .scans,
        indexCacheBytes: Int = IndexFiles.defaultCacheBytes
    ) async throws(LanceError) -> Table {
        let versions = VersionList(store: store)
        let names = try await versions.all()
        var first: Manifest?
        var unreadable: [UnreadableVersion] = []
        for name in names.reversed() {
            let manifest: Manifest
            do throws(LanceError) {
                manifest = try await versions.read(name)
            } catch  where error.code == .notFound {
                // Cleaned up since the listing.
                continue
            } catch  where error.isDamage {
                unreadable.append(UnreadableVersion(name: name, error: error))
                continue
            }
            if Instant(manifest.timestamp) <= moment {
                let files = TableFiles(store: store, comparison: comparison, indexCacheBytes: indexCacheBytes)
                return Table(store: store, name: name, manifest: manifest, files: files, unreadable: unreadable)
            }
            first = manifest
        }
        guard let first else { throw unreadable.first?.error ?? missing(store) }
        throw LanceError(
            .notFound,
            "at \(moment.text) there was no version; the first that is left, \(first.version), is of "
                + Instant(first.timestamp).text,
            at: ByteLocation(file: store.root)
        )
    }

    /// Makes this version the newest one again, as a new version. What came between stays readable.
    ///
    /// - Throws: `conflict`, `notFound`, `io`.
    package func restore(commitMessage: String?) async throws(LanceError) -> Table {
        let newest = try await Table.open(store)
        try newest.manifest.writerFlags.requireKnown(to: "write")
        return try await newest.committing(.restore(version: manifest.version), commitMessage)
    }

    /// Commits an operation that has no files of its own.
    ///
    /// - Throws: `conflict`, `schemaMismatch`, `io`.
    package func committing(_ operation: Operation, _ commitMessage: String?) async throws(LanceError) -> Table {
        do throws(CommitLoop.Failure) {
            return advanced(
                to: try await CommitLoop(store: store, commitMessage: commitMessage).commit(operation, on: self)
            )
        } catch {
            throw error.error
        }
    }

    /// Makes a change on this version, and as long as other writers make it void, again on the newest one.
    ///
    /// - Throws: what `change` throws; a conflict when it was made void at least ten times and for 30 seconds.
    package func retrying(_ change: (Table) async throws -> Table) async throws -> Table {
        var table = self
        var attempt: UInt64 = 0
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await change(table)
            } catch let error as LanceError where error.isRetryable && (attempt < 10 || ContinuousClock.now < deadline)
            {
                attempt += 1
                // Writers that wait for different times get out of each other's way.
                let pause = UInt64.random(in: 0...(1_000_000 << Swift.min(attempt, 8)))
                try await Task.sleep(nanoseconds: pause)
                table = try await Table.open(store)
            }
        }
    }
}
