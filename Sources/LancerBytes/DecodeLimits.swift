/// Upper bounds on what bytes from outside may make Lancer do; every limit in one table.
/// Spec: 15-limits.md, "Before anything else".
public struct DecodeLimits: Sendable {
    /// Deepest nesting of a schema.
    public var schemaDepth = 64
    /// Most fields in a schema, nested ones counted.
    public var fieldCount = 1 << 20
    /// Most pages in one column of one file.
    public var pagesPerColumn = 1 << 22
    /// Largest metadata message (column metadata, manifest, schema), in bytes.
    public var metadataBytes = 1 << 30
    /// How many times larger than its bytes a compressed or repeated value may decode to before the allocation has to
    /// be justified by counts checked elsewhere.
    public var expansionFactor = 1 << 16
    /// Largest single allocation that a decoder makes for one page read, in bytes.
    public var allocationBytes = 1 << 36

    /// The limits used unless a caller asks otherwise.
    public static let standard = DecodeLimits()

    /// The standard limits, to be changed one by one.
    public init() {}
}
