import LancerArrow
import LancerBytes
import LancerFile
import LancerStorage

/// Checks the data and deletion files that versions name, each once.
struct DataCheck: Sendable {
    /// One entry of a manifest, and where it was met last.
    private struct Use: Sendable {
        var manifest: Manifest
        var fragment: Fragment
        var file: DataFile
    }

    /// What makes two entries the same.
    private struct Key: Hashable {
        var file: DataFile
        var rows: Int?
    }

    /// What makes two reads of a column the same.
    private struct ColumnKey: Hashable {
        var files: [DataFile]
        var field: LanceField
    }

    let store: any ObjectStore
    let isDeep: Bool
    private let files: TableFiles
    private var uses: [Key: Use] = [:]
    private var columns: [ColumnKey: Use] = [:]
    private var deletions: [String: Use] = [:]

    init(store: any ObjectStore, isDeep: Bool) {
        self.store = store
        self.isDeep = isDeep
        // Checksums are compared block by block here.
        files = TableFiles(store: store, comparison: .off)
    }

    /// Notes what a version names. Versions come oldest first.
    mutating func add(_ manifest: Manifest) {
        for fragment in manifest.fragments {
            for file in fragment.files {
                let use = Use(manifest: manifest, fragment: fragment, file: file)
                uses[Key(file: file, rows: fragment.physicalRowCount)] = use
            }
            if let deletion = fragment.deletion {
                let name = "\(deletion.baseID.map { "\($0):" } ?? "")\(deletion.fileName(fragment: fragment.id))"
                deletions[name] = Use(manifest: manifest, fragment: fragment, file: fragment.files[0])
            }
            guard isDeep else { continue }
            for field in manifest.schema.fields {
                let use = Use(manifest: manifest, fragment: fragment, file: fragment.files[0])
                columns[ColumnKey(files: fragment.files, field: field)] = use
            }
        }
    }

    /// Findings about one file or column.
    private struct Part: Sendable {
        var findings: [TableReport.Finding] = []
        var counts = TableReport.Counts()
    }

    /// Checks everything noted.
    ///
    /// - Throws: `CancellationError`.
    func run(into report: inout TableReport, progress: @Sendable (_ done: Int, _ all: Int) -> Void) async throws {
        var jobs: [@Sendable () async throws -> Part] = []
        // All entries of one file together: it is read once.
        let byPath = Dictionary(grouping: uses.values) { use in
            "\(use.file.baseID.map { "\($0):" } ?? "")\(use.file.path)"
        }
        for path in byPath.keys.sorted() {
            let uses = byPath[path] ?? []
            jobs.append { await checkFile(uses) }
        }
        for name in deletions.keys.sorted() {
            if let use = deletions[name] { jobs.append { await checkDeletions(use) } }
        }
        for (key, use) in columns { jobs.append { try await decode(key.field, use) } }
        try await withThrowingTaskGroup(of: Part.self) { group in
            var next = 0
            var done = 0
            while next < Swift.min(Machine.coreCount, jobs.count) {
                group.addTask(operation: jobs[next])
                next += 1
            }
            while let part = try await group.next() {
                done += 1
                progress(done, jobs.count)
                report.findings += part.findings
                report.counts.add(part.counts)
                if next < jobs.count {
                    group.addTask(operation: jobs[next])
                    next += 1
                }
            }
        }
        report.findings.sort { ($0.file ?? "", $0.message) < ($1.file ?? "", $1.message) }
    }

    private func finding(
        _ problem: TableReport.Problem,
        _ message: String,
        _ use: Use,
        file: String? = nil
    ) -> TableReport.Finding {
        TableReport.Finding(
            problem: problem,
            file: file ?? "\(TableFiles.dataDirectory)/\(use.file.path)",
            version: use.manifest.version,
            fragment: use.fragment.id,
            message: message
        )
    }

    private static func problem(_ error: any Error, else other: TableReport.Problem) -> TableReport.Problem {
        switch (error as? LanceError)?.code {
        case .unsupported?: .unsupported
        case .io?: .notRead
        default: other
        }
    }

    private static func text(_ error: any Error) -> String {
        guard let error = error as? LanceError else { return "\(error)" }
        var message = error.message
        if let part = error.location.part { message = "\(part): \(message)" }
        return message
    }

    // MARK: Files

