import LancerBytes
import LancerFile
import LancerProto
import LancerStorage
import SwiftProtobuf

/// What can be done about what a check found. Nothing is thrown away: damaged manifests are moved, and what a new
/// version leaves out is still in the old one.
package struct RepairPlan: Sendable {
    /// One step.
    package enum Step: Sendable, Hashable {
        /// A new version, with a number above the damaged ones, that is the last good one again.
        case fallBack(to: UInt64)
        /// A new version without these fragments, which cannot be read; `rows` of them were not deleted.
        case leaveOut(fragments: [UInt64], rows: Int?)
        /// A new version without these indices.
        case removeIndices([String])
        /// Damaged manifests moved to ``RepairPlan/directory``, where nobody looks for versions.
        case setAside([ManifestName])
    }

    /// Where damaged manifests are moved to.
    package static let directory = "_damaged"

    package var steps: [Step] = []
    /// Findings that no step is for.
    package var remaining: [TableReport.Finding] = []

    /// Works out what to do.
    ///
    /// - Throws: `notFound`, `io`; `corrupt` when no version can be read.
    package init(for report: TableReport, _ store: any ObjectStore) async throws {
        let names = try await VersionList(store: store).names()
        let base = try await Table.open(store)
        try base.manifest.writerFlags.requireKnown(to: "repair")
        let damaged = Set(report.findings.filter { $0.problem == .manifest }.compactMap(\.file))
        let damagedNames = names.filter { damaged.contains($0.path) }
        if let newest = names.last, newest.version > base.manifest.version {
            // Every one above must be damaged; one that is only not known must not be overruled.
            guard names.allSatisfy({ $0.version <= base.manifest.version || damaged.contains($0.path) }) else {
                throw LanceError(
                    .unsupported,
                    "a version above \(base.manifest.version) cannot be read, but is not damaged",
                    at: ByteLocation(file: store.root)
                )
            }
            steps.append(.fallBack(to: base.manifest.version))
        }
        let broken = Self.brokenFragments(report, base.manifest)
        if !broken.isEmpty {
            let rows = base.manifest.fragments.filter { broken.contains($0.id) }.map(\.liveRowCount)
            let known = rows.compactMap { $0 }
            steps.append(
                .leaveOut(fragments: broken.sorted(), rows: known.count == rows.count ? known.reduce(0, +) : nil)
            )
        }
        let indices = try await Self.brokenIndices(base.manifest, store)
        if !indices.isEmpty { steps.append(.removeIndices(indices.map(\.name))) }
        if !damagedNames.isEmpty { steps.append(.setAside(damagedNames)) }
        remaining = report.findings.filter { finding in
            switch finding.problem {
            case .manifest: !damagedNames.contains { $0.path == finding.file }
            case .index: finding.version == base.manifest.version && indices.isEmpty
            case .dataFile, .checksum, .page, .deletionFile:
                !(finding.fragment.map(broken.contains) ?? false)
            default: true
            }
        }
    }

    /// Fragments of the newest version that cannot be read as a whole.
    private static func brokenFragments(_ report: TableReport, _ manifest: Manifest) -> Set<UInt64> {
        let ids = Set(manifest.fragments.map(\.id))
        var broken: Set<UInt64> = []
        for finding in report.findings where finding.version == manifest.version {
            guard [.dataFile, .checksum, .page, .deletionFile].contains(finding.problem) else { continue }
            if let id = finding.fragment, ids.contains(id) { broken.insert(id) }
        }
        return broken
    }

    private static func brokenIndices(
        _ manifest: Manifest,
        _ store: any ObjectStore
    ) async throws -> [Lance_Table_IndexMetadata] {
        guard let section = manifest.indexSection else { return [] }
        let known = manifest.schema.fieldsByID
        var broken: [Lance_Table_IndexMetadata] = []
        for entry in try IndexEntries(section).message.indices {
            let isOnMissingField = entry.fields.contains { known[$0] == nil }
            var hasNoFiles = false
            if !entry.hasBaseID, !entry.isInline, let directory = entry.directory {
                hasNoFiles = try await store.entries(directory).isEmpty
            }
            if isOnMissingField || hasNoFiles { broken.append(entry) }
        }
        return broken
    }

    /// Takes the steps.
    ///
    /// - Returns: The version that is the newest then.
    /// - Throws: `conflict` when another writer commits at the same time, `io`.
    package func apply(_ store: any ObjectStore, commitMessage: String?) async throws -> UInt64 {
        let loop = CommitLoop(store: store, commitMessage: commitMessage ?? "lancer repair")
        for step in steps {
            switch step {
            case .fallBack(let version):
                let table = try await Table.open(store)
                guard table.manifest.version == version, let newest = try await VersionList(store: store).names().last
                else { throw LanceError.conflict("another writer committed meanwhile", retry: true) }
                var draft = ManifestDraft(restoring: table.manifest, over: table.manifest)
                draft.message.version = newest.version + 1
                _ = try await loop.publish(
                    draft,
                    .restore(.with { $0.version = version }),
                    readVersion: version,
                    table.name.naming
                )
            case .leaveOut(let fragments, _):
                let table = try await Table.open(store)
                var draft = ManifestDraft(after: table.manifest)
                draft.replace([], removing: fragments)
                draft.keepFieldIDs(of: table.manifest)
                let operation = Lance_Table_Transaction.OneOf_Operation.delete(
                    .with {
                        $0.deletedFragmentIds = fragments
                        $0.predicate = "lancer repair: fragments that cannot be read"
                    }
                )
                _ = try await loop.publish(
                    draft,
                    operation,
                    readVersion: table.manifest.version,
                    table.name.naming
                )
            case .removeIndices(let names):
                let table = try await Table.open(store)
                var draft = ManifestDraft(after: table.manifest)
                let broken = try await Self.brokenIndices(table.manifest, store).filter { names.contains($0.name) }
                var entries = try IndexEntries(draft.indexSection)
                entries.message.indices.removeAll { entry in broken.contains { $0.uuid == entry.uuid } }
                draft.indexSection = try entries.section()
                _ = try await loop.publish(
                    draft,
                    .createIndex(.with { $0.removedIndices = broken }),
                    readVersion: table.manifest.version,
                    table.name.naming
                )
            case .setAside(let names):
                for name in names {
                    let bytes = try await store.read(name.path)
                    try await store.put("\(Self.directory)/\(name.fileName)", bytes)
                    try await store.delete(name.path)
                }
            }
        }
        return try await Table.open(store).manifest.version
    }
}
