import LancerArrow
import LancerBytes
import LancerFile

/// One difference between the columns of two versions.
package struct SchemaChange: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case added, removed, renamed, retyped, nullability, metadata, moved
    }

    package var kind: Kind
    /// Name or dotted path in the newer version, for a removed column in the older one.
    package var path: String
    /// What it was; nil for an added column.
    package var before: String?
    /// What it is; nil for a removed column.
    package var after: String?
}

/// How the columns of two versions belong together.
package struct SchemaDiff: Sendable {
    package private(set) var changes: [SchemaChange] = []
    /// Top-level columns of both versions whose values can be compared: of the same type.
    private(set) var common: [(old: LanceField, new: LanceField)] = []

    package init(_ old: LanceSchema, _ new: LanceSchema) {
        let pairs = compare(old.fields, new.fields, path: "")
        common = pairs.filter { $0.old.type == $0.new.type }
        if old.metadata != new.metadata {
            changes.append(
                SchemaChange(
                    kind: .metadata,
                    path: "",
                    before: Self.text(old.metadata),
                    after: Self.text(new.metadata)
                )
            )
        }
    }

    /// Compares the fields of one level.
    private mutating func compare(
        _ old: [LanceField],
        _ new: [LanceField],
        path: String
    ) -> [(old: LanceField, new: LanceField)] {
        var pairs: [(old: LanceField, new: LanceField)] = []
        // Names first: field ids begin again when a table is overwritten.
        var left = old.filter { field in !new.contains { $0.name == field.name } }
        for field in new {
            let name = path + field.name
            if let same = old.first(where: { $0.name == field.name }) {
                pairs.append((same, field))
                describe(same, field, name)
            } else if let place = left.firstIndex(where: { $0.id == field.id && $0.type == field.type }) {
                let before = left.remove(at: place)
                add(.renamed, name, path + before.name, name)
                pairs.append((before, field))
                describe(before, field, name)
            } else {
                add(.added, name, nil, "\(field.type)")
            }
        }
        for field in left { add(.removed, path + field.name, "\(field.type)", nil) }
        let order = old.map(\.id).filter { id in pairs.contains { $0.old.id == id } }
        if pairs.map(\.old.id) != order {
            let after = pairs.map(\.new.name).joined(separator: ", ")
            let names = Dictionary(pairs.map { ($0.old.id, $0.old.name) }) { first, _ in first }
            let before = order.compactMap { names[$0] }.joined(separator: ", ")
            add(.moved, path.isEmpty ? "" : String(path.dropLast()), before, after)
        }
        return pairs
    }

    private mutating func describe(_ old: LanceField, _ new: LanceField, _ path: String) {
        if case .structure = old.type, case .structure = new.type {
            _ = compare(old.children, new.children, path: path + ".")
        } else if old.type != new.type {
            add(.retyped, path, "\(old.type)", "\(new.type)")
        }
        if old.nullable != new.nullable {
            add(.nullability, path, old.nullable ? "nullable" : "not null", new.nullable ? "nullable" : "not null")
        }
        if old.metadata != new.metadata {
            add(.metadata, path, Self.text(old.metadata), Self.text(new.metadata))
        }
    }

    private mutating func add(
        _ kind: SchemaChange.Kind,
        _ path: String,
        _ before: String?,
        _ after: String?
    ) {
        changes.append(SchemaChange(kind: kind, path: path, before: before, after: after))
    }

    private static func text(_ metadata: [String: String]) -> String {
        metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }
}
