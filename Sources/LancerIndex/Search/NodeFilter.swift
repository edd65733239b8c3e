import LancerKernels

/// Says which rows of a partition a search may return, by position and distance.
package struct NodeFilter {
    private let mask: RowMask?
    private let selection: SelectionView?
    private let rowIDs: UnsafePointer<UInt64>?
    private let lowerBound: Float

    /// Rows of a mask.
    package init(mask: RowMask) {
        self.mask = mask
        selection = nil
        rowIDs = nil
        lowerBound = -.infinity
    }

    /// Rows whose id is selected (nil: all) and whose distance is not below a bound.
    init(selection: SelectionView?, rowIDs: UnsafePointer<UInt64>, lowerBound: Float) {
        mask = nil
        self.selection = selection
        self.rowIDs = rowIDs
        self.lowerBound = lowerBound
    }

    @inline(__always)
    func allows(_ node: UInt32, _ distance: Float) -> Bool {
        if distance < lowerBound { return false }
        if let mask { return mask[node] }
        guard let selection, let rowIDs else { return true }
        return selection.allows(rowIDs[Int(node)])
    }
}
