import ArgumentParser
import Lancer

/// `lancer delete`.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete rows: a new version without them. Older versions keep them."
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Option(help: ArgumentHelp("Row numbers as scan gives them, from 0: 0,5,10-20.", valueName: "rows"))
    var rows: String

    @Flag(help: "Only say how many rows would go.")
    var dryRun = false

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func run() async throws {
        let rows = Set(try RowSelection.parse(rows)).sorted()
        let old = try await Dataset.open(path)
        let before = try await old.countRows()
        if let last = rows.last, last >= before {
            throw LanceError(.invalidArgument, "row \(last) is asked for, the table has \(before.grouped) rows")
        }
        let new = dryRun ? old : try await old.delete(rows: rows, options: message.changeOptions)
        try ChangeReport(
            dataset: new,
            text: dryRun ? "\(rows.count.grouped) rows would be deleted" : "deleted \(rows.count.grouped) rows",
            members: [("deleted", .count(dryRun ? 0 : rows.count)), ("matched", .count(rows.count))]
        ).show(json: output.json)
    }
}
