import ArgumentParser
import Lancer

/// `lancer diff`.
struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what differs between two versions of a table: columns, and with --key rows.",
        discussion: """
            lancer diff T 3 7 --key id
            lancer diff T release-1 latest --key region,day --json

            A version is a number, the name of a tag, a moment (2026-11-21T10:15:30Z) or "latest". Rows belong together \
            when they have the same key, wherever they are; + is only in the second version, - only in the first, ~ is in \
            both with other values. With --json every difference is an object, and the last one has the counts.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Argument(help: "The older version.")
    var old: VersionName

    @Argument(help: "The newer version (default: the latest).")
    var new: VersionName = VersionName(selector: .latest)

    @Option(help: ArgumentHelp("Columns that together tell rows apart.", valueName: "a,b,…"))
    var key: [String] = []

    @Option(help: ArgumentHelp("Most rows of each kind that are shown (default 20; all with --json).", valueName: "n"))
    var limit: Int?

    @OptionGroup var output: JSONOption

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
    }

    func run() async throws {
        let before = try await Dataset.open(path, at: old.selector)
        let after = try await Dataset.open(path, at: new.selector)
        let names = key.flatMap { $0.split(separator: ",").map(String.init) }
        let report = DiffReport(json: output.json, limit: limit ?? (output.json ? .max : 20), key: names)
        try report.begin(before, after)
        let columns = before.columnChanges(to: after)
        for change in columns { try report.show(change) }
        var counts: RowDifferenceCounts?
        if !names.isEmpty {
            counts = try await before.rowChanges(to: after, key: names) { try report.show($0) }
        }
        let rows = (try await before.countRows(), try await after.countRows())
        try report.finish(before, after, columns.count, counts, rows: rows)
    }
}

/// A version as people name it.
struct VersionName: ExpressibleByArgument {
    let selector: VersionSelector

    init(selector: VersionSelector) { self.selector = selector }

    init?(argument: String) {
        if argument.isEmpty { return nil }
        if argument == "latest" {
            selector = .latest
        } else if let number = UInt64(argument) {
            selector = .version(number)
        } else if let moment = Moment(argument: argument) {
            selector = .asOf(moment.time)
        } else {
            selector = .tag(argument)
        }
    }
}
