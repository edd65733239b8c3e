import LancerBytes
import LancerFile
import LancerProto
import LancerStorage
import SwiftProtobuf

/// Checks everything a table says of itself, in all its versions.
package struct TableCheck: Sendable {
    package let store: any ObjectStore
    /// Whether every page is decoded, too.
    package let isDeep: Bool
    /// Called with a line about what is being done and how much of it is.
    private let progress: @Sendable (_ done: Int, _ all: Int) -> Void

    /// - Parameter progress: Called after every data file with the number of files done and of all.
    package init(
        store: any ObjectStore,
        isDeep: Bool,
        progress: @escaping @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) {
        self.store = store
        self.isDeep = isDeep
        self.progress = progress
    }

    /// Checks the table.
    ///
    /// - Throws: `notFound` when there is none, `io`. What is wrong with the table is in the report.
    package func run() async throws -> TableReport {
        var report = TableReport()
        let manifests = try await checkManifests(&report)
        report.newestReadable = manifests.last?.version
        var data = DataCheck(store: store, isDeep: isDeep)
        for manifest in manifests { data.add(manifest) }
        try await data.run(into: &report, progress: progress)
        for manifest in manifests {
            await checkRowIDs(of: manifest, isNewest: manifest.version == manifests.last?.version, &report)
            try await checkIndices(of: manifest, &report)
        }
        if isDeep {
            var indices = IndexCheck(store: store)
            for manifest in manifests.reversed() { try await indices.check(manifest, &report) }
        }
        try await checkReferences(manifests, &report)
        let unreadable = report.findings.contains { $0.problem == .manifest || $0.problem == .unsupported }
        if unreadable {
            report.notes.append("files that no version names were not looked for: some version cannot be read")
        } else {
            try await findOrphans(manifests, &report)
        }
        report.findings = report.findings.mergingVersions()
        return report
    }

    // MARK: Versions

    /// All manifests that can be read, oldest first.
    private func checkManifests(_ report: inout TableReport) async throws -> [Manifest] {
        let files = try await store.list(ManifestName.directory)
        let names = files.compactMap { ManifestName($0) }.sorted { $0.version < $1.version }
        guard !names.isEmpty else { throw Table.missing(store) }
        for file in files.sorted() where ManifestName(file) == nil && !file.hasSuffix(".json") {
            report.notes.append("\(ManifestName.directory)/\(file) is no manifest of a version")
        }
        let versions = VersionList(store: store)
        var manifests: [Manifest] = []
        var previous: ManifestName?
        for name in names {
            report.counts.versions += 1
            if let previous {
                if previous.version == name.version {
                    report.add(.manifest, "the version is there twice", file: name.path, version: name.version)
                } else if previous.version + 1 < name.version {
                    let gap = name.version - previous.version - 1
                    report.notes.append(
                        "\(gap) version\(gap == 1 ? " is" : "s are") no longer there before version \(name.version)"
                    )
                }
            }
            previous = name
            do throws(LanceError) {
                let manifest = try await versions.read(name)
                if manifest.hasChecksum { report.counts.checksummedManifests += 1 }
                manifests.append(manifest)
                await checkTransaction(of: manifest, name, &report)
            } catch  where error.code == .notFound {
                // Cleaned up since the listing.
                report.counts.versions -= 1
            } catch {
                if error.code == .io { throw error }
                let problem: TableReport.Problem = error.code == .unsupported ? .unsupported : .manifest
                report.add(problem, error.message, file: name.path, version: name.version)
            }
        }
        return manifests
    }

    private func checkTransaction(of manifest: Manifest, _ name: ManifestName, _ report: inout TableReport) async {
        let fileName = manifest.transactionFile
        let path = "\(Transaction.directory)/\(fileName)"
        let version = manifest.version
        do throws(LanceError) {
            let inline = manifest.inlineTransaction
            if let inline { _ = try Transaction(serialized: inline) }
            guard !fileName.isEmpty else {
                if inline == nil { report.notes.append("version \(version) does not say how it was made") }
                return
            }
            try DataFile.checkName(fileName)
            let file: ArrowBuffer
            do throws(LanceError) {
                file = try await store.read(path)
            } catch  where error.code == .notFound {
                let rest = inline == nil ? ": other writers cannot build on it" : "; the manifest has a copy"
                report.notes.append("the transaction file of version \(version) is missing\(rest)")
                return
            }
            _ = try Transaction(serialized: file)
            if let inline, inline.bytes != file.bytes {
                report.add(
                    .transaction,
                    "the transaction file and its copy in the manifest differ",
                    file: path,
                    version: version
                )
            }
        } catch {
            report.add(.transaction, error.message, file: fileName.isEmpty ? name.path : path, version: version)
        }
    }

    // MARK: Indices

    private func checkIndices(of manifest: Manifest, _ report: inout TableReport) async throws {
        guard let section = manifest.indexSection else { return }
        let entries: IndexEntries
        do throws(LanceError) {
            entries = try IndexEntries(section)
        } catch {
            report.add(.index, error.message, version: manifest.version)
            return
        }
        let known = manifest.schema.fieldsByID
        for entry in entries.message.indices {
            report.counts.indexSegments += 1
            for id in entry.fields where known[id] == nil {
                report.add(
                    .index,
                    "index \"\(entry.name)\" is on field \(id), which is not in the schema",
                    version: manifest.version
                )
            }
            // Segments under another root are that table's; ones without files have all they need in the manifest.
            guard !entry.hasBaseID, let directory = entry.directory else { continue }
            let listed = try await store.entries(directory)
            if listed.isEmpty, !entry.isInline {
                report.add(
                    .index,
                    "the files of index \"\(entry.name)\" are missing",
                    file: directory,
                    version: manifest.version
                )
            }
            let sizes = Dictionary(listed.map { ($0.name, $0.size) }) { first, _ in first }
            for file in entry.files where !listed.isEmpty {
                let problem: String
                switch sizes[file.path] {
                case nil: problem = "is missing"
                case let size? where file.sizeBytes > 0 && size != file.sizeBytes:
                    problem = "has \(size) bytes instead of \(file.sizeBytes)"
                default: continue
                }
                report.add(
                    .index,
                    "file \(file.path) of index \"\(entry.name)\" \(problem)",
                    file: "\(directory)/\(file.path)",
                    version: manifest.version
                )
            }
        }
    }

    // MARK: Tags, branches, orphans

    private func checkReferences(_ manifests: [Manifest], _ report: inout TableReport) async throws {
        let known = Set(manifests.map(\.version))
        var tags: [Tag] = []
        do throws(LanceError) {
            tags = try await TagList(store: store).all()
        } catch {
            if error.code == .io { throw error }
            report.add(.tag, error.message, file: error.location.file)
        }
        for tag in tags {
            report.counts.tags += 1
            if tag.branch == nil || tag.branch == "main", !known.contains(tag.version) {
                report.add(
                    .tag,
                    "tag \"\(tag.name)\" names version \(tag.version), which is not there or cannot be read",
                    file: tag.path,
                    version: tag.version
                )
            }
        }
        var branches: [Branch] = []
        do throws(LanceError) {
            branches = try await BranchList(store: store).all()
        } catch {
            if error.code == .io { throw error }
            report.add(.branch, error.message, file: error.location.file)
        }
        for branch in branches {
            if try await VersionList(store: store, below: branch.directory).names().isEmpty {
                report.add(.branch, "branch \"\(branch.name)\" has no version", file: branch.directory)
            }
        }
    }

    /// Files of this root that the versions name, those of branches too.
    private func namedFiles(_ manifests: [Manifest]) async throws(LanceError) -> ReferencedFiles {
        var named = ReferencedFiles()
        for manifest in manifests { try named.insert(manifest) { $0 == nil } }
        for branch in try await BranchList(store: store).all() {
            let versions = VersionList(store: store, below: branch.directory)
            for name in try await versions.all() { try named.insert(try await versions.read(name)) { $0 != nil } }
        }
        return named
    }

    private func findOrphans(_ manifests: [Manifest], _ report: inout TableReport) async throws {
        let named: ReferencedFiles
        do throws(LanceError) {
            named = try await namedFiles(manifests)
        } catch {
            if error.code == .io { throw error }
            report.notes.append("files that no version names were not looked for: \(error.message)")
            return
        }
        var directories = [TableFiles.dataDirectory, DeletionFile.directory, Transaction.directory]
        for entry in try await store.entries(IndexEntries.directory) where entry.isDirectory {
            directories.append("\(IndexEntries.directory)/\(entry.name)")
        }
        for directory in directories {
            for entry in try await store.entries(directory) where !entry.isDirectory {
                let path = "\(directory)/\(entry.name)"
                if !named.contains(path) { report.orphans.append(path) }
            }
        }
        report.orphans.sort()
    }
}

