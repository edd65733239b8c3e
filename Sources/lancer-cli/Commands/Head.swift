import ArgumentParser
import Lancer

/// `lancer head`.
struct Head: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head",
        abstract: "Print the first rows.",
        discussion: "Without -o the rows are printed as a table, with --json as one JSON object a line."
    )

    @Argument(help: ArgumentHelp("A Lance table, or files of another format as one.", valueName: "path"))
    var paths: [String]

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("How many rows.", valueName: "n"))
    var limit = 10

    @OptionGroup var columns: ColumnsOption
    @OptionGroup var condition: WhereOption
    @OptionGroup var version: VersionOption
    @OptionGroup var source: SourceOption
    @OptionGroup var rows: RowsOutput

    func validate() throws {
        if limit < 0 { throw ValidationError("--limit must not be negative.") }
    }

    func run() async throws {
        let batches = try await Input.open(paths, source, version: version.selector).batches(
            columns: columns.names,
            where: condition.condition,
            offset: 0,
            limit: limit,
            options: source
        )
        try await rows.write(batches, verb: "read")
    }
}
