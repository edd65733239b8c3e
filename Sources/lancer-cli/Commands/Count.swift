import ArgumentParser
import Lancer

/// `lancer count`.
struct Count: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Print the number of rows, all or those a condition chooses."
    )

    @Argument(help: ArgumentHelp("A Lance table, or files of another format.", valueName: "path"))
    var paths: [String]

    @OptionGroup var condition: WhereOption
    @OptionGroup var version: VersionOption
    @OptionGroup var source: SourceOption
    @OptionGroup var output: JSONOption

    func run() async throws {
        let rows = try await Input.open(paths, source, version: version.selector).rowCount(where: condition.condition)
        let out = standardOutput()
        try out.write(output.json ? "{\"rows\":\(rows)}\n" : "\(rows)\n")
        try out.flush()
    }
}
