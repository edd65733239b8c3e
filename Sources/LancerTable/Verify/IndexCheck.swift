import LancerBytes
import LancerFile
import LancerIndex
import LancerProto
import LancerStorage

/// Reads the files of indices whole and compares them with what the versions say.
struct IndexCheck {
    private let store: any ObjectStore
    private let files: TableFiles
    /// Segments that were read: versions share them.
    private var done: Set<String> = []

    init(store: any ObjectStore) {
        self.store = store
        // Partitions are looked at once; nothing needs to be kept of them.
        files = TableFiles(store: store, comparison: .all, indexCacheBytes: 64 << 20)
    }

    /// Checks the segments of a version that no version before had.
    ///
    /// - Throws: `CancellationError`.
    mutating func check(_ manifest: Manifest, _ report: inout TableReport) async throws {
        guard let entries = try? manifest.indexEntries() else { return }
        for entry in entries where !entry.message.hasBaseID && !entry.message.isInline {
            guard entry.mayBeVectorIndex, entry.hasKnownVersion, done.insert(entry.uuid).inserted else { continue }
            if entry.fragments.isEmpty, entry.message.files.isEmpty { continue }
            do {
                try await read(entry, manifest)
            } catch let error as LanceError {
                let problem: TableReport.Problem = error.code == .unsupported ? .unsupported : .index
                // Files under the table's root are named below it.
                let root = store.root.hasSuffix("/") ? store.root : "\(store.root)/"
                let file = error.location.file.map { $0.hasPrefix(root) ? String($0.dropFirst(root.count)) : $0 }
                report.add(
                    problem,
                    "index \"\(entry.name)\": \(error.message)",
                    file: file ?? entry.directory,
                    version: manifest.version
                )
            }
        }
    }

    /// Opens a segment and reads all its rows.
    private func read(_ entry: IndexEntry, _ manifest: Manifest) async throws {
        guard let fieldID = entry.fieldIDs.first else { throw LanceError.corrupt("it is on no field") }
        let column = try VectorColumn(fieldID: fieldID, of: manifest.schema)
        if entry.vector?.compression == .rabit { throw LanceError.unsupported("its kind, \(entry.typeName)") }
        let segment = try await files.indices.open(entry, column, manifest, files)
        if let metric = entry.vector?.metric, metric != segment.model.metric {
            throw LanceError.corrupt(
                "the table says \(metric.name), its files \(segment.model.metric.name)"
            )
        }
        if let details = entry.vector, details.typeName != segment.model.kind.rawValue {
            throw LanceError.corrupt("the table says \(details.typeName), its files \(segment.model.kind.rawValue)")
        }
        try await segment.readAll()
    }
}
