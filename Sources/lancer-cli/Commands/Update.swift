import ArgumentParser
import Lancer

/// `lancer update`.
struct Update: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Give columns new values, in all rows or those a condition chooses: a new version.",
        discussion: """
            The right side of --set is an SQL expression over the row as it was: --set "price=price * 1.1" --set "note='raised'". \
            Values are converted to the column's type. Rows that change are written anew behind the others. \
            When no row is chosen, no version is made.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A column and its new value; may be repeated.", valueName: "column=expression")
    )
    var values: [NewValue]

    @OptionGroup var condition: WhereOption

    @Flag(help: "Only say how many rows would change.")
    var dryRun = false

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        let names = values.map(\.column)
        if let twice = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
            throw ValidationError("--set names \"\(twice)\" twice.")
        }
    }

    func run() async throws {
        let old = try await Dataset.open(path)
        let set = Dictionary(values.map { ($0.column, $0.expression) }) { first, _ in first }
        let change: RowChange
        if dryRun {
            change = try await old.wouldUpdate(set: set, where: condition.condition)
        } else {
            let progress = SharedProgress("updated")
            defer { progress.finish() }
            change = try await old.update(
                set: set,
                where: condition.condition,
                options: message.changeOptions
            ) { progress.advance(rows: $0, bytes: $1) }
        }
        let count = change.rowCount
        try ChangeReport(
            dataset: change.dataset,
            text: dryRun ? "\(count.counted("row")) would be updated" : "updated \(count.counted("row"))",
            members: [("updated", .count(dryRun ? 0 : count)), ("matched", .count(count))]
        ).show(json: output.json)
    }
}

/// `COLUMN=EXPRESSION`.
struct NewValue: ExpressibleByArgument {
    let column: String
    let expression: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "=") else { return nil }
        column = String(argument[..<equals].trimmingSpaces)
        expression = String(argument[argument.index(after: equals)...])
        if column.isEmpty || expression.isEmpty { return nil }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
