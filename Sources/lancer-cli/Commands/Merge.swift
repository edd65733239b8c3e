import ArgumentParser
import Lancer

/// `lancer merge`.
struct Merge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract:
            "Bring the rows of a file or table into a table by key: update those that are there, insert the rest.",
        discussion: """
            Columns are matched by name. SOURCE needs the key columns; of others it may have some only: rows that are \
            updated keep what they have there, new rows get nulls. A null in a key matches nothing. Two rows of SOURCE \
            that match the same row of TABLE are an error if that row would change. SOURCE is kept in memory.

            --update-if sees both sides as source.NAME and target.NAME: --update-if "source.at > target.at".
            """
    )

    @Argument(help: "The Lance table that gets the rows.")
    var table: String

    @Argument(help: ArgumentHelp("Where the rows come from; - for standard input, with --from.", valueName: "source"))
    var sourcePath: String

    @Option(
        help: ArgumentHelp(
            "Key columns; a.b is a field of a struct. Without it: the primary key that the table names.",
            valueName: "a,b,…"
        )
    )
    var on: [String] = []

    @Option(help: ArgumentHelp("Rows on both sides: update (the default), delete, fail or nothing.", valueName: "what"))
    var whenMatched: Matched?

    @Option(help: ArgumentHelp("Update rows on both sides only where this is true.", valueName: "condition"))
    var updateIf: String?

    @Option(help: ArgumentHelp("Rows of the source only: insert (the default) or nothing.", valueName: "what"))
    var whenNotMatched = NotMatched.insert

    @Option(help: ArgumentHelp("Rows of the table only: keep (the default) or delete.", valueName: "what"))
    var whenNotMatchedBySource: NotMatchedBySource?

    @Option(help: ArgumentHelp("Delete rows of the table only where this is true.", valueName: "condition"))
    var deleteWhere: String?

    @Flag(help: "Only say how many rows would change.")
    var dryRun = false

    @OptionGroup var columns: ColumnsOption
    @OptionGroup var source: SourceOption

    @Option(help: ArgumentHelp("Rows in one Lance data file at most (default 1048576).", valueName: "n"))
    var maxRowsPerFile: Int?

    @Option(help: ArgumentHelp("Most memory for the rows of the source, e.g. 8GiB (default 4GiB).", valueName: "size"))
    var memory: ByteSize?

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    enum Matched: String, CaseIterable, ExpressibleByArgument {
        case update, delete, fail, nothing
    }

    enum NotMatched: String, CaseIterable, ExpressibleByArgument {
        case insert, nothing
    }

    enum NotMatchedBySource: String, CaseIterable, ExpressibleByArgument {
        case keep, delete
    }

    func validate() throws {
        if updateIf != nil, let whenMatched, whenMatched != .update {
            throw ValidationError("--update-if and --when-matched \(whenMatched.rawValue) exclude each other.")
        }
        if deleteWhere != nil, whenNotMatchedBySource == .keep {
            throw ValidationError("--delete-where and --when-not-matched-by-source keep exclude each other.")
        }
        if let maxRowsPerFile, maxRowsPerFile < 1 { throw ValidationError("--max-rows-per-file must be at least 1.") }
    }

    func run() async throws {
        guard DataFormat.isDataset(table) else {
            throw LanceError(
                .notFound,
                "\(table) is no Lance table; make one with: lancer convert \(sourcePath) \(table)"
            )
        }
        let dataset = try await Dataset.open(table)
        let batches = try await Input.open(sourcePath, source, fitting: dataset.schema)
            .batches(columns: columns.names, offset: 0, limit: nil, options: source)
        let reader = BlockingReader(batches)
        defer { reader.abandon() }
        let keys = on.flatMap { $0.split(separator: ",").map(String.init) }
        let result = try await withTaskExecutorPreference(BlockingExecutor()) {
            try await dataset.merge(
                reader,
                on: keys,
                whenMatched: matched,
                whenNotMatched: whenNotMatched == .insert ? .insertAll : .doNothing,
                whenNotMatchedBySource: notMatchedBySource,
                options: options
            )
        }
        let counts = [
            ("inserted", result.insertedRows), ("updated", result.updatedRows), ("deleted", result.deletedRows),
        ]
        let text = counts.map { "\($0.0) \($0.1.grouped)" }.joined(separator: ", ")
        try ChangeReport(
            dataset: result.dataset,
            text: dryRun ? "would have \(text) rows" : "\(text) rows",
            members: counts.map { ($0.0, .count($0.1)) }
                + [("attempts", .count(result.attempts)), ("dryRun", .bool(dryRun))]
        ).show(json: output.json)
    }

    private var matched: WhenMatched {
        if let updateIf { return .updateIf(updateIf) }
        switch whenMatched ?? .update {
        case .update: return .updateAll
        case .delete: return .delete
        case .fail: return .fail
        case .nothing: return .doNothing
        }
    }

    private var notMatchedBySource: WhenNotMatchedBySource {
        if let deleteWhere { return .deleteWhere(deleteWhere) }
        return whenNotMatchedBySource == .delete ? .delete : .keep
    }

    private var options: MergeOptions {
        var options = MergeOptions()
        if let maxRowsPerFile { options.maxRowsPerFile = maxRowsPerFile }
        if let memory { options.maxSourceBytes = Int(clamping: memory.bytes) }
        options.dryRun = dryRun
        options.message = message.message
        options.durable = !message.noSync
        return options
    }
}
