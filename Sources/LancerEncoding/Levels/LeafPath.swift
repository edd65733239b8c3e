import LancerArrow
import LancerBytes

/// The way from a top-level column down to one of its leaf columns.
///
/// Structs, lists, maps and fixed-size lists of structs are not columns of a file; they live on as levels of each leaf
/// below them. Everything else is a leaf: numbers, text, vectors (a fixed-size list of numbers), dictionary arrays,
/// structs stored packed, and the struct without fields.
package struct LeafPath: Sendable, Hashable {
    /// One nested type on the way, outermost first.
    package enum Step: Sendable, Hashable {
        /// A struct; the way goes on in the child at this position. `isNullable` as in the schema.
        case structure(child: Int, isNullable: Bool = true)
        /// A list, large list or map (whose child is the struct of its entries).
        case list
        /// A fixed-size list of structs.
        case fixedSizeList(dimension: Int)
    }

    /// The nested types on the way, outermost first.
    package var steps: [Step]
    /// Type of the leaf.
    package var leafType: ArrowType

    package init(steps: [Step] = [], leafType: ArrowType) {
        self.steps = steps
        self.leafType = leafType
    }

    /// Whether a list is on the way, so that the leaf has repetition levels.
    package var hasLists: Bool { steps.contains(.list) }

    /// Leaf slots a row has through fixed-size lists of structs (1 without them).
    package var slotsPerRow: Int {
        steps.reduce(1) { if case .fixedSizeList(let dimension) = $1 { $0 * dimension } else { $0 } }
    }

    /// `array`, with only the children on the way kept; buffers are shared.
    package func pruned(_ array: ArrowArray) -> ArrowArray { prune(array, steps[...]) }

    private func prune(_ array: ArrowArray, _ rest: ArraySlice<Step>) -> ArrowArray {
        guard let step = rest.first else { return array }
        let below = rest.dropFirst()
        switch (step, array.storage) {
        case (.structure(let index, _), .structure(let children)) where index < children.count:
            let child = prune(children[index], below)
            let field = array.type.children.indices.contains(index) ? array.type.children[index].name : ""
            return ArrowArray(
                type: .structure([ArrowField(field, child.type)]),
                length: array.length,
                validity: array.validity,
                storage: .structure([child])
            )
        case (.list, .list(let offsets, let child)):
            let pruned = prune(child, below)
            let item = ArrowField("item", pruned.type)
            return ArrowArray(
                type: array.type.offsetWidth == 8 ? .largeList(item) : .list(item),
                length: array.length,
                validity: array.validity,
                storage: .list(offsets: offsets, child: pruned)
            )
        case (.fixedSizeList(let dimension), .fixedSizeList(let child)):
            let pruned = prune(child, below)
            return ArrowArray(
                type: .fixedSizeList(ArrowField("item", pruned.type), dimension),
                length: array.length,
                validity: array.validity,
                storage: .fixedSizeList(child: pruned)
            )
        default: return array
        }
    }
}
