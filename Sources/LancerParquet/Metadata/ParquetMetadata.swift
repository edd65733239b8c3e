import LancerBytes

/// One element of the flattened schema tree.
///
/// Spec: parquet.thrift, `SchemaElement`.
package struct SchemaElement: Sendable {
    /// How a leaf is stored; nil for groups.
    package var physicalType: PhysicalType?
    /// Bytes of a value of `fixedLengthByteArray`.
    package var typeLength = 0
    /// nil for the root.
    package var repetition: Repetition?
    /// The name; may be empty.
    package var name = ""
    /// How many of the following elements (with all below them) are children; nil or 0 for leaves.
    package var childCount: Int?
    /// What the values mean.
    package var annotation: LogicalAnnotation?
    /// The id that some table formats give.
    package var fieldID: Int32?
}

/// Where a column of a row group is.
///
/// Spec: parquet.thrift, `ColumnChunk` and `ColumnMetaData`.
package struct ColumnChunk: Sendable {
    /// How values are stored.
    package var physicalType = PhysicalType.boolean
    /// Encodings of the pages, levels included.
    package var encodings: [ParquetEncoding] = []
    /// Names from the root down.
    package var names: [String] = []
    /// The names, joined with dots.
    package var path: String { names.joined(separator: ".") }
    /// Compression of the pages.
    package var codec = ParquetCodec.uncompressed
    /// Values with their levels, nulls included.
    package var valueCount: Int64 = 0
    /// Bytes of all pages with headers, before compression.
    package var uncompressedSize: Int64 = 0
    /// Bytes of all pages with headers.
    package var compressedSize: Int64 = 0
    /// Offset of the first data page.
    package var dataPageOffset: Int64 = 0
    /// Offset of the dictionary page.
    package var dictionaryPageOffset: Int64?
    /// Smallest and largest value and the number of nulls, where the writer said.
    package var statistics: ColumnStatistics?
    /// How many pages there are of each kind, where the writer said.
    package var pageCounts: [PageCount] = []
    /// Where minima and maxima of every page are.
    package var columnIndex: IndexLocation?
    /// Where the place of every page is.
    package var offsetIndex: IndexLocation?
    /// Another file that holds the chunk.
    package var filePath: String?
    /// Whether the chunk is encrypted.
    package var isEncrypted = false
    /// Whether `ColumnMetaData` was there.
    package var hasMetadata = false

    /// Where the chunk's first page starts.
    package var start: Int64 {
        if let dictionaryPageOffset, dictionaryPageOffset > 0 { return min(dictionaryPageOffset, dataPageOffset) }
        return dataPageOffset
    }
}

/// What a writer says of the values of a column chunk or page.
///
/// Spec: parquet.thrift, `Statistics`; bounds are in PLAIN encoding, without a length before bytes.
package struct ColumnStatistics: Sendable, Equatable {
    /// Number of nulls.
    package var nullCount: Int64?
    /// A value that none is below.
    package var minimum: [UInt8]?
    /// A value that none is above.
    package var maximum: [UInt8]?
}

/// Pages of one kind in a column chunk.
///
/// Spec: parquet.thrift, `PageEncodingStats`.
package struct PageCount: Sendable, Equatable {
    /// 0: data, 2: dictionary, 3: data, v2.
    package var kind: Int32
    /// Encoding of the values.
    package var encoding: ParquetEncoding
    /// How many.
    package var count: Int32
}

/// Where a part of the page index is.
package struct IndexLocation: Sendable, Equatable {
    /// Offset in the file.
    package var offset: Int64
    /// Number of bytes.
    package var length: Int32
}

/// Rows that are stored together.
package struct RowGroup: Sendable {
    /// The leaves, in the schema's order.
    package var columns: [ColumnChunk] = []
    /// Bytes of all pages before compression.
    package var totalByteSize: Int64 = 0
    /// How many rows.
    package var rowCount: Int64 = 0
}

/// The footer of a Parquet file.
///
/// Spec: parquet.thrift, `FileMetaData`.
package struct ParquetMetadata: Sendable {
    /// 1 or 2; says little.
    package var version: Int32 = 0
    /// The schema tree, depth first, the root first.
    package var schema: [SchemaElement] = []
    /// Rows of all groups.
    package var rowCount: Int64 = 0
    /// The row groups in order.
    package var rowGroups: [RowGroup] = []
    /// Key-value metadata of the file.
    package var keyValues: [String: String] = [:]
    /// Which program wrote the file.
    package var createdBy: String?
    /// Whether columns are encrypted under a readable footer.
    package var isEncrypted = false
}

extension ParquetMetadata {
    private static let magic = Array("PAR1".utf8)
    private static let encryptedMagic = Array("PARE".utf8)

    /// Reads the footer of a file.
    ///
    /// Spec: the file ends with the footer, its length (4 bytes) and `PAR1`.
    ///
    /// - Throws: `corrupt` when it is no Parquet file, `truncated`, `unsupported` for an encrypted footer.
    package static func read(_ source: any ByteSource, limits: DecodeLimits = .standard) throws(LanceError) -> Self {
        guard let size = source.size else { throw .invalidArgument("a Parquet file is read from its end") }
        guard size >= 12 else { throw .truncated("a Parquet file has at least 12 bytes, this one \(size)") }
        let guess = Int(min(size, 1 << 16))
        var tail = try source.read(offset: size - UInt64(guess), count: guess)
        let magic = tail.slice((guess - 4)..<guess).bytes
        guard magic == Self.magic else {
            if magic == encryptedMagic { throw .unsupported("the Parquet file is encrypted; Lancer cannot decrypt") }
            let start = try source.read(offset: 0, count: 4).bytes
            if start == Self.magic { throw .truncated("the Parquet file does not end with PAR1; it is cut short") }
            throw .corrupt("no Parquet file: it does not end with PAR1")
        }
        var reader = ByteReader(tail, at: guess - 8, what: "Parquet footer length")
        let length = Int(try reader.read(UInt32.self))
        guard length <= limits.metadataBytes else { throw .limitExceeded("Parquet footer of \(length) bytes") }
        guard UInt64(length) <= size - 12 else {
            throw .truncated("Parquet footer of \(length) bytes in a file of \(size) bytes")
        }
        if length + 8 > guess {
            tail = try source.read(offset: size - UInt64(length + 8), count: length)
        } else {
            tail = tail.slice((guess - 8 - length)..<(guess - 8))
        }
        do throws(LanceError) {
            var thrift = ThriftReader(tail)
            return try ParquetMetadata(&thrift, limits: limits)
        } catch {
            throw error.located(part: "Parquet footer")
        }
    }
}
