import ArgumentParser
import Lancer
import LancerInterchange

extension Columns {
    /// `lancer columns add`.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add columns: computed from the others, of nulls, or from a file with as many rows.",
            discussion: """
                lancer columns add T "mb=bytes / 1000000" "upper=upper(name)"
                lancer columns add T --null "score: float64" --null "tags: list<string>"
                lancer columns add T --from scores.csv -c score

                Columns of nulls take no space; types are those of --schema of convert. The rows of a file (csv, tsv, \
                jsonl, npy, arrow, parquet, or another table) belong to the table's rows in order. Data files that are \
                there already stay as they are.
                """
        )

        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: ArgumentHelp("New columns and the SQL expressions of their values.", valueName: "name=expr"))
        var expressions: [ColumnExpression] = []

        @Option(name: .customLong("null"), help: ArgumentHelp("A new column of nulls.", valueName: "name: type"))
        var nullColumns: [String] = []

        @Option(help: ArgumentHelp("A file or table with the new columns; - for standard input.", valueName: "source"))
        var from: String?

        @Option(help: ArgumentHelp("Format of the file, when the extension does not say.", valueName: "format"))
        var format: DataFormat?

        @Option(
            help: ArgumentHelp("Columns and types of a CSV, TSV or JSON file instead of guessing.", valueName: "text")
        )
        var schema: String?

        @OptionGroup var columns: ColumnsOption
        @OptionGroup var message: MessageOption
        @OptionGroup var output: JSONOption

        func validate() throws {
            if expressions.isEmpty, nullColumns.isEmpty, from == nil {
                throw ValidationError(
                    "Name at least one column, e.g. \"twice=x * 2\", --null \"score: float64\" or --from FILE."
                )
            }
            if from != nil, !expressions.isEmpty || !nullColumns.isEmpty {
                throw ValidationError("Columns of --from are added by themselves; use two commands.")
            }
            if from == nil, columns.names != nil || format != nil || schema != nil {
                throw ValidationError("--columns, --format and --schema are about the file of --from.")
            }
        }

        func run() async throws {
            let progress = SharedProgress("added")
            defer { progress.finish() }
            let dataset = try await Dataset.open(path)
            let new: Dataset
            if let from {
                new = try await add(from, to: dataset, progress)
            } else {
                new = try await compute(dataset, progress)
            }
            let names = new.schema.fields.dropFirst(dataset.schema.fields.count).map(\.name)
            try ChangeReport(
                dataset: new,
                text: "added \(names.joined(separator: ", "))",
                members: [("added", .array(names.map { .string($0) }))]
            ).show(json: output.json)
        }

        private func compute(_ dataset: Dataset, _ progress: SharedProgress) async throws -> Dataset {
            var new = expressions.map { NewColumn.expression($0.name, $0.expression) }
            if !nullColumns.isEmpty {
                new += try SchemaText.parse(nullColumns.joined(separator: ", ")).fields.map { .null($0) }
            }
            return try await dataset.addColumns(new, options: message.changeOptions) {
                progress.advance(rows: $0, bytes: $1)
            }
        }

        private func add(_ file: String, to dataset: Dataset, _ progress: SharedProgress) async throws -> Dataset {
            var source = try SourceOption.parse([])
            source.from = format
            source.schema = schema
            let batches = try await Input.open(file, source, version: nil)
                .batches(columns: columns.names, offset: 0, limit: nil)
            let reader = BlockingReader(batches)
            defer { reader.abandon() }
            let options = message.changeOptions
            return try await withTaskExecutorPreference(BlockingExecutor()) {
                try await dataset.addColumns(from: reader, options: options) {
                    progress.advance(rows: $0, bytes: $1)
                }
            }
        }
    }

    /// `lancer columns retype`.
    struct Retype: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retype",
            abstract: "Change the type of a column, or of a field of a struct (a.b), by the rules of CAST.",
            discussion: """
                lancer columns retype T id int32

                The values are written into new data files. A value that does not fit is an error, and nothing changes.
                """,
            aliases: ["cast"]
        )

        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: "The column.")
        var name: String

        @Argument(help: "Its new type, as in --schema of convert: int32, string, timestamp[us], list<float32> ….")
        var type: String

        @OptionGroup var message: MessageOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            guard let type = try SchemaText.parse("x: \(type)").fields.first?.type else {
                throw ValidationError("\(type) is no type.")
            }
            let progress = SharedProgress("converted")
            defer { progress.finish() }
            let new = try await Dataset.open(path).castColumn(name, to: type, options: message.changeOptions) {
                progress.advance(rows: $0, bytes: $1)
            }
            try ChangeReport(
                dataset: new,
                text: "\(name) is \(type) now",
                members: [("column", .string(name)), ("type", .string("\(type)"))]
            ).show(json: output.json)
        }
    }
}

/// `NAME=EXPR`.
struct ColumnExpression: ExpressibleByArgument {
    let name: String
    let expression: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        name = argument[..<equals].trimmed
        expression = String(argument[argument.index(after: equals)...])
        if name.isEmpty { return nil }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
