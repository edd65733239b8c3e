import LancerArrow
import LancerBytes
import LancerFile

/// One change of a schema. Changes are kept as such and not as a new schema, so that they can be made on top of what
/// another writer did to schema and metadata meanwhile.
package enum SchemaEdit: Sendable, Hashable {
    /// A top-level column behind the others. Its ids must not have been used before.
    case add(LanceField)
    /// Another column, or field of a struct, in the place of the one with this id.
    case replace(Int32, with: LanceField)
    /// A column, or a field of a struct, gone.
    case drop(Int32)
    case rename(Int32, to: String)
    case setNullable(Int32, Bool)
}

extension [SchemaEdit] {
    /// Whether every field that allowed nulls still does.
    var preservesNullability: Bool {
        allSatisfy { edit in
            switch edit {
            case .setNullable(_, let nullable): nullable
            case .add(let field): field.nullable
            case .replace(_, with: let field): field.nullable
            case .drop, .rename: true
            }
        }
    }
}

extension LanceSchema {
    /// The schema after the changes.
    ///
    /// - Throws: `conflict` when a field is gone, `schemaMismatch` for two columns of one name or no column at all.
    func applying(_ edits: [SchemaEdit]) throws(LanceError) -> LanceSchema {
        var fields = self.fields
        for edit in edits {
            switch edit {
            case .add(let field): fields.append(field)
            case .replace(let id, with: let new):
                fields = try Self.changing(id, in: fields) { (field) throws(LanceError) in
                    field = new
                    return field
                }
            case .drop(let id): fields = try Self.changing(id, in: fields) { _ throws(LanceError) in nil }
            case .rename(let id, to: let name):
                fields = try Self.changing(id, in: fields) { (field) throws(LanceError) in
                    field.name = name
                    return field
                }
            case .setNullable(let id, let nullable):
                fields = try Self.changing(id, in: fields) { (field) throws(LanceError) in
                    field.nullable = nullable
                    return field
                }
            }
        }
        guard !fields.isEmpty else { throw .schemaMismatch("a table needs at least one column") }
        try Self.checkNames(fields, of: "the table")
        let before = Set(self.fields.map(\.name))
        for field in fields where !before.contains(field.name) { try ColumnName.check(field.name) }
        return LanceSchema(fields: fields, metadata: metadata)
    }

    /// The schema with other metadata of some fields.
    ///
    /// - Throws: `conflict` when a field is gone.
    func changingMetadata(_ changes: [Int32: MapChange]) throws(LanceError) -> LanceSchema {
        var fields = self.fields
        for (id, change) in changes.sorted(by: { $0.key < $1.key }) {
            fields = try Self.changing(id, in: fields) { (field) throws(LanceError) in
                change.apply(to: &field.metadata)
                return field
            }
        }
        return LanceSchema(fields: fields, metadata: metadata)
    }

    private static func gone(_ id: Int32) -> LanceError {
        .conflict("the column with field id \(id) was dropped or replaced by another writer", retry: true)
    }

    private static func checkNames(_ fields: [LanceField], of place: String) throws(LanceError) {
        var names: Set<String> = []
        for field in fields {
            guard names.insert(field.name).inserted else {
                throw .schemaMismatch("\(place) would have two columns called \"\(field.name)\"")
            }
            guard case .structure = field.type else { continue }
            try checkNames(field.children, of: "\"\(field.name)\"")
        }
    }

    /// The fields with the one called `id`, wherever it is, changed, or taken out where `change` gives nil.
    private static func changing(
        _ id: Int32,
        in fields: [LanceField],
        _ change: (inout LanceField) throws(LanceError) -> LanceField?
    ) throws(LanceError) -> [LanceField] {
        var result: [LanceField] = []
        var found = false
        for var field in fields {
            if field.id == id {
                found = true
                if let changed = try change(&field) { result.append(changed) }
            } else if !found, field.children.contains(where: { $0.subtree.contains { $0.id == id } }) {
                found = true
                let children = try changing(id, in: field.children, change)
                guard !children.isEmpty else {
                    throw .schemaMismatch("\"\(field.name)\" would have no field left; drop it as a whole")
                }
                result.append(try field.withChildren(children))
            } else {
                result.append(field)
            }
        }
        guard found else { throw gone(id) }
        return result
    }
}
