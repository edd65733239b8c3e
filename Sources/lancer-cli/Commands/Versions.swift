import ArgumentParser
import Lancer

/// `lancer versions`.
struct Versions: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "versions",
        abstract: "List the versions of a table, oldest first."
    )

    @Argument(help: "A Lance table.")
    var path: String

    @OptionGroup var output: JSONOption

    func run() async throws {
        let versions = try await Dataset.open(path).versions()
        let out = standardOutput()
        if output.json {
            for version in versions { try out.write("\(json(version).line)\n") }
        } else {
            var table = TextTable("version#", "timestamp", "rows#", "fragments#", "operation", "message")
            if !versions.contains(where: { $0.message != nil }) { table.columns.removeLast() }
            for version in versions {
                let cells = [
                    "\(version.version)", version.timestamp.shortText, version.rowCount.map { $0.grouped } ?? "",
                    version.fragmentCount.grouped, version.operation ?? "", version.message ?? "",
                ]
                table.rows.append(Array(cells.prefix(table.columns.count)))
            }
            for line in table.lines() { try out.write("\(line)\n") }
        }
        try out.flush()
    }

    private func json(_ version: VersionInfo) -> JSONText {
        .object([
            ("version", .unsigned(version.version)), ("timestamp", .string(version.timestamp.description)),
            ("rows", version.rowCount.map { .count($0) } ?? .null), ("fragments", .count(version.fragmentCount)),
            ("operation", .optional(version.operation)), ("message", .optional(version.message)),
        ])
    }
}

extension Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    var shortText: String {
        let text = description
        guard let dot = text.lastIndex(of: ".") else { return text }
        return "\(text[..<dot])\(text[dot...].prefix(4))Z"
    }
}
