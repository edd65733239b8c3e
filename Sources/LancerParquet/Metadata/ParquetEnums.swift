/// How values are stored in a column.
///
/// Spec: parquet.thrift, `Type`.
package enum PhysicalType: Int32, Sendable, CustomStringConvertible {
    /// One bit.
    case boolean = 0
    /// 32-bit integer.
    case int32 = 1
    /// 64-bit integer.
    case int64 = 2
    /// Nanoseconds of the day and a Julian day, the old form of timestamps.
    case int96 = 3
    /// Single precision.
    case float = 4
    /// Double precision.
    case double = 5
    /// Bytes of any length.
    case byteArray = 6
    /// Bytes of the length that the schema gives.
    case fixedLengthByteArray = 7

    /// Whether values are bytes of one length.
    var isFixedBytes: Bool { self == .fixedLengthByteArray }

    /// The name in the specification.
    package var description: String {
        switch self {
        case .boolean: "BOOLEAN"
        case .int32: "INT32"
        case .int64: "INT64"
        case .int96: "INT96"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .byteArray: "BYTE_ARRAY"
        case .fixedLengthByteArray: "FIXED_LEN_BYTE_ARRAY"
        }
    }
}

/// How the values of a page are written.
///
/// Spec: parquet.thrift, `Encoding`.
package struct ParquetEncoding: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the file.
    package let rawValue: Int32

    /// Wraps a number, known or not.
    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Values back to back.
    package static let plain = ParquetEncoding(rawValue: 0)
    /// Old name of a dictionary and of indices into it.
    package static let plainDictionary = ParquetEncoding(rawValue: 2)
    /// Runs and bit-packed groups.
    package static let rle = ParquetEncoding(rawValue: 3)
    /// Old form of levels.
    package static let bitPacked = ParquetEncoding(rawValue: 4)
    /// Packed differences of integers.
    package static let deltaBinaryPacked = ParquetEncoding(rawValue: 5)
    /// Packed lengths, then the bytes.
    package static let deltaLengthByteArray = ParquetEncoding(rawValue: 6)
    /// Shared prefixes and suffixes.
    package static let deltaByteArray = ParquetEncoding(rawValue: 7)
    /// Indices into the dictionary page.
    package static let rleDictionary = ParquetEncoding(rawValue: 8)
    /// First bytes of all values, then second bytes…
    package static let byteStreamSplit = ParquetEncoding(rawValue: 9)

    private static let names: [Int32: String] = [
        0: "PLAIN", 2: "PLAIN_DICTIONARY", 3: "RLE", 4: "BIT_PACKED", 5: "DELTA_BINARY_PACKED",
        6: "DELTA_LENGTH_BYTE_ARRAY", 7: "DELTA_BYTE_ARRAY", 8: "RLE_DICTIONARY", 9: "BYTE_STREAM_SPLIT",
    ]

    /// The name in the specification.
    package var description: String { Self.names[rawValue] ?? "encoding \(rawValue)" }
}

/// How pages are compressed.
///
/// Spec: parquet.thrift, `CompressionCodec`.
package struct ParquetCodec: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number in the file.
    package let rawValue: Int32

    /// Wraps a number, known or not.
    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// Not compressed.
    package static let uncompressed = ParquetCodec(rawValue: 0)
    /// Snappy, raw format.
    package static let snappy = ParquetCodec(rawValue: 1)
    /// gzip members.
    package static let gzip = ParquetCodec(rawValue: 2)
    /// LZ4 in Hadoop's frame, and what others wrote under that number.
    package static let lz4 = ParquetCodec(rawValue: 5)
    /// Zstandard frames.
    package static let zstd = ParquetCodec(rawValue: 6)
    /// One LZ4 block.
    package static let lz4Raw = ParquetCodec(rawValue: 7)

    private static let names: [Int32: String] = [
        0: "UNCOMPRESSED", 1: "SNAPPY", 2: "GZIP", 3: "LZO", 4: "BROTLI", 5: "LZ4", 6: "ZSTD", 7: "LZ4_RAW",
    ]

    /// The name in the specification.
    package var description: String { Self.names[rawValue] ?? "codec \(rawValue)" }
}

/// Whether a field is there once, at most once, or any number of times.
package enum Repetition: Int32, Sendable {
    /// Exactly once.
    case required = 0
    /// At most once.
    case optional = 1
    /// Any number of times.
    case repeated = 2
}

/// What values mean beyond their physical type; the old annotations (`ConvertedType`) are read as these.
package enum LogicalAnnotation: Hashable, Sendable {
    /// UTF-8 text.
    case string
    /// A map.
    case map
    /// A list.
    case list
    /// A name out of a set.
    case enumeration
    /// Integer times 10^-scale.
    case decimal(precision: Int, scale: Int)
    /// Days since 1970-01-01.
    case date
    /// Time of day, in 10^-exponent seconds (3, 6 or 9).
    case time(isUTC: Bool, exponent: Int)
    /// Moment, in 10^-exponent seconds (3, 6 or 9).
    case timestamp(isUTC: Bool, exponent: Int)
    /// Integer of 8 to 64 bits.
    case integer(bits: Int, isSigned: Bool)
    /// Nothing but nulls.
    case unknown
    /// JSON text.
    case json
    /// BSON.
    case bson
    /// 16 bytes.
    case uuid
    /// Half precision.
    case float16
    /// Months, days and milliseconds.
    case interval
    /// Another number of the specification, by that number.
    case other(Int)
}
