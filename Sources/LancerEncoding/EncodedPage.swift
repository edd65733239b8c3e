import LancerBytes

/// One page of a leaf column, ready to be written.
package struct EncodedPage: Sendable {
    package var layout: PageLayout
    /// The page buffers, in order.
    package var buffers: [ArrowBuffer]
    /// Rows of the leaf column: top-level rows, times the dimension of fixed-size lists of structs around it.
    package var length: Int
    /// Top-level rows.
    package var rowCount: Int

    init(layout: PageLayout, buffers: [ArrowBuffer], levels: LeafLevels) {
        self.layout = layout
        self.buffers = buffers
        // Without lists every entry is a row of the leaf column, with lists none is repeated by a fixed-size list.
        self.length = levels.repetition == nil ? levels.count : levels.rowCount
        self.rowCount = levels.rowCount
    }

    /// Bytes of all buffers.
    package var sizeInBytes: Int { buffers.reduce(0) { $0 + $1.count } }
}
