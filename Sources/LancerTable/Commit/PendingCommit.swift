import LancerBytes
import LancerFile
import LancerProto
import LancerStorage
import SwiftProtobuf

/// An operation on its way into a table: made anew on top of every version that turns out to be the newest.
struct PendingCommit {
    private let operation: Operation
    /// The version the operation was prepared on.
    private let base: Manifest
    private let files: TableFiles
    private let versions: VersionList
    private var deletions: DeletionMerge

    init(_ operation: Operation, on base: Manifest, _ files: TableFiles, _ versions: VersionList) {
        self.operation = operation
        self.base = base
        self.files = files
        self.versions = versions
        deletions = DeletionMerge(store: versions.store)
    }

    /// Files stored for the commit that are of no use when it fails.
    var paths: [String] { deletions.paths }

    /// What the operation becomes on top of `current`.
    struct Result {
        var draft: ManifestDraft
        var message: Lance_Table_Transaction.OneOf_Operation
        /// What the transaction names as the version it was made on. A merged deletion was made on the newest one.
        var readVersion: UInt64
    }

    /// - Throws: `conflict`, `limitExceeded`, `schemaMismatch`, `corrupt`, `io`.
    mutating func apply(to current: Manifest) async throws(LanceError) -> Result {
        try current.writerFlags.requireKnown(to: "write")
        guard current.version < UInt64.max >> 1 else { throw .limitExceeded("the version numbers are used up") }
        var result = try await applyOperation(to: current)
        if operation.kind != .overwrite { result.draft.keepFieldIDs(of: current) }
        return result
    }

    private mutating func applyOperation(to current: Manifest) async throws(LanceError) -> Result {
        var draft = ManifestDraft(after: current)
        var readVersion = base.version
        let message: Lance_Table_Transaction.OneOf_Operation
        switch operation {
        case .append(let fragments):
            try check(fragments, on: current)
            try draft.append(fragments)
            message = .append(.with { $0.fragments = fragments.map(\.message) })
        case .overwrite(let fragments, let schema, let fileVersion, let stableRowIDs):
            message = try draft.overwrite(fragments, schema, fileVersion, stableRowIDs: stableRowIDs)
        case .delete(let gone, let predicate):
            readVersion = current.version
            let (updated, removed) = try await deletions.apply(gone, prepared: base, to: current, files)
            draft.replace(updated, removing: removed)
            message = .delete(
                .with {
                    $0.updatedFragments = updated.map(\.message)
                    $0.deletedFragmentIds = removed
                    $0.predicate = predicate
                }
            )
        case .update(let update):
            readVersion = current.version
            try check(update.newFragments, on: current)
            let (updated, removed) = try await deletions.apply(update.gone, prepared: base, to: current, files)
            draft.replace(updated, removing: removed)
            try draft.append(update.newFragments)
            message = .update(
                .with {
                    $0.removedFragmentIds = removed
                    $0.updatedFragments = updated.map(\.message)
                    $0.newFragments = update.newFragments.map(\.message)
                    $0.fieldsForPreservingFragBitmap = update.changedFieldIDs.map { UInt32(truncatingIfNeeded: $0) }
                }
            )
        case .rewrite(let groups, let indices):
            try draft.rewrite(groups)
            if draft.indexSection != nil, !indices.isEmpty || current.hasStableRowIDs {
                var entries = try IndexEntries(draft.indexSection)
                // Stable ids stay right wherever the rows are.
                try entries.rewrite(indices, groups, keepsIDs: current.hasStableRowIDs)
                draft.indexSection = try entries.section()
            }
            message = .rewrite(
                .with {
                    $0.groups = groups.map(\.message)
                    $0.rewrittenIndices = indices
                }
            )
        case .merge(let merge): message = try draft.merge(merge)
        case .project(let edits): message = try draft.project(edits)
        case .updateConfig(let change): message = try draft.change(change)
        case .restore(let version):
            draft = try await restore(version, over: current)
            message = .restore(.with { $0.version = version })
        case .reserveFragments(let count):
            try draft.reserveFragments(count)
            message = .reserveFragments(.with { $0.numFragments = count })
        case .createIndex(let added, let removed):
            var entries = try IndexEntries(draft.indexSection)
            try entries.change(adding: added, removing: removed, prepared: base.schema, current: current.schema)
            draft.indexSection = try entries.section()
            message = .createIndex(
                .with {
                    $0.newIndices = added
                    $0.removedIndices = removed
                }
            )
        }
        return Result(draft: draft, message: message, readVersion: readVersion)
    }

    private func check(_ fragments: [Fragment], on current: Manifest) throws(LanceError) {
        guard base.version != current.version else { return }
        try ConflictCheck.checkFields(of: fragments, prepared: base.schema, current: current.schema)
        guard base.fileVersion == current.fileVersion else {
            throw .conflict("another writer changed the file version to \(current.fileVersion)", retry: true)
        }
    }

    private func restore(_ version: UInt64, over current: Manifest) async throws(LanceError) -> ManifestDraft {
        guard let name = try await versions.all().first(where: { $0.version == version }) else {
            throw LanceError(.notFound, "there is no version \(version) to restore")
        }
        return ManifestDraft(restoring: try await versions.read(name), over: current)
    }
}

extension RewriteGroup {
    fileprivate var message: Lance_Table_Transaction.Rewrite.RewriteGroup {
        .with {
            $0.oldFragments = old.map(\.message)
            $0.newFragments = new.map(\.message)
        }
    }
}
