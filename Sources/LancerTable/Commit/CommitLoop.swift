import LancerBytes
import LancerFile
import LancerProto
import LancerStorage

/// Makes an operation the next version of a table.
///
/// Optimistic: the newer versions' transactions are checked against ours, the operation is applied to the newest one, the
/// transaction file stored, and the manifest of the next version put if nobody else has put one; when somebody has, all
/// of it again on top of theirs. The put is the one moment at which the version comes into being.
/// Spec: 11-commits.md, "Committing".
package struct CommitLoop: Sendable {
    package let store: any ObjectStore
    package let versions: VersionList
    /// Text kept with the version.
    package var commitMessage: String?
    /// How often the manifest may be lost to another writer before giving up.
    package var maxAttempts = 100

    package init(store: any ObjectStore, commitMessage: String? = nil) {
        self.store = store
        self.versions = VersionList(store: store)
        self.commitMessage = commitMessage
    }

    /// Why a commit did not happen, and whether the files it would have named may be removed.
    package struct Failure: Error {
        package var error: LanceError
        /// False when the manifest may have been put although the store reported an error.
        package var filesAreUnused: Bool
    }

    /// The transaction of a commit as it was stored last.
    private struct Stored {
        var transaction: Transaction
        var bytes: ArrowBuffer
    }

    /// Commits version 1 of a new table.
    ///
    /// - Throws: ``Failure`` with `alreadyExists` when there is a table, or `io`.
    package func create(_ operation: Operation, naming: ManifestNaming) async throws(Failure) -> Manifest {
        guard case .overwrite(let fragments, let schema, let fileVersion, let stableRowIDs) = operation else {
            throw Failure(error: .invalidArgument("a table begins with an Overwrite"), filesAreUnused: true)
        }
        var draft = ManifestDraft(schema: schema, fileVersion: fileVersion.description)
        let message: Lance_Table_Transaction.OneOf_Operation
        do throws(LanceError) {
            message = try draft.overwrite(fragments, schema, fileVersion, stableRowIDs: stableRowIDs)
        } catch {
            throw Failure(error: error, filesAreUnused: true)
        }
        let transaction = makeTransaction(message, readVersion: 0, uuid: RandomName.uuid())
        let stored = try await prepare(transaction, instead: nil)
        do throws(LanceError) {
            guard try await versions.latest() == nil else { throw Self.alreadyExists(store.root) }
        } catch {
            await discard(transaction)
            throw Failure(error: error, filesAreUnused: true)
        }
        do throws(Failure) {
            return try await put(draft, stored, naming)
        } catch  where error.error.code == .alreadyExists {
            await discard(transaction)
            throw Failure(error: Self.alreadyExists(store.root), filesAreUnused: true)
        }
    }

    private static func alreadyExists(_ root: String) -> LanceError {
        LanceError(.alreadyExists, "there is a table already", at: ByteLocation(file: root))
    }

    /// Commits a change prepared on `table`.
    ///
    /// - Throws: ``Failure`` with `conflict`, `corrupt`, `unsupported` or `io`. Deletion files made here are removed when
    ///   they are not used.
    package func commit(_ operation: Operation, on table: Table) async throws(Failure) -> Manifest {
        var pending = PendingCommit(operation, on: table.manifest, table.files, versions)
        var stored: Stored?
        do throws(Failure) {
            return try await attempt(operation, table, &pending, &stored)
        } catch {
            if error.filesAreUnused {
                if let stored { await discard(stored.transaction) }
                // Best effort: files that no version names do no harm.
                for path in pending.paths { try? await store.delete(path) }
            }
            throw error
        }
    }

    private func attempt(
        _ operation: Operation,
        _ table: Table,
        _ pending: inout PendingCommit,
        _ stored: inout Stored?
    ) async throws(Failure) -> Manifest {
        let uuid = RandomName.uuid()
        var current = table.manifest
        for attempt in 0..<maxAttempts {
            let result: PendingCommit.Result
            do throws(LanceError) {
                if let done = try await catchUp(&current, operation, table.manifest, ours: stored == nil ? nil : uuid) {
                    return done
                }
                result = try await pending.apply(to: current)
            } catch {
                throw Failure(error: error.located(file: store.root), filesAreUnused: true)
            }
            let transaction = makeTransaction(result.message, readVersion: result.readVersion, uuid: uuid)
            let next = try await prepare(transaction, instead: stored)
            stored = next
            do throws(Failure) {
                return try await put(result.draft, next, table.name.naming)
            } catch  where error.error.code == .alreadyExists {
                // Lost the race; let the crowd spread out a little before the next try.
                let pause = UInt64.random(in: 0...(200_000 << UInt64(Swift.min(attempt, 8))))
                try? await Task.sleep(nanoseconds: pause)
            }
        }
        let error = LanceError.conflict("another writer was faster \(maxAttempts) times in a row", retry: true)
        throw Failure(error: error.located(file: store.root), filesAreUnused: true)
    }

    private func makeTransaction(
        _ operation: Lance_Table_Transaction.OneOf_Operation,
        readVersion: UInt64,
        uuid: String
    ) -> Transaction {
        Transaction(readVersion: readVersion, uuid: uuid, operation: operation, commitMessage: commitMessage)
    }

    /// Stores the transaction file, unless it is the one that is there, and removes the one it stands for.
    private func prepare(_ transaction: Transaction, instead old: Stored?) async throws(Failure) -> Stored {
        if let old, old.transaction.message == transaction.message { return old }
        let bytes: ArrowBuffer
        do throws(LanceError) {
            bytes = try ArrowBuffer(encoding: transaction.message, "transaction")
            try await store.put(transaction.path, bytes)
        } catch {
            await discard(transaction)
            throw Failure(error: error, filesAreUnused: true)
        }
        if let old, old.transaction.path != transaction.path { await discard(old.transaction) }
        return Stored(transaction: transaction, bytes: bytes)
    }

    private func discard(_ transaction: Transaction) async {
        // Best effort: a transaction file without a manifest is harmless.
        try? await store.delete(transaction.path)
    }

    /// Goes on to the newest version, checking everything committed since `current`.
    ///
    /// - Parameter ours: The uuid of our transaction, if it was tried before: a version that carries it is the commit,
    ///   whatever the store reported.
    /// - Returns: That version.
    private func catchUp(
        _ current: inout Manifest,
        _ operation: Operation,
        _ base: Manifest,
        ours: String?
    ) async throws(LanceError) -> Manifest? {
        var expected = current.version &+ 1
        for name in try await versions.all() where name.version > current.version {
            if name.version != expected, !operation.replacesEverything {
                throw .conflict(
                    "version \(expected), committed since this change was prepared, is no longer there",
                    retry: true
                )
            }
            let manifest = try await newer(name)
            let transaction = try await versions.transaction(of: manifest)
            if let ours, transaction?.message.uuid == ours { return manifest }
            try ConflictCheck.check(operation, against: transaction, of: name.version)
            // In every version: an id that was dropped and given out again looks right in the newest one.
            if !operation.replacesEverything {
                try ConflictCheck.checkFields(
                    of: operation.newFragments,
                    prepared: base.schema,
                    current: manifest.schema
                )
            }
            current = manifest
            expected = name.version &+ 1
        }
        return nil
    }

    /// Commits a version as it stands, for a repair: nothing may have been committed since it was made.
    ///
    /// - Throws: `conflict` when the version is there already, `io`.
    func publish(
        _ draft: ManifestDraft,
        _ operation: Lance_Table_Transaction.OneOf_Operation,
        readVersion: UInt64,
        _ naming: ManifestNaming
    ) async throws(LanceError) -> Manifest {
        let transaction = makeTransaction(operation, readVersion: readVersion, uuid: RandomName.uuid())
        do throws(Failure) {
            let stored = try await prepare(transaction, instead: nil)
            return try await put(draft, stored, naming)
        } catch {
            if error.filesAreUnused { await discard(transaction) }
            if error.error.code == .alreadyExists {
                throw .conflict("another writer committed version \(draft.message.version) meanwhile", retry: true)
            }
            throw error.error
        }
    }

    /// A version that was committed since. One that cannot be read stops the commit: what it did is not known, so it
    /// would be lost without anybody having decided so.
    private func newer(_ name: ManifestName) async throws(LanceError) -> Manifest {
        do throws(LanceError) {
            return try await versions.read(name)
        } catch  where error.isDamage {
            throw LanceError(
                error.code,
                "version \(name.version) cannot be read, so nothing is written on top of it: \(error.message). "
                    + "\"lancer verify\" says more, \"lancer repair\" goes back to the last good version",
                at: error.location,
                cause: error.cause
            )
        }
    }

    /// Puts the manifest and reads it back as the new version.
    private func put(
        _ draft: ManifestDraft,
        _ stored: Stored,
        _ naming: ManifestNaming
    ) async throws(Failure) -> Manifest {
        let name = ManifestName(version: draft.message.version, naming: naming)
        let bytes: ArrowBuffer
        let manifest: Manifest
        do throws(LanceError) {
            bytes = try draft.serialized(
                transaction: stored.bytes,
                transactionFile: stored.transaction.fileName,
                time: WallClock.now()
            )
            // What cannot be read back must not be committed.
            manifest = try Manifest(file: bytes)
        } catch {
            throw Failure(error: error, filesAreUnused: true)
        }
        do throws(LanceError) {
            try await store.putIfAbsent(name.path, bytes)
        } catch  where error.code == .alreadyExists {
            // A store that repeats a request whose answer was lost finds its own object there.
            guard await isOurs(name, bytes) else { throw Failure(error: error, filesAreUnused: true) }
        } catch {
            try await settle(name, bytes, error)
        }
        await versions.writeHint(draft.message.version)
        return manifest
    }

    private func isOurs(_ name: ManifestName, _ bytes: ArrowBuffer) async -> Bool {
        guard let there = try? await store.read(name.path) else { return false }
        return there.bytes == bytes.bytes
    }

    /// Finds out what became of a put that reported an error: the name may have been given before (a failed sync, a lost
    /// answer). Returns when our manifest is there and sure to stay.
    private func settle(_ name: ManifestName, _ bytes: ArrowBuffer, _ error: LanceError) async throws(Failure) {
        let there: ArrowBuffer
        let reported = error
        do throws(LanceError) {
            there = try await store.read(name.path)
        } catch {
            throw Failure(error: reported, filesAreUnused: error.code == .notFound)
        }
        guard there.bytes == bytes.bytes else {
            // Another writer's, or half of ours: the next look at the versions tells.
            throw Failure(
                error: LanceError(.alreadyExists, "the version is there", cause: reported),
                filesAreUnused: true
            )
        }
        do throws(LanceError) {
            try await store.secure(name.path)
        } catch {
            throw Failure(error: error, filesAreUnused: false)
        }
    }
}

extension Operation {
    /// Whether what other writers did meanwhile does not matter.
    fileprivate var replacesEverything: Bool {
        switch self {
        case .overwrite, .restore: true
        default: false
        }
    }
}
