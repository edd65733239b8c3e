/// Unit of a time, timestamp or duration.
public enum TimeUnit: String, Sendable, Hashable, CaseIterable {
    /// Seconds.
    case second = "s"
    /// Milliseconds.
    case millisecond = "ms"
    /// Microseconds.
    case microsecond = "us"
    /// Nanoseconds.
    case nanosecond = "ns"
}

/// The logical type of a column, as Arrow defines it.
///
/// Types that Lance cannot store (views, run-end, intervals, unions, decimal32/64) are not here; reading them from
/// Arrow data throws `unsupported` with the type's name.
public indirect enum ArrowType: Sendable, Hashable {
    /// Nothing but nulls.
    case null
    /// One bit a value.
    case bool
    /// Signed 8-bit integer.
    case int8
    /// Signed 16-bit integer.
    case int16
    /// Signed 32-bit integer.
    case int32
    /// Signed 64-bit integer.
    case int64
    /// Unsigned 8-bit integer.
    case uint8
    /// Unsigned 16-bit integer.
    case uint16
    /// Unsigned 32-bit integer.
    case uint32
    /// Unsigned 64-bit integer.
    case uint64
    /// IEEE 754 half precision.
    case float16
    /// IEEE 754 single precision.
    case float32
    /// IEEE 754 double precision.
    case float64
    /// 128-bit two's complement integer times 10^-scale.
    case decimal128(precision: Int, scale: Int)
    /// 256-bit two's complement integer times 10^-scale.
    case decimal256(precision: Int, scale: Int)
    /// Days since 1970-01-01, 32 bits.
    case date32
    /// Milliseconds since 1970-01-01, 64 bits.
    case date64
    /// Time of day, 32 bits; seconds or milliseconds.
    case time32(TimeUnit)
    /// Time of day, 64 bits; microseconds or nanoseconds.
    case time64(TimeUnit)
    /// Moment since 1970-01-01T00:00:00 (UTC when there is a zone), 64 bits.
    case timestamp(TimeUnit, timezone: String?)
    /// Length of time, 64 bits.
    case duration(TimeUnit)
    /// UTF-8 text with 32-bit offsets.
    case utf8
    /// UTF-8 text with 64-bit offsets.
    case largeUtf8
    /// Bytes with 32-bit offsets.
    case binary
    /// Bytes with 64-bit offsets.
    case largeBinary
    /// Bytes, all values of the same length.
    case fixedSizeBinary(Int)
    /// Lists with 32-bit offsets.
    case list(ArrowField)
    /// Lists with 64-bit offsets.
    case largeList(ArrowField)
    /// Lists of the same length: vectors.
    case fixedSizeList(ArrowField, Int)
    /// Named children of the same length.
    case structure([ArrowField])
    /// Lists of (key, value) entries with 32-bit offsets; the field is the entries struct.
    case map(ArrowField, keysSorted: Bool)
    /// Integer indices (the first type) into an array of distinct values.
    case dictionary(index: ArrowType, value: ArrowType, ordered: Bool)
}

extension ArrowType {
    /// Bits of one value in the values buffer, or nil when the type has no fixed-width values buffer of its own
    /// (null, bool, text, nested). A dictionary reports its index.
    public var bitWidth: Int? {
        switch self {
        case .bool: 1
        case .int8, .uint8: 8
        case .int16, .uint16, .float16: 16
        case .int32, .uint32, .float32, .date32, .time32: 32
        case .int64, .uint64, .float64, .date64, .time64, .timestamp, .duration: 64
        case .decimal128: 128
        case .decimal256: 256
        case .fixedSizeBinary(let size): size * 8
        case .dictionary(let index, _, _): index.bitWidth
        case .null, .utf8, .largeUtf8, .binary, .largeBinary, .list, .largeList, .fixedSizeList, .structure, .map: nil
        }
    }

    /// Bytes of one value for types stored as whole bytes of fixed width (`bitWidth / 8`, not bool).
    public var byteWidth: Int? {
        if case .bool = self { return nil }
        return bitWidth.map { $0 / 8 }
    }

    /// True for int8 … uint64.
    public var isInteger: Bool {
        switch self {
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
        default: false
        }
    }

    /// True for signed integers.
    public var isSignedInteger: Bool {
        switch self {
        case .int8, .int16, .int32, .int64: true
        default: false
        }
    }

    /// True for float16, float32 and float64.
    public var isFloat: Bool {
        switch self {
        case .float16, .float32, .float64: true
        default: false
        }
    }

    /// Bytes of one offset for types with an offsets buffer: 4, 8, or nil.
    public var offsetWidth: Int? {
        switch self {
        case .utf8, .binary, .list, .map: 4
        case .largeUtf8, .largeBinary, .largeList: 8
        default: nil
        }
    }

    /// The child fields of a nested type, in order; empty for others.
    public var children: [ArrowField] {
        switch self {
        case .list(let item), .largeList(let item), .fixedSizeList(let item, _): [item]
        case .map(let entries, _): [entries]
        case .structure(let fields): fields
        default: []
        }
    }
}

extension ArrowType: CustomStringConvertible {
    /// Arrow's usual short form: `list<item: int32>`, `timestamp[us, tz=UTC]`, `fixed_size_list<item: float>[384]`.
    public var description: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .int8: "int8"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .uint8: "uint8"
        case .uint16: "uint16"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .float16: "halffloat"
        case .float32: "float"
        case .float64: "double"
        case .decimal128(let precision, let scale): "decimal128(\(precision), \(scale))"
        case .decimal256(let precision, let scale): "decimal256(\(precision), \(scale))"
        case .date32: "date32[day]"
        case .date64: "date64[ms]"
        case .time32(let unit): "time32[\(unit.rawValue)]"
        case .time64(let unit): "time64[\(unit.rawValue)]"
        case .timestamp(let unit, nil): "timestamp[\(unit.rawValue)]"
        case .timestamp(let unit, let zone?): "timestamp[\(unit.rawValue), tz=\(zone)]"
        case .duration(let unit): "duration[\(unit.rawValue)]"
        case .utf8: "string"
        case .largeUtf8: "large_string"
        case .binary: "binary"
        case .largeBinary: "large_binary"
        case .fixedSizeBinary(let size): "fixed_size_binary[\(size)]"
        case .list(let item): "list<\(item)>"
        case .largeList(let item): "large_list<\(item)>"
        case .fixedSizeList(let item, let size): "fixed_size_list<\(item)>[\(size)]"
        case .structure(let fields): "struct<\(fields.map(\.description).joined(separator: ", "))>"
        case .map(let entries, _):
            "map<\(entries.type.children.map { $0.type.description }.joined(separator: ", "))>"
        case .dictionary(let index, let value, let ordered):
            "dictionary<values=\(value), indices=\(index), ordered=\(ordered ? 1 : 0)>"
        }
    }
}
