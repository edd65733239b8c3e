import LancerArrow
import LancerBytes

/// A leaf of the schema: what is stored as a column.
struct LeafColumn: Sendable {
    /// Place among the columns of a row group.
    let index: Int
    /// Names from the root down, joined with dots.
    let path: String
    let physicalType: PhysicalType
    let typeLength: Int
    let annotation: LogicalAnnotation?
    let maximumDefinition: Int
    let maximumRepetition: Int
    /// What the values become.
    let type: ArrowType
}

/// A node of the schema tree as an Arrow field, with the levels that tell its nulls and lists.
///
/// Spec: Parquet, Nested Encoding (Dremel). A column's levels at one entry say how many of the optional and repeated
/// fields from the root down are there, and which repeated field the entry continues.
indirect enum ColumnNode: Sendable {
    /// A stored column; its value is there when the definition level is the column's largest.
    case leaf(ArrowField, LeafColumn)
    /// Not null when the definition level reaches `definition`.
    case structure(ArrowField, definition: Int, children: [ColumnNode])
    /// A list or map: not null from `definition` on, an item from `itemDefinition` on; items go on at `repetition`.
    case list(ArrowField, definition: Int, itemDefinition: Int, repetition: Int, item: ColumnNode)

    var field: ArrowField {
        switch self {
        case .leaf(let field, _), .structure(let field, _, _), .list(let field, _, _, _, _): field
        }
    }

    /// The leaf whose levels are looked at for this node.
    var firstLeaf: LeafColumn {
        switch self {
        case .leaf(_, let leaf): leaf
        case .structure(_, _, let children): children[0].firstLeaf
        case .list(_, _, _, _, let item): item.firstLeaf
        }
    }

    var leaves: [LeafColumn] {
        switch self {
        case .leaf(_, let leaf): [leaf]
        case .structure(_, _, let children): children.flatMap(\.leaves)
        case .list(_, _, _, _, let item): item.leaves
        }
    }
}
