/// A named, typed column or child of a nested column.
public struct ArrowField: Sendable, Hashable, CustomStringConvertible {
    /// The name; may be empty.
    public var name: String
    /// The type of the values.
    public var type: ArrowType
    /// Whether nulls may occur.
    public var nullable: Bool
    /// Key-value metadata, extension type names (`ARROW:extension:name`) included.
    public var metadata: [String: String]

    /// Makes a field.
    public init(_ name: String, _ type: ArrowType, nullable: Bool = true, metadata: [String: String] = [:]) {
        self.name = name
        self.type = type
        self.nullable = nullable
        self.metadata = metadata
    }

    /// `name: type`, with `not null` where it applies.
    public var description: String { "\(name): \(type)\(nullable ? "" : " not null")" }
}

/// The columns of a table or batch.
public struct ArrowSchema: Sendable, Hashable, CustomStringConvertible {
    /// Columns in order.
    public var fields: [ArrowField]
    /// Key-value metadata of the table.
    public var metadata: [String: String]

    /// Makes a schema.
    public init(_ fields: [ArrowField], metadata: [String: String] = [:]) {
        self.fields = fields
        self.metadata = metadata
    }

    /// Position of the first column called `name`.
    public func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

    /// One line a column.
    public var description: String { fields.map(\.description).joined(separator: "\n") }
}
