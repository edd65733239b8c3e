import LancerBytes
import LancerProto
import SwiftProtobuf

/// What one layer of nesting contributes to the repetition and definition levels of a page.
///
/// A page lists its layers from the innermost (the leaf's own validity) to the outermost: the reverse of Parquet.
/// Spec: 02-levels.md, "Layers".
package enum RepDefLayer: Int, Sendable, Hashable {
    /// A leaf, struct or fixed-size list without nulls in this page.
    case allValidItem = 1
    /// A list without null or empty lists in this page.
    case allValidList = 2
    /// A leaf, struct or fixed-size list with nulls.
    case nullableItem = 3
    /// A list with null lists but no empty ones.
    case nullableList = 4
    /// A list with empty lists but no null ones.
    case emptyableList = 5
    /// A list with both: the null list has the lower level.
    case nullAndEmptyList = 6

    /// Whether the layer is a list (adds a repetition level).
    package var isList: Bool {
        switch self {
        case .allValidItem, .nullableItem: false
        case .allValidList, .nullableList, .emptyableList, .nullAndEmptyList: true
        }
    }

    /// How many definition levels the layer uses.
    package var definitionLevelCount: Int {
        switch self {
        case .allValidItem, .allValidList: 0
        case .nullableItem, .nullableList, .emptyableList: 1
        case .nullAndEmptyList: 2
        }
    }

    init(_ proto: Lance_Encodings21_RepDefLayer) throws(LanceError) {
        guard let layer = RepDefLayer(rawValue: proto.rawValue) else {
            throw .corrupt("unknown kind of layer \(proto.rawValue) in a page layout")
        }
        self = layer
    }

    var proto: Lance_Encodings21_RepDefLayer { Lance_Encodings21_RepDefLayer(rawValue: rawValue) ?? .repdefUnspecified }
}

extension [RepDefLayer] {
    /// Number of list layers: the repetition level of the first entry of a row.
    package var maxRepetition: Int { reduce(0) { $0 + ($1.isList ? 1 : 0) } }

    /// The highest definition level in use.
    package var maxDefinition: Int { reduce(0) { $0 + $1.definitionLevelCount } }

    /// The highest definition level of an entry that has a slot in the value stream: the levels of all layers before
    /// the first list.
    package var maxVisibleDefinition: Int {
        prefix { !$0.isList }.reduce(0) { $0 + $1.definitionLevelCount }
    }
}