extension Lance_Table_IndexMetadata {
    /// Whether the manifest has all there is of the segment: the reference's own entries, and indices that are still to be
    /// trained.
    var isInline: Bool {
        guard files.isEmpty else { return false }
        if name.hasPrefix("__lance_") { return true }
        guard hasIndexDetails, !fragmentBitmap.isEmpty else { return false }
        return (try? coveredFragments())?.isEmpty ?? false
    }

    /// Where the segment's files are, below the root it belongs to; nil for a uuid that is none.
    var directory: String? { RandomName.uuid(Array(uuid.uuid)).map { "\(IndexEntries.directory)/\($0)" } }
}

extension [TableReport.Finding] {
    /// The findings without repeats in older versions.
    fileprivate func mergingVersions() -> [TableReport.Finding] {
        var places: [FindingKey: Int] = [:]
        var result: [TableReport.Finding] = []
        for finding in self {
            let key = FindingKey(finding)
            if let place = places[key] {
                result[place].version = Swift.max(result[place].version ?? 0, finding.version ?? 0)
            } else {
                places[key] = result.count
                result.append(finding)
            }
        }
        return result
    }
}

/// A finding but for its version.
private struct FindingKey: Hashable {
    let problem: TableReport.Problem
    let file: String?
    let fragment: UInt64?
    let message: String

    init(_ finding: TableReport.Finding) {
        problem = finding.problem
        file = finding.file
        fragment = finding.fragment
        message = finding.message
    }
}
