import LancerArrow
import LancerBytes

/// A leaf column with what its place in the schema means for reading it.
package final class LeafLayout: Sendable {
    package let field: LanceField
    /// Rows of the leaf column for each top-level row: the sizes of the fixed-size lists of structs around it.
    package let slotsPerRow: Int

    fileprivate init(_ field: LanceField, _ slotsPerRow: Int) {
        self.field = field
        self.slotsPerRow = slotsPerRow
    }
}

extension LanceSchema {
    /// Leaf columns in file order.
    package var leafLayouts: [LeafLayout] { fields.flatMap { $0.leafLayouts() } }
}

extension LanceField {
    /// Leaf columns of this subtree in file order.
    package func leafLayouts(slotsPerRow: Int = 1) -> [LeafLayout] {
        if isLeaf { return [LeafLayout(self, slotsPerRow)] }
        var slots = slotsPerRow
        if case .fixedSizeList(_, let size) = type {
            let (product, overflow) = slots.multipliedReportingOverflow(by: size)
            // Zero makes the column's length unknown; reading it is refused.
            slots = overflow ? 0 : product
        }
        return children.flatMap { $0.leafLayouts(slotsPerRow: slots) }
    }
}
