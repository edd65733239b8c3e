import ArgumentParser
import Lancer

/// `lancer index optimize`.
struct IndexOptimize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "optimize",
        abstract: "Take rows into the indices that were added since they were made.",
        discussion: """
            Without options the new rows get a segment of their own, which is quick; --merge N makes one of them and the \
            newest N segments, --retrain one of all rows with new centroids and codes.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Argument(help: "Names of the indices (default: all of vectors).")
    var names: [String] = []

    @Option(help: ArgumentHelp("Make one segment of the new rows and the newest n segments.", valueName: "n"))
    var merge: Int?

    @Flag(help: "Train each index anew on all rows.")
    var retrain = false

    @OptionGroup var build: IndexBuildOption
    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if merge != nil, retrain { throw ValidationError("--merge and --retrain exclude each other.") }
        if let merge, merge < 0 { throw ValidationError("--merge must not be negative.") }
    }

    func run() async throws {
        var options = OptimizeIndexOptions(retrain ? .retrain : merge.map { .merge($0) } ?? .append)
        options.names = names.isEmpty ? nil : names
        options.memoryLimit = build.memoryLimit
        options.threads = build.threads
        options.seed = build.seed
        options.durable = !message.noSync
        options.message = message.message
        let dataset = try await Dataset.open(path)
        let progress = IndexProgressLine(build.progress)
        defer { progress.finish() }
        let result = try await Interruption.cancelling { [options] in
            try await dataset.optimizeIndices(options) { progress.show($0) }
        }
        progress.finish()
        try show(result)
    }

    private func show(_ result: IndexOptimizationResult) throws {
        let parts = result.indices.map { index in
            switch index.action {
            case .nothing: "\(index.name): nothing to do"
            case .skipped: "\(index.name): left as it is (\(index.note ?? ""))"
            case .appended: "\(index.name): new segment of \(index.rowCount.counted("row"))"
            case .merged: "\(index.name): merged, \(index.rowCount.counted("row"))"
            case .trained: "\(index.name): trained on \(index.rowCount.counted("row"))"
            }
        }
        try ChangeReport(
            dataset: result.dataset,
            text: parts.isEmpty ? "the table has no indices" : parts.joined(separator: "; "),
            members: [
                (
                    "indices",
                    .array(
                        result.indices.map { index in
                            .object([
                                ("name", .string(index.name)), ("action", .string(index.action.rawValue)),
                                ("rows", .count(index.rowCount)), ("note", .optional(index.note)),
                            ])
                        }
                    )
                )
            ]
        ).show(json: output.json)
    }
}
