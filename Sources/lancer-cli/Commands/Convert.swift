import ArgumentParser
import Lancer

/// `lancer convert`.
struct Convert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Copy a table from one format to another.",
        discussion: """
            Formats go by extension: .csv .tsv .jsonl .ndjson .npy .arrow .ipc .feather .arrows .parquet .lance; a folder \
            of .parquet files (or of column=value folders of them) counts as one table, and so do several sources with the same columns; - stands for standard input or output, \
            with --from or --to. CSV and JSON are read twice, first to find the types of \
            the columns; --schema saves that. A .npy file holds one column: choose it with --columns.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Where the rows come from: one or more, read one after the other. The last path is where they go.",
            valueName: "source … destination"
        )
    )
    var paths: [String]

    @OptionGroup var output: OutputOption
    @OptionGroup var columns: ColumnsOption
    @OptionGroup var condition: WhereOption
    @OptionGroup var window: WindowOption
    @OptionGroup var version: VersionOption
    @OptionGroup var write: WriteOption
    @OptionGroup var parquet: ParquetOption
    @OptionGroup var source: SourceOption
    @OptionGroup var message: MessageOption
    @OptionGroup var json: JSONOption

    private var destination: String { paths.last ?? "" }

    func validate() throws {
        if paths.count < 2 { throw ValidationError("Name a source and a destination: lancer convert SOURCE … DEST.") }
    }

    func run() async throws {
        // What cannot be written is said before anything is read.
        let format = try DataFormat.of(destination, option: output.to, optionName: "--to")
        var options = write.writeOptions
        options.message = message.message
        options.durable = !message.noSync
        let copy = Copy(
            mode: output.chosenMode,
            options: options,
            parquet: try parquet.options(for: format)
        )
        try copy.check(destination, format)
        let batches = try await Input.open(paths.dropLast(), source, version: version.selector).batches(
            columns: columns.names,
            where: condition.condition,
            offset: window.offset,
            limit: window.limit,
            options: source
        )
        let result = try await copy.run(batches, to: destination, format)
        if destination != "-" { try result.show(json: json.json) }
    }
}
