import ArgumentParser
import Lancer

/// `lancer compact`.
struct Compact: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Merge small fragments and drop deleted rows from the files: a new version with the same rows.",
        discussion: """
            Rows keep their order. In a table with indices, rows written anew move to the end and are not covered by the \
            indices until those are optimized. The old files stay until a cleanup removes the versions that need them.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Option(help: ArgumentHelp("Rows a fragment should have (default 1048576).", valueName: "n"))
    var targetRows: Int?

    @Option(
        help: ArgumentHelp("Write fragments anew with more than this share of deleted rows (0.1).", valueName: "share")
    )
    var deletedShare: Double?

    @Flag(help: "Only say how many fragments would be written anew.")
    var dryRun = false

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func run() async throws {
        var options = CompactionOptions()
        if let targetRows { options.targetRows = targetRows }
        if let deletedShare { options.deletedShare = deletedShare }
        options.message = message.message
        let old = try await Dataset.open(path)
        let chosen = try await old.fragmentsToCompact(options)
        let new = dryRun ? old : try await old.compact(options)
        let text =
            dryRun
            ? "\(chosen.grouped) of \(old.fragmentCount.grouped) fragments would be written anew"
            : "\(old.fragmentCount.grouped) fragments became \(new.fragmentCount.grouped)"
        try ChangeReport(
            dataset: new,
            text: text,
            members: [
                ("chosen", .count(chosen)), ("fragmentsBefore", .count(old.fragmentCount)),
                ("fragments", .count(new.fragmentCount)),
            ]
        ).show(json: output.json)
    }
}
