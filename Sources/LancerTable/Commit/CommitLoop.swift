import LancerBytes
import LancerFile
import LancerProto
import LancerStorage

/// Makes an operation the next version of a table.
///
/// Optimistic: the transaction file is stored, the manifest of the next version put if nobody else has put one; when
/// somebody has, their transaction is checked against ours and the manifest built anew on top of theirs. The put is the
/// one moment at which the version comes into being. Spec: Commit.
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

    /// Commits version 1 of a new table.
    ///
    /// - Throws: ``Failure`` with `alreadyExists` when there is a table, or `io`.
    package func create(_ operation: Operation, naming: ManifestNaming) async throws(Failure) -> Manifest {
        guard case .overwrite(let fragments, let schema, let fileVersion) = operation else {
            throw Failure(error: .invalidArgument("a table begins with an Overwrite"), filesAreUnused: true)
        }
        let transaction = makeTransaction(operation, readVersion: 0)
        var draft = ManifestDraft(schema: schema, fileVersion: fileVersion.description)
        do throws(LanceError) {
            try draft.append(fragments)
        } catch {
            throw Failure(error: error, filesAreUnused: true)
        }
        let serialized = try await prepare(transaction)
        do throws(LanceError) {
            guard try await versions.latest() == nil else { throw Self.alreadyExists(store.root) }
        } catch {
            await discard(transaction)
            throw Failure(error: error, filesAreUnused: true)
        }
        do throws(Failure) {
            return try await put(draft, transaction, serialized, naming)
        } catch  where error.error.code == .alreadyExists {
            await discard(transaction)
            throw Failure(error: Self.alreadyExists(store.root), filesAreUnused: true)
        }
    }

    private static func alreadyExists(_ root: String) -> LanceError {
        LanceError(.alreadyExists, "there is a table already", at: ByteLocation(file: root))
    }

    /// Commits a change prepared on `base`.
    ///
    /// - Throws: ``Failure`` with `conflict`, `corrupt`, `unsupported` or `io`.
    package func commit(
        _ operation: Operation,
        on base: Manifest,
        naming: ManifestNaming
    ) async throws(Failure) -> Manifest {
        let transaction = makeTransaction(operation, readVersion: base.version)
        let serialized = try await prepare(transaction)
        var current = base
        for attempt in 0..<maxAttempts {
            let draft: ManifestDraft
            do throws(LanceError) {
                current = try await catchUp(from: current, operation)
                try ConflictCheck.check(operation, base: base, current: current)
                draft = try apply(operation, to: current)
            } catch {
                await discard(transaction)
                throw Failure(error: error, filesAreUnused: true)
            }
            do throws(Failure) {
                return try await put(draft, transaction, serialized, naming)
            } catch  where error.error.code == .alreadyExists {
                // Lost the race; let the crowd spread out a little before the next try.
                let pause = UInt64.random(in: 0...(200_000 << UInt64(Swift.min(attempt, 8))))
                try? await Task.sleep(nanoseconds: pause)
            } catch {
                if error.filesAreUnused { await discard(transaction) }
                throw error
            }
        }
        await discard(transaction)
        let error = LanceError(.conflict, "another writer was faster \(maxAttempts) times in a row; try again")
        throw Failure(error: error.located(file: store.root), filesAreUnused: true)
    }

    private func makeTransaction(_ operation: Operation, readVersion: UInt64) -> Transaction {
        Transaction(
            readVersion: readVersion,
            uuid: RandomName.uuid(),
            operation: operation,
            commitMessage: commitMessage
        )
    }

    /// Stores the transaction file and gives its bytes.
    private func prepare(_ transaction: Transaction) async throws(Failure) -> ArrowBuffer {
        do throws(LanceError) {
            let bytes = try ArrowBuffer(encoding: transaction.message, "transaction")
            try await store.put("\(Transaction.directory)/\(transaction.fileName)", bytes)
            return bytes
        } catch {
            await discard(transaction)
            throw Failure(error: error, filesAreUnused: true)
        }
    }

    private func discard(_ transaction: Transaction) async {
        // Best effort: a transaction file without a manifest is harmless.
        try? await store.delete("\(Transaction.directory)/\(transaction.fileName)")
    }

    /// The newest version, after checking everything committed since `known`.
    private func catchUp(from known: Manifest, _ operation: Operation) async throws(LanceError) -> Manifest {
        let all = try await versions.all().filter { $0.version > known.version }
        guard let newest = all.last else { return known }
        var current = known
        for name in all {
            current = try await versions.read(name)
            let transaction = try await versions.transaction(of: current)
            try ConflictCheck.check(operation, against: transaction, of: name.version)
        }
        guard current.version == newest.version else { return known }
        return current
    }

    private func apply(_ operation: Operation, to current: Manifest) throws(LanceError) -> ManifestDraft {
        try current.writerFlags.requireKnown(to: "write")
        var draft = ManifestDraft(after: current)
        guard draft.message.version > current.version else { throw .limitExceeded("the version numbers are used up") }
        switch operation {
        case .append(let fragments): try draft.append(fragments)
        case .overwrite(let fragments, let schema, let fileVersion):
            draft.schema = schema
            draft.fragments = []
            // Indices belong to the rows that go away.
            draft.indexSection = nil
            draft.setFileVersion(fileVersion.description)
            try draft.append(fragments)
        }
        return draft
    }

    /// Puts the manifest and reads it back as the new version.
    private func put(
        _ draft: ManifestDraft,
        _ transaction: Transaction,
        _ serialized: ArrowBuffer,
        _ naming: ManifestNaming
    ) async throws(Failure) -> Manifest {
        let name = ManifestName(version: draft.message.version, naming: naming)
        let bytes: ArrowBuffer
        let manifest: Manifest
        do throws(LanceError) {
            bytes = try draft.serialized(
                transaction: serialized,
                transactionFile: transaction.fileName,
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
            throw Failure(error: error, filesAreUnused: true)
        } catch {
            // The name may have been given before the error (a failed sync of the directory): look.
            let isThere = (try? await store.exists(name.path)) ?? true
            throw Failure(error: error, filesAreUnused: !isThere)
        }
        await versions.writeHint(draft.message.version)
        return manifest
    }
}

extension ConflictCheck {
    fileprivate static func check(
        _ operation: Operation,
        base: Manifest,
        current: Manifest
    ) throws(LanceError) {
        guard case .append(let fragments) = operation, base.version != current.version else { return }
        try checkFields(of: fragments, prepared: base.schema, current: current.schema)
        guard base.fileVersion == current.fileVersion else {
            throw LanceError(.conflict, "another writer changed the file version to \(current.fileVersion)")
        }
    }
}