    private func checkFile(_ uses: [Use]) async -> Part {
        var part = Part()
        var isCounted = false
        // The newest version first: what is wrong with the file is said of it.
        for use in uses.sorted(by: { $0.manifest.version > $1.manifest.version }) {
            do {
                let opened = try await files.open(use.file, of: use.fragment, use.manifest)
                if !isCounted {
                    isCounted = true
                    part.counts.dataFiles += 1
                    part.counts.dataBytes += opened.reader.source.size
                    try await checkBlocks(opened.reader, use, &part)
                    checkPages(opened.reader, use, &part)
                }
                checkColumns(opened, use, &part)
            } catch {
                if !isCounted {
                    isCounted = true
                    part.counts.dataFiles += 1
                }
                part.findings.append(finding(Self.problem(error, else: .dataFile), Self.text(error), use))
            }
        }
        return part
    }

    /// Most blocks of one file that are reported one by one.
    private static let mostBlocks = 8

    private func checkBlocks(_ reader: LanceFileReader, _ use: Use, _ part: inout Part) async throws {
        guard let checksums = reader.checksums else { return }
        part.counts.checksummedDataFiles += 1
        var bad: [Range<UInt64>] = []
        try await checksums.checkAll { bad.append($0) }
        part.counts.goodBlocks += checksums.blockCount - bad.count
        for range in bad.prefix(Self.mostBlocks) {
            let message = "bytes \(range.lowerBound) to \(range.upperBound) do not have their checksum"
            part.findings.append(finding(.checksum, message, use))
        }
        if bad.count > Self.mostBlocks {
            let message = "\(bad.count - Self.mostBlocks) more blocks do not have their checksum"
            part.findings.append(finding(.checksum, message, use))
        }
    }

    private func checkPages(_ reader: LanceFileReader, _ use: Use, _ part: inout Part) {
        for (number, column) in reader.columns.enumerated() {
            for (index, page) in column.pages.enumerated() {
                part.counts.pages += 1
                do throws(LanceError) {
                    _ = try page.layout(reader.version)
                } catch {
                    let message = "column \(number), page \(index): \(error.message)"
                    part.findings.append(finding(Self.problem(error, else: .page), message, use))
                }
            }
        }
    }

    /// The columns that a manifest says are in a file must be there.
    private func checkColumns(_ opened: OpenedFile, _ use: Use, _ part: inout Part) {
        let known = use.manifest.schema.fieldsByID
        for (id, column) in opened.columnOf.sorted(by: { $0.key < $1.key }) where known[id] != nil {
            if !opened.reader.columns.indices.contains(column) {
                let message = "field \(id) should be column \(column), the file has \(opened.reader.columns.count)"
                part.findings.append(finding(.dataFile, message, use))
            }
        }
    }

    // MARK: Deletion files

    private func checkDeletions(_ use: Use) async -> Part {
        var part = Part()
        part.counts.deletionFiles = 1
        do {
            _ = try await files.deletionVector(of: use.fragment, use.manifest)
        } catch {
            let name = use.fragment.deletion?.fileName(fragment: use.fragment.id) ?? ""
            let path = "\(DeletionFile.directory)/\(name)"
            part.findings.append(finding(Self.problem(error, else: .deletionFile), Self.text(error), use, file: path))
        }
        return part
    }

    // MARK: Pages

    /// Rows decoded at a time.
    private static let rowsAtOnce = 8192

    private func decode(_ field: LanceField, _ use: Use) async throws -> Part {
        var part = Part()
        do {
            let projection = try Projection([field.name], of: use.manifest.schema)
            let reader = try await FragmentReader(use.fragment, projection, use.manifest, files)
            let rows = try await files.physicalRowCount(of: use.fragment, use.manifest)
            var start = 0
            while start < rows {
                try Task.checkCancellation()
                let end = Swift.min(start + Self.rowsAtOnce, rows)
                for array in try await reader.read(start..<end) { try array.validate() }
                part.counts.decodedValues += end - start
                start = end
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            let located = (error as? LanceError)?.location.file
            let file = located.map { path in
                path.hasPrefix("\(store.root)/") ? String(path.dropFirst(store.root.count + 1)) : path
            }
            let message = "column \"\(field.name)\" cannot be decoded: \(Self.text(error))"
            part.findings.append(finding(Self.problem(error, else: .page), message, use, file: file))
        }
        return part
    }
}

extension TableReport.Counts {
    fileprivate mutating func add(_ other: TableReport.Counts) {
        dataFiles += other.dataFiles
        checksummedDataFiles += other.checksummedDataFiles
        dataBytes += other.dataBytes
        goodBlocks += other.goodBlocks
        pages += other.pages
        decodedValues += other.decodedValues
        deletionFiles += other.deletionFiles
    }
}
