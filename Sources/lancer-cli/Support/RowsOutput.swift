import ArgumentParser
import Lancer

/// Where scan, head and take put their rows.
struct RowsOutput: ParsableArguments {
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("Write to a file or table; - with --to for a pipe.", valueName: "file")
    )
    var output: String?

    @OptionGroup var options: OutputOption
    @OptionGroup var parquet: ParquetOption
    @OptionGroup var json: JSONOption

    func validate() throws {
        if output == nil, options.mode != nil || options.overwrite {
            throw ValidationError("--mode needs -o FILE.")
        }
    }

    /// Writes all rows.
    func write(_ batches: any BatchSource, verb: String) async throws {
        if let output {
            let format = try DataFormat.of(output, option: options.to, optionName: "--to")
            let copy = Copy(
                mode: options.chosenMode,
                options: WriteOptions(),
                parquet: try parquet.options(for: format)
            )
            try copy.check(output, format)
            let result = try await copy.run(batches, to: output, format)
            if output != "-" { try result.show(json: json.json) }
        } else if let format = options.to ?? (json.json ? .jsonl : nil) {
            let copy = Copy(mode: .create, options: WriteOptions(), parquet: try parquet.options(for: format))
            try copy.check("-", format)
            _ = try await copy.run(batches, to: "-", format)
        } else {
            var source = batches
            var printer = TablePrinter(schema: source.schema, sink: standardOutput())
            while let batch = try await source.next() { try printer.write(batch) }
            try printer.finish()
        }
    }
}
