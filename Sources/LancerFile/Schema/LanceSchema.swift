import LancerArrow
import LancerBytes

/// A node of a Lance schema: a column or a child of a nested column.
///
/// Lists have their item, maps their entries struct, structs their fields as children. A fixed-size list of anything
/// but structs has no children: its item type is in the logical type, and the item's name and nullability are not
/// stored. Spec: 08-types.md, "Schema tree".
package struct LanceField: Sendable, Hashable {
    /// Unique in the table, never reused by Lancer.
    package var id: Int32
    package var name: String
    package var logicalType: String
    package var nullable: Bool
    /// Key-value metadata, in the order-free form of the format.
    package var metadata: [String: String]
    package var children: [LanceField]
    /// Position in the unenforced primary key, 1-based; 0 = in the key without a position; nil = not in it.
    package var primaryKeyPosition: UInt32?
    /// The Arrow type, with the children's types.
    package let type: ArrowType

    /// Makes a node.
    ///
    /// - Throws: as ``LogicalType/type(for:children:)``.
    package init(
        id: Int32,
        name: String,
        logicalType: String,
        nullable: Bool,
        metadata: [String: String] = [:],
        children: [LanceField] = []
    ) throws(LanceError) {
        self.id = id
        self.name = name
        self.logicalType = logicalType
        self.nullable = nullable
        self.metadata = metadata
        self.children = children
        let storedType = try LogicalType.type(for: logicalType, children: children.map(\.arrowField))
        // The children of a blob say how it is handed to the reference's writer; what is stored and read is bytes.
        self.type = Self.isBlobV2(metadata) ? .largeBinary : storedType
    }

    /// The Arrow field.
    package var arrowField: ArrowField {
        ArrowField(name, type, nullable: nullable, metadata: isBlobV2 ? blobMetadata : metadata)
    }

    /// The metadata of a second-form blob column that gives its bytes: no longer the extension, still a blob.
    private var blobMetadata: [String: String] {
        var result = metadata.filter {
            !$0.key.hasPrefix("ARROW:extension:") && !$0.key.hasPrefix("lance-encoding:blob-")
        }
        result["lance-encoding:blob"] = "true"
        return result
    }

    /// Whether the field's values are one packed column of the file, children included.
    package var isPackedStruct: Bool {
        guard case .structure = type else { return false }
        return metadata["lance-encoding:packed"] == "true" || metadata["packed"] == "true"
    }

    /// Whether the field's values are blobs beside the column.
    package var isBlob: Bool { metadata["lance-encoding:blob"] == "true" && !isBlobV2 }

    /// Whether the field is a column of blobs in the second form, which the reference writes in 2.2 files.
    ///
    /// Spec: 06-blob.md, "Second form".
    package var isBlobV2: Bool { Self.isBlobV2(metadata) }

    private static func isBlobV2(_ metadata: [String: String]) -> Bool {
        metadata["ARROW:extension:name"] == "lance.blob.v2"
    }

    /// Whether the field has a column of its own in a file: numbers, text, vectors, blobs, packed and empty structs.
    package var isLeaf: Bool { children.isEmpty || isPackedStruct || isBlobV2 }

    /// Fields with columns of their own, depth first: the order of columns in a file.
    package var leaves: [LanceField] { isLeaf ? [self] : children.flatMap(\.leaves) }

    /// Fields of this subtree, this one first, depth first.
    package var subtree: [LanceField] { [self] + children.flatMap(\.subtree) }

    /// The same field with only some of its children.
    ///
    /// - Throws: `schemaMismatch` when the children do not fit the type.
    package func withChildren(_ children: [LanceField]) throws(LanceError) -> LanceField {
        var copy = try LanceField(
            id: id,
            name: name,
            logicalType: logicalType,
            nullable: nullable,
            metadata: metadata,
            children: children
        )
        copy.primaryKeyPosition = primaryKeyPosition
        return copy
    }
}

/// The schema of a Lance file or table: a forest of fields with ids.
package struct LanceSchema: Sendable, Hashable {
    /// Top-level columns in order.
    package var fields: [LanceField]
    package var metadata: [String: String]

    package init(fields: [LanceField], metadata: [String: String] = [:]) {
        self.fields = fields
        self.metadata = metadata
    }

    /// The same columns as an Arrow schema.
    package var arrowSchema: ArrowSchema { ArrowSchema(fields.map(\.arrowField), metadata: metadata) }

    /// Fields with columns of their own, in file order.
    package var leaves: [LanceField] { fields.flatMap(\.leaves) }

    /// The highest field id in use, or -1.
    package var maxFieldID: Int32 { fields.flatMap(\.subtree).map(\.id).max() ?? -1 }

    /// The top-level column called `name`.
    package func field(named name: String) -> LanceField? { fields.first { $0.name == name } }
}
