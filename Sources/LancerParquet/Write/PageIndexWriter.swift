import LancerBytes

/// What the page index says of one data page.
struct WrittenPage: Sendable {
    /// Offset from the start of the column chunk, later in the file.
    var offset: Int64
    /// Bytes in the file, header included.
    var size: Int
    /// First row, counted from the start of the row group.
    var firstRow: Int
    var nullCount: Int
    /// Values that are not null.
    var presentCount: Int
    /// nil where all values are null, or have no order.
    var bounds: ValueBounds?
}

/// The two parts of the page index of one column chunk.
///
/// Spec: parquet.thrift, `OffsetIndex` and `ColumnIndex`.
enum PageIndexWriter {
    /// Bounds longer than this are cut.
    static let boundLength = 64

    static func offsetIndex(_ pages: [WrittenPage]) -> ArrowBuffer {
        var writer = ThriftWriter()
        writer.structures(1, pages) { writer, page in
            writer.field(1, int64: page.offset)
            writer.field(2, int32: Int32(clamping: page.size))
            writer.field(3, int64: Int64(page.firstRow))
        }
        return writer.finish()
    }

    /// nil where some page has values and no bounds: a column index cannot say that.
    static func columnIndex(_ pages: [WrittenPage], _ order: ValueOrder) -> ArrowBuffer? {
        guard order != .none, pages.allSatisfy({ $0.bounds != nil || $0.presentCount == 0 }) else { return nil }
        let bounds = pages.map(\.bounds)
        var writer = ThriftWriter()
        writer.field(1, boolList: bounds.map { $0 == nil })
        writer.field(2, bytesList: bounds.map { $0?.minimum ?? [] })
        writer.field(3, bytesList: bounds.map { $0?.maximum ?? [] })
        writer.field(4, int32: boundaryOrder(bounds.compactMap { $0 }, order))
        writer.field(5, int64List: pages.map { Int64($0.nullCount) })
        return writer.finish()
    }

    /// 1 when both bounds ascend, 2 when they descend, else 0.
    private static func boundaryOrder(_ bounds: [ValueBounds], _ order: ValueOrder) -> Int32 {
        let pairs = zip(bounds, bounds.dropFirst())
        func holds(_ isOutOfOrder: ([UInt8], [UInt8]) -> Bool) -> Bool {
            pairs.allSatisfy { !isOutOfOrder($0.minimum, $1.minimum) && !isOutOfOrder($0.maximum, $1.maximum) }
        }
        if holds({ ValueBounds.isLess($1, $0, order) }) { return 1 }
        return holds({ ValueBounds.isLess($0, $1, order) }) ? 2 : 0
    }
}
