import LancerArrow

/// One step on the way from a column of the table to a leaf.
enum PathStep: Sendable {
    /// A field that must not be null, by its name.
    case required(String)
    /// A field that may be null; its values that are not null have this definition level.
    case optional(UInt8)
    /// The child of a struct.
    case member(Int)
    /// The items of a list, map or vector; items have this definition level, all but the first this repetition level.
    case items(definition: UInt8, repetition: UInt8)
}

/// A leaf column to be written.
struct WriteLeaf: Sendable {
    /// Column of the table that the leaf is part of.
    let column: Int
    /// From the column to the leaf's own array.
    let steps: [PathStep]
    /// Names in the file's schema, from the root down.
    let names: [String]
    let physicalType: PhysicalType
    /// Bytes of a value of fixed length.
    let typeLength: Int
    let maximumDefinition: Int
    let maximumRepetition: Int
    /// What is done to values on their way into the file.
    let conversion: LeafEncoding
    /// How values compare.
    let order: ValueOrder

    var path: String { names.joined(separator: ".") }
}

/// How Arrow's values become Parquet's.
enum LeafEncoding: Sendable, Equatable {
    /// Type null: there are no values.
    case nothing
    case bits
    /// Values of this many bytes, copied.
    case copy(Int)
    /// 8- and 16-bit integers, which take 32 bits.
    case widen(from: Int, isSigned: Bool)
    /// Seconds to milliseconds, in values of this many bytes.
    case milliseconds(Int)
    /// Milliseconds to days.
    case days
    /// Little-endian decimals of `from` bytes to big-endian ones of `to`, times 10^`shift`.
    case decimal(from: Int, to: Int, shift: Int)
    /// Text and bytes with offsets of this width.
    case bytes(Int)
}

/// How the values of a column compare.
///
/// Spec: parquet.thrift, `ColumnOrder`, TypeDefinedOrder.
enum ValueOrder: Sendable, Equatable {
    /// There is no order, and so no minimum.
    case none
    case bool
    case int32
    case int64
    case uint32
    case uint64
    case float16
    case float32
    case float64
    /// Unsigned bytes; text, so that bounds are cut between characters only.
    case text
    /// Unsigned bytes.
    case bytes
    /// Two's complement, big-endian, of one length.
    case decimal
}
