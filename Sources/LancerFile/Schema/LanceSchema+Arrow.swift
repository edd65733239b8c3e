import LancerArrow
import LancerBytes

extension LanceSchema {
    /// Gives every field of an Arrow schema an id, depth first, counting up from `firstID`.
    ///
    /// - Throws: `unsupported` naming column and type when Lance cannot store it.
    package init(arrow schema: ArrowSchema, firstID: Int32 = 0) throws(LanceError) {
        var nextID = firstID
        var fields: [LanceField] = []
        for field in schema.fields { fields.append(try LanceField(arrow: field, nextID: &nextID, depth: 0)) }
        self.init(fields: fields, metadata: schema.metadata)
    }
}

extension LanceField {
    /// Converts a field and its children, taking ids from `nextID`.
    ///
    /// - Throws: `unsupported` naming column and type when Lance cannot store it.
    package init(arrow field: ArrowField, nextID: inout Int32, depth: Int) throws(LanceError) {
        guard depth < DecodeLimits.standard.schemaDepth else {
            throw .limitExceeded("column \"\(field.name)\" nests deeper than \(DecodeLimits.standard.schemaDepth)")
        }
        let id = nextID
        nextID += 1
        var children: [LanceField] = []
        for child in Self.schemaChildren(of: field.type) {
            children.append(try LanceField(arrow: child, nextID: &nextID, depth: depth + 1))
        }
        do {
            try self.init(
                id: id,
                name: field.name,
                logicalType: try LogicalType.string(for: field.type),
                nullable: field.nullable,
                metadata: field.metadata,
                children: children
            )
        } catch {
            throw error.located(part: "column \"\(field.name)\"")
        }
        primaryKeyPosition = Self.primaryKeyPosition(field.metadata)
    }

    /// Whether metadata marks a field as part of the primary key, and its place there, as the reference reads it.
    private static func primaryKeyPosition(_ metadata: [String: String]) -> UInt32? {
        let key = "lance-schema:unenforced-primary-key"
        if let position = metadata["\(key):position"].flatMap({ UInt32($0) }), position > 0 { return position }
        return ["true", "1", "yes", "on"].contains(metadata[key]?.lowercased()) ? 0 : nil
    }

    /// Children that are nodes of the schema tree: not those of a fixed-size list of primitives.
    private static func schemaChildren(of type: ArrowType) -> [ArrowField] {
        switch type {
        case .fixedSizeList(let item, _):
            if case .structure = item.type { return [item] }
            return []
        default: return type.children
        }
    }
}
