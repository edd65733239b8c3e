import LancerArrow
import LancerBytes
import LancerFile
import LancerTable

extension Dataset {
    /// Settings of the table, such as `lance.auto_cleanup.interval`.
    public var config: [String: String] { table.manifest.config }

    /// What was noted about the table.
    public var tableMetadata: [String: String] { table.manifest.tableMetadata }

    /// Sets and removes keys; other keys stay.
    ///
    /// Metadata of the schema and of fields is what Arrow readers see beside the columns.
    ///
    /// - Parameters:
    ///   - config: Settings; nil removes a key.
    ///   - tableMetadata: Facts about the table.
    ///   - schemaMetadata: Metadata of the schema.
    ///   - fieldMetadata: Metadata of columns, by name or dotted path.
    /// - Returns: The new version, with what other writers committed since this one.
    /// - Throws: `conflict` when another writer changed one of the keys meanwhile, `notFound` for a column that does not
    ///   exist, `invalidArgument`, `io`.
    public func updateConfig(
        _ config: [String: String?] = [:],
        tableMetadata: [String: String?] = [:],
        schemaMetadata: [String: String?] = [:],
        fieldMetadata: [String: [String: String?]] = [:],
        options: ChangeOptions = ChangeOptions()
    ) async throws -> Dataset {
        var change = ConfigChange()
        change.config = MapChange(config)
        change.tableMetadata = MapChange(tableMetadata)
        change.schemaMetadata = MapChange(schemaMetadata)
        for (column, values) in fieldMetadata where !values.isEmpty {
            change.fieldMetadata[try table.field(at: column).id] = MapChange(values)
        }
        if change == ConfigChange() { return self }
        let table = try await writable(options).updateConfig(change, commitMessage: options.message)
        return try Dataset(path: path, table: table)
    }
}
