import ArgumentParser
import Lancer

/// `lancer take`.
struct Take: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "take",
        abstract: "Print or copy rows by number.",
        discussion: """
            Row 0 is the first row that scan gives; deleted rows have no number. The order given is kept, repeats are \
            allowed. Without -o the rows are printed as a table, with --json as one JSON object a line.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Option(help: ArgumentHelp("Row numbers and ranges, both ends included: 0,5,10-20.", valueName: "rows"))
    var rows: String

    @OptionGroup var columns: ColumnsOption
    @OptionGroup var version: VersionOption
    @OptionGroup var output: RowsOutput

    func run() async throws {
        let selection = try RowSelection.parse(rows)
        guard try DataFormat.of(path, option: nil, optionName: "an extension") == .lance else {
            throw LanceError(
                .invalidArgument,
                "\(path) is no Lance table; take needs one: lancer convert \(path) DIR.lance"
            )
        }
        let dataset = try await Dataset.open(path, at: version.selector ?? .latest)
        let batch = try await dataset.take(selection, columns: columns.names)
        try await output.write(SingleBatch(batch), verb: "took")
    }
}
