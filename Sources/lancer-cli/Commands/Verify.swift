import ArgumentParser
import Lancer

/// `lancer verify`.
struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a whole table: every version and every file.",
        discussion: """
            Checks manifests and transactions of all versions, that every file they name is there with its size, page \
            tables, checksums (files written by Lancer have them), deletion files, row ids, indices and tags. Files that \
            no version names are listed, but are no finding. Exits with status 1 when something is wrong.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Flag(help: "Decode every page, too.")
    var deep = false

    @OptionGroup var output: JSONOption

    func run() async throws {
        let report = try await Dataset.verify(path, deep: deep)
        let out = standardOutput()
        if output.json {
            try out.write("\(report.json(path: path).line)\n")
        } else {
            for line in report.lines(path: path, deep: deep) { try out.write("\(line.visible)\n") }
        }
        try out.flush()
        if !report.isClean { throw ExitCode(ExitStatus.findings.rawValue) }
    }
}

/// `lancer repair`.
struct Repair: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Make a damaged table usable again; says what it would do unless --yes is given.",
        discussion: """
            Falls back to the last good version when newer manifests are damaged (they are moved to _damaged), and leaves \
            fragments and indices that cannot be read out of a new version. Nothing is removed: older versions stay as \
            they are.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Flag(help: "Do it.")
    var yes = false

    @Flag(help: "Only say what would be done (the default).")
    var dryRun = false

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if yes, dryRun { throw ValidationError("--yes and --dry-run exclude each other.") }
    }

    func run() async throws {
        let report = try await Dataset.repair(path, dryRun: !yes, options: message.changeOptions)
        let out = standardOutput()
        if output.json {
            try out.write("\(report.json(path: path).line)\n")
        } else {
            for line in report.lines { try out.write("\(line.visible)\n") }
        }
        try out.flush()
    }
}
