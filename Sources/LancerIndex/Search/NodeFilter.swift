import LancerKernels

/// Says which rows of a partition a search may return, by position and distance.
package struct NodeFilter {
    /// The question without the owners of what it needs: loops ask it without counting references. The filter must outlive it.
    struct Rows {
        fileprivate var mask: UnsafePointer<UInt64>?
        fileprivate var maskCount = 0
        fileprivate var selection: SelectionView.Bits?
        fileprivate var rowIDs: UnsafePointer<UInt64>?
        fileprivate var lowerBound: Float

        @inline(__always)
        func allows(_ node: UInt32, _ distance: Float) -> Bool {
            if distance < lowerBound { return false }
            if let mask { return Int(node) < maskCount && mask[Int(node) >> 6] >> UInt64(node & 63) & 1 == 1 }
            guard let selection, let rowIDs else { return true }
            return selection.allows(rowIDs[Int(node)])
        }
    }

    let rows: Rows
    private let owner: AnyObject?

    /// Rows of a mask.
    package init(mask: RowMask) {
        let words = ScratchMemory<UInt64>(count: (mask.count + 63) / 64, repeating: 0)
        for row in 0..<mask.count where mask[UInt32(row)] { words.pointer[row >> 6] |= 1 << UInt64(row & 63) }
        rows = Rows(mask: UnsafePointer(words.pointer), maskCount: mask.count, lowerBound: -.infinity)
        owner = words
    }

    /// Rows whose id is selected (nil: all) and whose distance is not below a bound.
    init(selection: SelectionView?, rowIDs: UnsafePointer<UInt64>, lowerBound: Float) {
        rows = Rows(selection: selection?.bits, rowIDs: rowIDs, lowerBound: lowerBound)
        owner = selection
    }
}
