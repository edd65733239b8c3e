import ArgumentParser
import Lancer

/// `lancer cleanup`.
struct Cleanup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Remove old versions and files that no version needs.",
        discussion: """
            Says what would be removed; with --yes it is removed. The latest version and tagged ones stay. With both \
            --older-than and --keep a version goes only if both allow it. Files that no version names go once they are \
            seven days old: a commit under way may be about to name younger ones.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Option(help: ArgumentHelp("Remove versions older than this: 90s, 30m, 12h, 7d.", valueName: "age"))
    var olderThan: Age?

    @Option(help: ArgumentHelp("Keep the newest versions.", valueName: "n"))
    var keep: Int?

    @Option(
        help: ArgumentHelp("Remove files that no version names when older than this (default 7d).", valueName: "age")
    )
    var orphansOlderThan: Age?

    @Flag(help: "Only say what would be removed (the default).")
    var dryRun = false

    @Flag(help: "Remove it.")
    var yes = false

    @OptionGroup var output: JSONOption

    func validate() throws {
        if dryRun, yes { throw ValidationError("--dry-run and --yes exclude each other.") }
        if let keep, keep < 1 { throw ValidationError("--keep must be at least 1.") }
    }

    func run() async throws {
        var options = CleanupOptions()
        options.olderThan = olderThan?.duration
        options.versionsKept = keep
        if let orphansOlderThan { options.orphansOlderThan = orphansOlderThan.duration }
        options.dryRun = !yes
        let report = try await Dataset.open(path).cleanup(options)
        let out = standardOutput()
        if output.json {
            let json = JSONText.object([
                ("dryRun", .bool(!yes)), ("versions", .array(report.versions.map { .unsigned($0) })),
                ("keptVersions", .array(report.keptVersions.map { .unsigned($0) })),
                ("files", .count(report.fileCount)), ("orphans", .count(report.orphanCount)),
                ("bytes", .unsigned(report.sizeInBytes)), ("paths", .array(report.paths.map { .string($0) })),
            ])
            try out.write("\(json.line)\n")
        } else {
            let verb = yes ? "removed" : "would remove"
            try out.write(
                "\(verb) \(report.versions.count.counted("version")), \(report.fileCount.counted("file")) of theirs, "
                    + "\(report.orphanCount.counted("file")) of no version; \(report.sizeInBytes.grouped) bytes\n"
            )
            if !report.keptVersions.isEmpty {
                let kept = report.keptVersions.map { "\($0)" }.joined(separator: ", ")
                try out.write("kept for tags and branches: version \(kept)\n")
            }
            if !yes, !report.paths.isEmpty { try out.write("run again with --yes to remove them\n") }
        }
        try out.flush()
    }
}

/// A span of time: `90s`, `30m`, `12h`, `7d`, `2w`.
struct Age: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int64(argument.dropLast()), number >= 0,
            number < 1_000_000_000
        else { return nil }
        duration = .seconds(number * unit)
    }
}
