import ArgumentParser
import Lancer

/// `lancer index`.
struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Indices of vectors: create, list, measure, optimize and drop them.",
        subcommands: [IndexCreate.self, List.self, IndexStats.self, IndexOptimize.self, Drop.self]
    )

    /// `lancer index list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the indices, of all kinds, with the rows they cover."
        )

        @Argument(help: "A Lance table.")
        var path: String

        @OptionGroup var version: VersionOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let dataset = try await Dataset.open(path, at: version.selector ?? .latest)
            try IndexListing.of(try await dataset.indices()).show(json: output.json)
        }
    }

    /// `lancer index drop`.
    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop",
            abstract: "Remove an index. Its files stay until a cleanup removes the versions that have it."
        )

        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: "Name of the index.")
        var name: String

        @OptionGroup var message: MessageOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let new = try await Dataset.open(path).dropIndex(name, options: message.changeOptions)
            try ChangeReport(
                dataset: new,
                text: "dropped index \(name)",
                members: [("dropped", .string(name))]
            ).show(json: output.json)
        }
    }
}
