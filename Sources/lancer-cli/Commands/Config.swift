import ArgumentParser
import Lancer

/// `lancer config`.
struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show or change settings and metadata of a table.",
        discussion: """
            Without KEY=VALUE or --unset everything is shown. --table and --schema mean the table's and the schema's \
            metadata instead of the settings, --column NAME that of a column.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Argument(help: ArgumentHelp("Keys to set.", valueName: "key=value"))
    var settings: [Setting] = []

    @Option(help: ArgumentHelp("A key to remove; may be repeated.", valueName: "key"))
    var unset: [String] = []

    @Flag(help: "Metadata of the table.")
    var table = false

    @Flag(help: "Metadata of the schema.")
    var schema = false

    @Option(help: ArgumentHelp("Metadata of a column; a.b is a field of a struct.", valueName: "name"))
    var column: String?

    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if [table, schema, column != nil].filter({ $0 }).count > 1 {
            throw ValidationError("Choose one of --table, --schema and --column.")
        }
    }

    func run() async throws {
        let dataset = try await Dataset.open(path)
        var values: [String: String?] = [:]
        for key in unset { values.updateValue(nil, forKey: key) }
        for setting in settings { values[setting.key] = setting.value }
        if values.isEmpty { return try show(dataset) }
        let options = message.changeOptions
        let new: Dataset
        if table {
            new = try await dataset.updateConfig(tableMetadata: values, options: options)
        } else if schema {
            new = try await dataset.updateConfig(schemaMetadata: values, options: options)
        } else if let column {
            new = try await dataset.updateConfig(fieldMetadata: [column: values], options: options)
        } else {
            new = try await dataset.updateConfig(values, options: options)
        }
        let keys = values.keys.sorted()
        try ChangeReport(
            dataset: new,
            text: "changed \(keys.joined(separator: ", "))",
            members: [("changed", .array(keys.map { .string($0) }))]
        ).show(json: output.json)
    }

    private func show(_ dataset: Dataset) throws {
        var listing = Listing([.text("of"), .text("key"), .text("value")])
        var maps = [
            ("config", dataset.config), ("table", dataset.tableMetadata), ("schema", dataset.schema.metadata),
        ]
        maps += dataset.schema.fields.map { ("column \($0.name)", $0.metadata) }
        for (place, map) in maps where isWanted(place) {
            for (key, value) in map.sorted(by: { $0.key < $1.key }) {
                listing.add(
                    [place, key, value],
                    [("of", .string(place)), ("key", .string(key)), ("value", .string(value))]
                )
            }
        }
        try listing.show(json: output.json)
    }

    private func isWanted(_ place: String) -> Bool {
        if table { return place == "table" }
        if schema { return place == "schema" }
        return column.map { place == "column \($0)" } ?? true
    }
}

/// `KEY=VALUE`.
struct Setting: ExpressibleByArgument {
    let key: String
    let value: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        key = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}
