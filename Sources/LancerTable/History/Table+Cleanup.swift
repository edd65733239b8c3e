import LancerBytes
import LancerStorage

extension Table {
    /// Works out what a cleanup would remove, without removing it. The newest version, tagged ones and those that
    /// branches start from stay, with every file they name, and so does what branches name.
    ///
    /// - Throws: `unsupported` for a branch, or when some version needs a feature that Lancer does not know; `corrupt`
    ///   and `truncated` when some version cannot be read, because then nobody knows which files it needs; `io`.
    package func planCleanup(_ rules: CleanupRules) async throws(LanceError) -> CleanupPlan {
        try manifest.writerFlags.requireKnown(to: "clean up")
        guard manifest.branch == nil else {
            throw .unsupported("cleaning up a branch; clean up the table it is of")
        }
        let versions = VersionList(store: store)
        let names = try await versions.all()
        guard let newest = names.last else { return CleanupPlan() }
        var plan = CleanupPlan()
        plan.newestVersion = newest.version
        var needed = ReferencedFiles()
        var released = ReferencedFiles()
        let pinned = try await pinnedVersions()
        for (index, name) in names.enumerated() {
            let manifest = try await versions.read(name)
            var mayGo = name.version < newest.version
            if let kept = rules.versionsKept, names.count - index <= kept { mayGo = false }
            if let moment = rules.committedBefore, Instant(manifest.timestamp) > moment { mayGo = false }
            if mayGo, pinned.contains(name.version) {
                plan.keptVersions.append(name.version)
                mayGo = false
            }
            if mayGo {
                plan.versions.append(name)
                plan.manifests.append(CleanupPlan.File(path: name.path, size: UInt64(manifest.sizeInBytes)))
                try released.insert(manifest) { $0 == nil }
            } else {
                try needed.insert(manifest) { $0 == nil }
            }
        }
        try await addBranches(to: &needed)
        try await collectFiles(needed, released, rules, &plan)
        return plan
    }

    /// Versions that tags and branches of the main line stand for.
    private func pinnedVersions() async throws(LanceError) -> Set<UInt64> {
        var pinned: Set<UInt64> = []
        for tag in try await TagList(store: store).all() where tag.branch == nil || tag.branch == "main" {
            pinned.insert(tag.version)
        }
        for branch in try await BranchList(store: store).all() where branch.parent == nil {
            pinned.insert(branch.parentVersion)
        }
        return pinned
    }

    /// Files of this root that versions of branches name.
    private func addBranches(to needed: inout ReferencedFiles) async throws(LanceError) {
        for branch in try await BranchList(store: store).all() {
            let versions = VersionList(store: store, below: branch.directory)
            for name in try await versions.all() {
                let manifest = try await versions.read(name)
                // A base may be spelled in another way than this root: what is not sure is kept.
                try needed.insert(manifest) { $0 != nil }
            }
        }
    }

    private func collectFiles(
        _ needed: ReferencedFiles,
        _ released: ReferencedFiles,
        _ rules: CleanupRules,
        _ plan: inout CleanupPlan
    ) async throws(LanceError) {
        for directory in [TableFiles.dataDirectory, DeletionFile.directory, Transaction.directory] {
            try await collect(directory, needed, released, rules, &plan)
        }
        for directory in [TableFiles.dataDirectory, IndexEntries.directory] {
            for entry in try await store.entries(directory) where entry.isDirectory {
                try await collect("\(directory)/\(entry.name)", needed, released, rules, &plan)
            }
        }
        for directory in [ManifestName.directory, Tag.directory] {
            for entry in try await store.entries(directory) where Self.isUnfinished(entry, rules) {
                plan.orphans.append(CleanupPlan.File(path: "\(directory)/\(entry.name)", size: entry.size))
            }
        }
    }

    private func collect(
        _ directory: String,
        _ needed: ReferencedFiles,
        _ released: ReferencedFiles,
        _ rules: CleanupRules,
        _ plan: inout CleanupPlan
    ) async throws(LanceError) {
        for entry in try await store.entries(directory).sorted(by: { $0.name < $1.name }) where !entry.isDirectory {
            let file = CleanupPlan.File(path: "\(directory)/\(entry.name)", size: entry.size)
            if needed.contains(file.path) { continue }
            if released.contains(file.path) {
                plan.released.append(file)
            } else if Self.isUnfinished(entry, rules)
                || (entry.modified <= rules.orphansBefore && Self.isOurs(entry.name, in: directory))
            {
                plan.orphans.append(file)
            }
        }
    }

    /// Whether a file is what a writer left that died.
    private static func isUnfinished(_ entry: StoredEntry, _ rules: CleanupRules) -> Bool {
        !entry.isDirectory && entry.name.hasPrefix(LocalStore.temporaryPrefix) && entry.modified <= rules.orphansBefore
    }

    /// Whether a file has the name of one that a table is made of; people's own files are left alone.
    private static func isOurs(_ name: String, in directory: String) -> Bool {
        switch directory {
        case TableFiles.dataDirectory: name.hasSuffix(".lance")
        case DeletionFile.directory: name.hasSuffix(".arrow") || name.hasSuffix(".bin")
        case Transaction.directory: name.hasSuffix(".txn")
        case _ where directory.hasPrefix("\(TableFiles.dataDirectory)/"): name.hasSuffix(".blob")
        default: true
        }
    }

    /// Removes what a plan names: first the manifests, so that no version is ever there without its files, then the
    /// files, but those that a version committed since names.
    ///
    /// - Throws: `conflict` when a version got a tag since, `io`; what is left then is found by the next cleanup.
    package func clean(_ plan: CleanupPlan) async throws(LanceError) {
        let versions = VersionList(store: store)
        let pinned = try await pinnedVersions()
        if let name = plan.versions.first(where: { pinned.contains($0.version) }) {
            throw .conflict("version \(name.version) was tagged after the cleanup was planned", retry: true)
        }
        for file in plan.manifests { try await store.delete(file.path) }
        var needed = ReferencedFiles()
        for name in try await versions.all() where name.version > plan.newestVersion {
            try needed.insert(try await versions.read(name)) { $0 == nil }
        }
        for file in plan.released + plan.orphans where !needed.contains(file.path) {
            try await store.delete(file.path)
        }
        // Directories of indices, and of blobs beside data files.
        let directories = (plan.released + plan.orphans).map { $0.path.split(separator: "/").dropLast() }
        for directory in Set(directories.filter { $0.count > 1 }.map { $0.joined(separator: "/") }) {
            await store.removeEmptyDirectory(directory)
        }
    }
}
