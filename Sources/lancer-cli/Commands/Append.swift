import ArgumentParser
import Lancer

/// `lancer append`.
struct Append: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Add the rows of a file or table to a table.",
        discussion: """
            The same as lancer convert SOURCE … TABLE --mode append. The rows of several sources make one version. The \
            table keeps its file version.
            """
    )

    @Argument(help: "The Lance table that gets the rows.")
    var table: String

    @Argument(help: ArgumentHelp("Where the rows come from; - for standard input, with --from.", valueName: "source"))
    var sources: [String]

    @OptionGroup var columns: ColumnsOption
    @OptionGroup var source: SourceOption

    @Option(help: ArgumentHelp("Rows in one Lance data file at most (default 1048576).", valueName: "n"))
    var maxRowsPerFile: Int?

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if let maxRowsPerFile, maxRowsPerFile < 1 { throw ValidationError("--max-rows-per-file must be at least 1.") }
    }

    func run() async throws {
        guard DataFormat.isDataset(table) else {
            throw LanceError(
                .notFound,
                "\(table) is no Lance table; make one with: lancer convert \(sources.joined(separator: " ")) \(table)"
            )
        }
        let batches = try await Input.open(sources, source, version: nil)
            .batches(columns: columns.names, offset: 0, limit: nil, options: source)
        var options = WriteOptions()
        if let maxRowsPerFile { options.maxRowsPerFile = maxRowsPerFile }
        options.message = message.message
        options.durable = !message.noSync
        let result = try await Copy(mode: .append, options: options).toDataset(table, from: batches)
        try result.show(json: output.json)
    }
}
