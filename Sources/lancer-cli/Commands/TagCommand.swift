import ArgumentParser
import Lancer

/// `lancer tag`.
struct TagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag",
        abstract: "Name versions: list, create, move and delete tags.",
        subcommands: [List.self, Create.self, Move.self, Delete.self],
        defaultSubcommand: nil
    )

    /// `lancer tag list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the tags by name.")

        @Argument(help: "A Lance table.")
        var path: String

        @OptionGroup var output: JSONOption

        func run() async throws {
            let tags = try await Dataset.open(path).tags()
            var listing = Listing([.text("tag"), .number("version"), .text("branch"), .text("updated")])
            for tag in tags {
                listing.add(
                    [tag.name, "\(tag.version)", tag.branch ?? "", tag.updatedAt ?? ""],
                    [
                        ("tag", .string(tag.name)), ("version", .unsigned(tag.version)),
                        ("branch", .optional(tag.branch)), ("createdAt", .optional(tag.createdAt)),
                        ("updatedAt", .optional(tag.updatedAt)),
                    ]
                )
            }
            try listing.show(json: output.json)
        }
    }

    /// `lancer tag create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Name a version. A cleanup keeps it."
        )

        @OptionGroup var target: Target

        func run() async throws {
            let dataset = try await target.dataset()
            try await dataset.createTag(target.name)
            try target.report("made", dataset.version)
        }
    }

    /// `lancer tag move`.
    struct Move: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "move",
            abstract: "Make a tag name another version."
        )

        @OptionGroup var target: Target

        func run() async throws {
            let dataset = try await target.dataset()
            try await dataset.moveTag(target.name)
            try target.report("moved", dataset.version)
        }
    }

    /// `lancer tag delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Remove a tag. The version stays until a cleanup removes it."
        )

        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: "The tag.")
        var name: String

        @OptionGroup var output: JSONOption

        func run() async throws {
            try await Dataset.open(path).deleteTag(name)
            let out = standardOutput()
            let json = JSONText.object([("tag", .string(name)), ("deleted", .bool(true))])
            try out.write(output.json ? "\(json.line)\n" : "tag \(name.visible) deleted\n")
            try out.flush()
        }
    }

    /// The tag and the version it shall name.
    struct Target: ParsableArguments {
        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: "The tag: letters, digits, \"-\", \"_\", \".\".")
        var name: String

        @Argument(help: "Number of the version (default: the latest).")
        var version: UInt64?

        @OptionGroup var output: JSONOption

        func dataset() async throws -> Dataset {
            try await Dataset.open(path, at: version.map { .version($0) } ?? .latest)
        }

        func report(_ verb: String, _ version: UInt64) throws {
            let out = standardOutput()
            let json = JSONText.object([("tag", .string(name)), ("version", .unsigned(version))])
            try out.write(output.json ? "\(json.line)\n" : "tag \(name.visible) \(verb): version \(version)\n")
            try out.flush()
        }
    }
}
