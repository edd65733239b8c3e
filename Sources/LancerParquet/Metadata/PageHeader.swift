import LancerBytes

/// What stands before a page.
///
/// Spec: parquet.thrift, `PageHeader`.
package struct PageHeader: Sendable {
    /// What a page holds.
    package enum Kind: Sendable {
        /// Values with levels, all compressed together.
        case data
        /// A page to be passed over: an index page, or a kind of the future.
        case other
        /// The distinct values.
        case dictionary
        /// Values with levels, the levels not compressed.
        case dataV2
    }

    package var kind = Kind.other
    /// Bytes of the page after decompression.
    package var uncompressedSize = 0
    /// Bytes of the page in the file.
    package var compressedSize = 0
    /// CRC-32 of the page's bytes in the file.
    package var checksum: UInt32?
    /// Values, nulls included.
    package var valueCount = 0
    /// Encoding of the values.
    package var encoding = ParquetEncoding.plain
    /// Encoding of definition levels (v1).
    package var definitionEncoding = ParquetEncoding.rle
    /// Encoding of repetition levels (v1).
    package var repetitionEncoding = ParquetEncoding.rle
    /// Bytes of definition levels (v2).
    package var definitionSize = 0
    /// Bytes of repetition levels (v2).
    package var repetitionSize = 0
    /// Whether the values are compressed (v2).
    package var isCompressed = true

    /// Reads a header.
    ///
    /// - Throws: `truncated` when the bytes end too early, `corrupt` for negative sizes and broken Thrift.
    init(_ reader: inout ThriftReader) throws(LanceError) {
        try reader.enter()
        var id: Int16 = 0
        var type: Int32 = -1
        var details: Int16 = 0
        while let fieldType = try reader.nextField(&id) {
            switch id {
            case 1: type = try reader.int32(fieldType)
            case 2: uncompressedSize = Int(try reader.int32(fieldType))
            case 3: compressedSize = Int(try reader.int32(fieldType))
            case 4: checksum = UInt32(bitPattern: try reader.int32(fieldType))
            case 5, 7, 8:
                details = id
                try readDetails(id, &reader, fieldType)
            default: try reader.skip(fieldType)
            }
        }
        reader.leave()
        switch (type, details) {
        case (0, 5): kind = .data
        case (2, 7): kind = .dictionary
        case (3, 8): kind = .dataV2
        case (0, _), (2, _), (3, _): throw .corrupt("Parquet page of kind \(type) without its header")
        default: kind = .other
        }
        guard uncompressedSize >= 0, compressedSize >= 0, valueCount >= 0, definitionSize >= 0, repetitionSize >= 0
        else { throw .corrupt("Parquet page header with a negative size") }
    }

    private mutating func readDetails(
        _ kind: Int16,
        _ reader: inout ThriftReader,
        _ type: ThriftType
    ) throws(LanceError) {
        try reader.enter(type)
        var id: Int16 = 0
        while let type = try reader.nextField(&id) {
            switch (kind, id) {
            case (_, 1): valueCount = Int(try reader.int32(type))
            case (5, 2), (7, 2), (8, 4): encoding = ParquetEncoding(rawValue: try reader.int32(type))
            case (5, 3): definitionEncoding = ParquetEncoding(rawValue: try reader.int32(type))
            case (5, 4): repetitionEncoding = ParquetEncoding(rawValue: try reader.int32(type))
            case (8, 5): definitionSize = Int(try reader.int32(type))
            case (8, 6): repetitionSize = Int(try reader.int32(type))
            case (8, 7): isCompressed = try reader.bool(type)
            default: try reader.skip(type)
            }
        }
        reader.leave()
    }
}
