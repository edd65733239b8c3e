import ArgumentParser
import Lancer
import LancerInterchange

/// `lancer columns`.
struct Columns: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "columns",
        abstract: "Change the columns of a table: add, drop, rename, retype, nullable.",
        subcommands: [Add.self, Drop.self, Rename.self, Retype.self, Nullable.self]
    )

    /// `lancer columns drop`.
    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop",
            abstract: "Drop columns, or fields of structs (a.b). Older versions keep them."
        )

        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: "The columns.")
        var names: [String]

        @OptionGroup var message: MessageOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let new = try await Dataset.open(path).dropColumns(names, options: message.changeOptions)
            try ChangeReport(
                dataset: new,
                text: "dropped \(names.joined(separator: ", "))",
                members: [("dropped", .array(names.map { .string($0) }))]
            ).show(json: output.json)
        }
    }

    /// `lancer columns rename`.
    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rename",
            abstract: "Rename a column, or a field of a struct (a.b)."
        )

        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: "The column.")
        var old: String

        @Argument(help: "Its new name; of a field of a struct only the last part.")
        var new: String

        @OptionGroup var message: MessageOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let dataset = try await Dataset.open(path).renameColumn(old, to: new, options: message.changeOptions)
            try ChangeReport(
                dataset: dataset,
                text: "renamed \(old) to \(new)",
                members: [("from", .string(old)), ("to", .string(new))]
            ).show(json: output.json)
        }
    }

    /// `lancer columns nullable`.
    struct Nullable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "nullable",
            abstract: "Allow nulls in a column, or forbid them (the column is read to see that it has none)."
        )

        @Argument(help: "A Lance table.")
        var path: String

        @Argument(help: "The column.")
        var name: String

        @Argument(help: "yes or no.")
        var allowed: YesNo

        @OptionGroup var message: MessageOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let isAllowed = allowed == .yes
            let new = try await Dataset.open(path).setNullable(name, isAllowed, options: message.changeOptions)
            try ChangeReport(
                dataset: new,
                text: "\(name) \(isAllowed ? "may" : "must not") be null",
                members: [("column", .string(name)), ("nullable", .bool(isAllowed))]
            ).show(json: output.json)
        }
    }

    /// `yes` or `no`.
    enum YesNo: String, ExpressibleByArgument, CaseIterable {
        case yes, no
    }
}
