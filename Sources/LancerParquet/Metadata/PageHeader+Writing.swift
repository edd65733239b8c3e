import LancerBytes

extension PageHeader {
    /// The header as bytes.
    ///
    /// - Parameters:
    ///   - nullCount: Nulls of the page, for v2 pages.
    ///   - rowCount: Rows that start in the page, for v2 pages.
    func bytes(nullCount: Int, rowCount: Int) -> ArrowBuffer {
        var writer = ThriftWriter()
        writer.field(1, int32: kind == .dictionary ? 2 : kind == .dataV2 ? 3 : 0)
        writer.field(2, int32: Int32(clamping: uncompressedSize))
        writer.field(3, int32: Int32(clamping: compressedSize))
        if let checksum { writer.field(4, int32: Int32(bitPattern: checksum)) }
        let values = Int32(clamping: valueCount)
        switch kind {
        case .dictionary:
            writer.structure(7) { writer in
                writer.field(1, int32: values)
                writer.field(2, int32: encoding.rawValue)
            }
        case .dataV2:
            writer.structure(8) { writer in
                writer.field(1, int32: values)
                writer.field(2, int32: Int32(clamping: nullCount))
                writer.field(3, int32: Int32(clamping: rowCount))
                writer.field(4, int32: encoding.rawValue)
                writer.field(5, int32: Int32(clamping: definitionSize))
                writer.field(6, int32: Int32(clamping: repetitionSize))
                writer.field(7, isCompressed)
            }
        case .data, .other:
            writer.structure(5) { writer in
                writer.field(1, int32: values)
                writer.field(2, int32: encoding.rawValue)
                writer.field(3, int32: definitionEncoding.rawValue)
                writer.field(4, int32: repetitionEncoding.rawValue)
            }
        }
        return writer.finish()
    }

    /// An empty header, to be filled.
    init(_ kind: Kind, encoding: ParquetEncoding, valueCount: Int) {
        self.kind = kind
        self.encoding = encoding
        self.valueCount = valueCount
    }
}
