import ArgumentParser
import Lancer

/// `lancer scan`.
struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Print or copy rows in order.",
        discussion: "Without -o the rows are printed as a table, with --json as one JSON object a line."
    )

    @Argument(help: ArgumentHelp("A Lance table, or files of another format as one.", valueName: "path"))
    var paths: [String]

    @OptionGroup var columns: ColumnsOption
    @OptionGroup var condition: WhereOption
    @OptionGroup var window: WindowOption
    @OptionGroup var version: VersionOption
    @OptionGroup var source: SourceOption
    @OptionGroup var rows: RowsOutput

    func run() async throws {
        let batches = try await Input.open(paths, source, version: version.selector).batches(
            columns: columns.names,
            where: condition.condition,
            offset: window.offset,
            limit: window.limit,
            options: source
        )
        try await rows.write(batches, verb: "scanned")
    }
}
