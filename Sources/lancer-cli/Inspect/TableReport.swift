import Lancer
import LancerFile
import LancerProto
import LancerTable
import SwiftProtobuf

/// What one version of a table holds, from its manifest.
struct TableReport {
    let path: String
    let manifest: Manifest

    /// Number of versions that are still there, from the names in `_versions`.
    private var versionCount: Int {
        directoryEntries("\(path)/\(ManifestName.directory)").reduce(0) { $0 + (ManifestName($1) == nil ? 0 : 1) }
    }

    private var deletedRowCount: Int { manifest.fragments.reduce(0) { $0 + ($1.deletion?.deletedRowCount ?? 0) } }

    /// The overview.
    func report() -> Report {
        var report = Report()
        report.add("path", path, nil, .string(path))
        let count = versionCount
        report.add("version", "\(manifest.version) (of \(count))", nil, .unsigned(manifest.version))
        report.add("versions", nil, nil, .count(count))
        addFacts(to: &report)
        return report
    }

    /// The overview of a manifest file by itself.
    func manifestReport() -> Report {
        var report = Report()
        report.add("path", path, nil, .string(path))
        report.add("kind", "manifest, \(manifest.sizeInBytes.byteText)", nil, .string("manifest"))
        report.add("version", "\(manifest.version)", nil, .unsigned(manifest.version))
        addFacts(to: &report)
        if let bytes = manifest.inlineTransaction, let transaction = try? TransactionReport(bytes) {
            let operation = transaction.operation
            let text = operation.detail.isEmpty ? operation.name : "\(operation.name): \(operation.detail)"
            report.add("operation", text, nil, .string(operation.name))
        }
        let file = manifest.message.transactionFile
        if !file.isEmpty { report.add("transaction file", file, "transactionFile", .string(file)) }
        return report
    }

    private func addFacts(to report: inout Report) {
        let message = manifest.message
        if message.hasTimestamp {
            let time = Timestamp(seconds: message.timestamp.seconds, nanoseconds: message.timestamp.nanos)
            let writer =
                message.hasWriterVersion ? "\(message.writerVersion.library) \(message.writerVersion.version)" : nil
            report.add("written", time.shortText + (writer.map { " by \($0)" } ?? ""), nil, .string(time.description))
            report.add("writer", nil, nil, .optional(writer))
        }
        report.add("file version", manifest.fileVersion, "fileVersion", .string(manifest.fileVersion))
        let deleted = deletedRowCount
        if let rows = manifest.liveRowCount {
            report.add("rows", count: rows, note: deleted > 0 ? " (and \(deleted.grouped) deleted)" : "")
        } else {
            report.add("rows", "not stored; use lancer count", nil, .null)
        }
        report.add("deleted rows", nil, "deletedRows", .count(deleted))
        report.add("fragments", count: manifest.fragments.count)
        let files = manifest.fragments.flatMap(\.files)
        let bytes = files.reduce(UInt64(0)) { $0 &+ ($1.sizeInBytes ?? 0) }
        report.add("data", "\(bytes.byteText) in \(files.count.counted("file"))")
        report.add("files", nil, nil, .count(files.count))
        report.add("bytes", nil, nil, .unsigned(bytes))
        if manifest.hasStableRowIDs { report.add("row ids", "stable", "stableRowIDs", .bool(true)) }
        if !message.config.isEmpty {
            let pairs = message.config.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            report.add("config", pairs.joined(separator: " "), nil, SchemaReport.json(message.config))
        }
        report.addColumns(manifest.schema)
    }

    /// One line a fragment.
    func fragments() -> Listing {
        var listing = Listing([
            .number("fragment"), .number("files"), .number("rows"), .number("deleted"), .number("bytes"),
            .text("deletion file"),
        ])
        for fragment in manifest.fragments {
            let bytes = fragment.files.reduce(UInt64(0)) { $0 &+ ($1.sizeInBytes ?? 0) }
            let deleted = fragment.deletion?.deletedRowCount ?? 0
            let deletionPath = fragment.deletion.map {
                "\(DeletionFile.directory)/\($0.fileName(fragment: fragment.id))"
            }
            listing.add(
                [
                    "\(fragment.id)", "\(fragment.files.count)", fragment.physicalRowCount.map(\.grouped) ?? "?",
                    deleted.grouped, bytes.grouped, deletionPath ?? "",
                ],
                [
                    ("fragment", .unsigned(fragment.id)), ("files", .count(fragment.files.count)),
                    ("rows", fragment.physicalRowCount.map { .count($0) } ?? .null), ("deletedRows", .count(deleted)),
                    ("bytes", .unsigned(bytes)), ("deletionFile", .optional(deletionPath)),
                ]
            )
        }
        return listing
    }

    /// One line a data file.
    func files() -> Listing {
        let names = manifest.schema.columnPaths
        var listing = Listing([
            .number("fragment"), .text("file"), .text("version"), .number("rows"), .number("bytes"), .text("columns"),
        ])
        for fragment in manifest.fragments {
            for file in fragment.files {
                let columns = file.fieldIDs.map { names[$0] ?? ($0 < 0 ? "(replaced)" : "(field \($0))") }
                let version = "\(file.majorVersion).\(file.minorVersion)"
                listing.add(
                    [
                        "\(fragment.id)", file.path, version, fragment.physicalRowCount.map(\.grouped) ?? "?",
                        file.sizeInBytes.map(\.grouped) ?? "?", columns.joined(separator: ", "),
                    ],
                    [
                        ("fragment", .unsigned(fragment.id)), ("file", .string(file.path)),
                        ("version", .string(version)),
                        ("rows", fragment.physicalRowCount.map { .count($0) } ?? .null),
                        ("bytes", file.sizeInBytes.map { .unsigned($0) } ?? .null),
                        ("columns", .array(columns.map { .string($0) })),
                    ]
                )
            }
        }
        return listing
    }
}

extension LanceSchema {
    /// Dotted name of every field, by id.
    var columnPaths: [Int32: String] {
        var result: [Int32: String] = [:]
        func visit(_ field: LanceField, _ prefix: String) {
            let path = prefix.isEmpty ? field.name : "\(prefix).\(field.name)"
            result[field.id] = path
            for child in field.children { visit(child, path) }
        }
        for field in fields { visit(field, "") }
        return result
    }
}
