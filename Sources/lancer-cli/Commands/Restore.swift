import ArgumentParser
import Lancer

/// `lancer restore`.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make an older version the latest again.",
        discussion: """
            A new version is made with the schema, rows and config of the old one; the versions in between stay. Name the \
            version by number, or with --tag or --as-of.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Argument(help: "Number of the version.")
    var number: UInt64?

    @OptionGroup var version: VersionOption
    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if (number == nil) == (version.selector == nil) {
            throw ValidationError("Name one version: a number, --tag or --as-of.")
        }
    }

    func run() async throws {
        let old = try await Dataset.open(path, at: number.map { .version($0) } ?? version.selector ?? .latest)
        let new = try await old.restore(options: message.changeOptions)
        try ChangeReport(
            dataset: new,
            text: "restored version \(old.version)",
            members: [("restored", .unsigned(old.version))]
        ).show(json: output.json)
    }
}
