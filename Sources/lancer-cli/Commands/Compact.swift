import ArgumentParser
import Lancer

/// `lancer compact`.
struct Compact: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compact",
        abstract: "Merge small fragments and drop deleted rows from the files: a new version with the same rows.",
        discussion: """
            Rows keep their order, and indices of vectors go on covering them. In a table with other indices, rows \
            written anew move to the end and are not covered by those until they are optimized. The old files stay until \
            a cleanup removes the versions that need them.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Option(help: ArgumentHelp("Rows a fragment should have (default 1048576).", valueName: "n"))
    var targetRows: Int?

    @Option(help: ArgumentHelp("Size a fragment's files should have: 64MB, 1GiB, a number.", valueName: "size"))
    var targetBytes: ByteSize?

    @Option(
        help: ArgumentHelp("Write fragments anew with more than this share of deleted rows (0.1).", valueName: "share")
    )
    var deletedShare: Double?

    @Flag(help: "Only say how many fragments would be written anew.")
    var dryRun = false

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if let targetRows, targetRows < 1 { throw ValidationError("--target-rows must be at least 1.") }
        if let deletedShare, !(0...1).contains(deletedShare) {
            throw ValidationError("--deleted-share is a number from 0 to 1.")
        }
    }

    func run() async throws {
        var options = CompactionOptions()
        if let targetRows { options.targetRows = targetRows }
        if let deletedShare { options.deletedShare = deletedShare }
        options.targetBytes = targetBytes?.bytes
        options.message = message.message
        options.durable = !message.noSync
        let old = try await Dataset.open(path)
        let chosen = try await old.fragmentsToCompact(options)
        let new = dryRun ? old : try await compact(old, options)
        let text =
            dryRun
            ? "\(chosen.grouped) of \(old.fragmentCount.counted("fragment")) would be written anew"
            : "\(old.fragmentCount.counted("fragment")) became \(new.fragmentCount.grouped)"
        try ChangeReport(
            dataset: new,
            text: text,
            members: [
                ("chosen", .count(chosen)), ("fragmentsBefore", .count(old.fragmentCount)),
                ("fragments", .count(new.fragmentCount)),
            ]
        ).show(json: output.json)
    }

    private func compact(_ dataset: Dataset, _ options: CompactionOptions) async throws -> Dataset {
        let progress = SharedProgress("compacted")
        defer { progress.finish() }
        return try await dataset.compact(options) { progress.advance(rows: $0, bytes: $1) }
    }
}

/// A number of bytes: `1000`, `64KB`, `8MiB`, `1GB`.
struct ByteSize: ExpressibleByArgument {
    let bytes: UInt64

    init?(argument: String) {
        let units: [(String, UInt64)] = [
            ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40), ("kb", 1000), ("mb", 1_000_000),
            ("gb", 1_000_000_000), ("tb", 1_000_000_000_000), ("b", 1),
        ]
        let text = argument.lowercased()
        let unit = units.first { text.hasSuffix($0.0) }
        let (number, overflow) = (UInt64(text.dropLast(unit?.0.count ?? 0)) ?? 0)
            .multipliedReportingOverflow(by: unit?.1 ?? 1)
        guard number > 0, !overflow else { return nil }
        bytes = number
    }
}
