import Lancer
import LancerFile

/// A schema as an indented tree with field ids, or as nested JSON.
struct SchemaReport {
    let schema: LanceSchema

    func show(json: Bool) throws {
        let out = standardOutput()
        if json {
            let members: [(String, JSONText)] = [
                ("fields", .array(schema.fields.map { Self.json($0) })), ("metadata", Self.json(schema.metadata)),
            ]
            try out.write("\(JSONText.object(members).line)\n")
        } else {
            var table = TextTable([.number("id"), .text("name"), .text("type"), .text("nullable"), .text("metadata")])
            for field in schema.fields { Self.add(field, depth: 0, to: &table) }
            if !table.rows.contains(where: { !$0[4].isEmpty }) { table.columns.removeLast() }
            for line in table.lines(cutsCells: Terminal.width != nil) { try out.write("\(line)\n") }
            for (key, value) in schema.metadata.sorted(by: { $0.key < $1.key }) {
                try out.write("metadata \(key.visible) = \(value.visible.cut(to: 200).text)\n")
            }
        }
        try out.flush()
    }

    private static func add(_ field: LanceField, depth: Int, to table: inout TextTable) {
        let indent = String(repeating: "  ", count: depth)
        let metadata = field.metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        table.rows.append(
            ["\(field.id)", indent + field.name, field.logicalType, field.nullable ? "yes" : "no", metadata]
        )
        for child in field.children { add(child, depth: depth + 1, to: &table) }
    }

    /// A field with its children.
    static func json(_ field: LanceField) -> JSONText {
        var members: [(String, JSONText)] = [
            ("id", .count(field.id)), ("name", .string(field.name)), ("type", .string(field.type.description)),
            ("logicalType", .string(field.logicalType)), ("nullable", .bool(field.nullable)),
        ]
        if !field.metadata.isEmpty { members.append(("metadata", json(field.metadata))) }
        if !field.children.isEmpty { members.append(("children", .array(field.children.map { json($0) }))) }
        return .object(members)
    }

    /// Metadata, sorted by key.
    static func json(_ metadata: [String: String]) -> JSONText {
        .object(metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }
}

extension Report {
    /// Adds the top-level columns.
    mutating func addColumns(_ schema: LanceSchema) {
        var table = TextTable([.text("column"), .text("type"), .text("nullable")])
        for field in schema.fields {
            table.rows.append([field.name, field.type.description, field.nullable ? "yes" : "no"])
        }
        add(table, "columns", schema.fields.map { SchemaReport.json($0) })
    }
}
