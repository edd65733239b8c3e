import ArgumentParser
import Lancer

/// `lancer delete`.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete rows: a new version without them. Older versions keep them.",
        discussion: """
            --where takes an SQL condition; rows for which it is false or null stay: "age > 30 AND name IS NOT NULL". \
            When no row is chosen, no version is made.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @OptionGroup var condition: WhereOption

    @Option(help: ArgumentHelp("Row numbers as scan gives them, from 0: 0,5,10-20.", valueName: "rows"))
    var rows: String?

    @Flag(help: "Only say how many rows would go.")
    var dryRun = false

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if (rows == nil) == (condition.condition == nil) {
            throw ValidationError("Say which rows, with one of --where and --rows; --where true means all.")
        }
    }

    func run() async throws {
        if let rows { try await delete(rows: rows) }
        if let condition = condition.condition { try await delete(where: condition) }
    }

    private func delete(where condition: String) async throws {
        let old = try await Dataset.open(path)
        if dryRun { return try show(old, deleted: 0, matched: try await old.countRows(where: condition)) }
        let change = try await old.delete(where: condition, options: message.changeOptions)
        try show(change.dataset, deleted: change.rowCount, matched: change.rowCount)
    }

    private func delete(rows: String) async throws {
        let rows = Set(try RowSelection.parse(rows)).sorted()
        let old = try await Dataset.open(path)
        let before = try await old.countRows()
        if let last = rows.last, last >= before {
            throw LanceError(.invalidArgument, "row \(last) is asked for, the table has \(before.counted("row"))")
        }
        let new = dryRun ? old : try await old.delete(rows: rows, options: message.changeOptions)
        try show(new, deleted: dryRun ? 0 : rows.count, matched: rows.count)
    }

    private func show(_ dataset: Dataset, deleted: Int, matched: Int) throws {
        try ChangeReport(
            dataset: dataset,
            text: dryRun ? "\(matched.counted("row")) would be deleted" : "deleted \(matched.counted("row"))",
            members: [("deleted", .count(deleted)), ("matched", .count(matched))]
        ).show(json: output.json)
    }
}
