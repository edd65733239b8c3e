import LancerBytes
import LancerProto
import SwiftProtobuf

/// Keys of a map that are set or removed.
package struct MapChange: Sendable, Hashable {
    /// New values; nil removes the key.
    package var values: [String: String?]
    /// Whether all keys that are not in ``values`` go.
    package var replaces: Bool

    package init(_ values: [String: String?] = [:], replaces: Bool = false) {
        self.values = values
        self.replaces = replaces
    }

    init(_ message: Lance_Table_Transaction.UpdateMap) {
        values = [:]
        for entry in message.updateEntries { values.updateValue(entry.hasValue ? entry.value : nil, forKey: entry.key) }
        replaces = message.replace
    }

    /// Whether there is anything to do.
    package var isAny: Bool { replaces || !values.isEmpty }

    func apply(to map: inout [String: String]) {
        if replaces { map = [:] }
        for (key, value) in values { map[key] = value }
    }

    /// Whether both change a key; a replacement changes all.
    func collides(with other: MapChange) -> Bool {
        if replaces { return other.isAny }
        if other.replaces { return isAny }
        return values.keys.contains { other.values.keys.contains($0) }
    }

    var message: Lance_Table_Transaction.UpdateMap {
        .with {
            $0.updateEntries = values.sorted { $0.key < $1.key }.map { key, value in
                .with {
                    $0.key = key
                    if let value { $0.value = value }
                }
            }
            $0.replace = replaces
        }
    }
}

/// Changes of a table's config and metadata.
package struct ConfigChange: Sendable, Hashable {
    /// Settings of the table, such as `lance.auto_cleanup.interval`.
    package var config = MapChange()
    /// Facts about the table.
    package var tableMetadata = MapChange()
    /// Metadata of the schema, which Arrow sees.
    package var schemaMetadata = MapChange()
    /// Metadata of fields by id, which Arrow sees.
    package var fieldMetadata: [Int32: MapChange] = [:]

    package init() {}

    init(_ message: Lance_Table_Transaction.UpdateConfig) {
        if message.hasConfigUpdates { config = MapChange(message.configUpdates) }
        if message.hasTableMetadataUpdates { tableMetadata = MapChange(message.tableMetadataUpdates) }
        if message.hasSchemaMetadataUpdates { schemaMetadata = MapChange(message.schemaMetadataUpdates) }
        fieldMetadata = message.fieldMetadataUpdates.mapValues { MapChange($0) }
    }

    /// Whether metadata of the schema or of fields is changed.
    var touchesSchema: Bool { schemaMetadata.isAny || !fieldMetadata.isEmpty }

    var message: Lance_Table_Transaction.UpdateConfig {
        .with {
            if config.isAny { $0.configUpdates = config.message }
            if tableMetadata.isAny { $0.tableMetadataUpdates = tableMetadata.message }
            if schemaMetadata.isAny { $0.schemaMetadataUpdates = schemaMetadata.message }
            $0.fieldMetadataUpdates = fieldMetadata.mapValues(\.message)
        }
    }
}
