import LancerArrow

/// How the values of an Arrow type without children are stored.
///
/// Spec: Parquet, LogicalTypes. What several Arrow types share one form of is told apart by `ARROW:schema`.
struct LeafStorage {
    let physicalType: PhysicalType
    var typeLength = 0
    var annotation: LogicalAnnotation?
    let conversion: LeafEncoding
    let order: ValueOrder

    /// nil for types with children, and for dictionaries, whose values are stored.
    ///
    /// - Parameter extensionName: Name of the Arrow extension type; some have an annotation of their own.
    init?(_ type: ArrowType, extensionName: String?) {
        switch type {
        case .null: self.init(.int32, .unknown, .nothing, .none)
        case .bool: self.init(.boolean, nil, .bits, .bool)
        case .int8: self.init(.int32, .integer(bits: 8, isSigned: true), .widen(from: 1, isSigned: true), .int32)
        case .int16: self.init(.int32, .integer(bits: 16, isSigned: true), .widen(from: 2, isSigned: true), .int32)
        case .uint8: self.init(.int32, .integer(bits: 8, isSigned: false), .widen(from: 1, isSigned: false), .uint32)
        case .uint16: self.init(.int32, .integer(bits: 16, isSigned: false), .widen(from: 2, isSigned: false), .uint32)
        case .int32: self.init(.int32, nil, .copy(4), .int32)
        case .uint32: self.init(.int32, .integer(bits: 32, isSigned: false), .copy(4), .uint32)
        case .int64: self.init(.int64, nil, .copy(8), .int64)
        case .uint64: self.init(.int64, .integer(bits: 64, isSigned: false), .copy(8), .uint64)
        case .float16: self.init(.fixedLengthByteArray, length: 2, .float16, .copy(2), .float16)
        case .float32: self.init(.float, nil, .copy(4), .float32)
        case .float64: self.init(.double, nil, .copy(8), .float64)
        case .date32: self.init(.int32, .date, .copy(4), .int32)
        case .date64: self.init(.int32, .date, .days, .int32)
        case .time32(.second): self.init(.int32, .time(isUTC: false, exponent: 3), .milliseconds(4), .int32)
        case .time32: self.init(.int32, .time(isUTC: false, exponent: 3), .copy(4), .int32)
        case .time64(let unit): self.init(.int64, .time(isUTC: false, exponent: unit.exponent), .copy(8), .int64)
        case .timestamp(let unit, let zone):
            self.init(
                .int64,
                .timestamp(isUTC: zone != nil, exponent: unit.exponent),
                unit == .second ? .milliseconds(8) : .copy(8),
                .int64
            )
        case .duration: self.init(.int64, nil, .copy(8), .int64)
        case .utf8, .largeUtf8:
            let annotation: LogicalAnnotation = extensionName == "arrow.json" ? .json : .string
            self.init(.byteArray, annotation, .bytes(type.offsetWidth ?? 4), .text)
        case .binary, .largeBinary: self.init(.byteArray, nil, .bytes(type.offsetWidth ?? 4), .bytes)
        case .fixedSizeBinary(let size):
            let annotation: LogicalAnnotation? = extensionName == "arrow.uuid" && size == 16 ? .uuid : nil
            self.init(.fixedLengthByteArray, length: size, annotation, .copy(size), .bytes)
        case .decimal128(let precision, let scale): self.init(decimal: precision, scale, bytes: 16)
        case .decimal256(let precision, let scale): self.init(decimal: precision, scale, bytes: 32)
        case .list, .largeList, .fixedSizeList, .structure, .map, .dictionary: return nil
        }
    }

    private init(
        _ physicalType: PhysicalType,
        length: Int = 0,
        _ annotation: LogicalAnnotation?,
        _ conversion: LeafEncoding,
        _ order: ValueOrder
    ) {
        self.physicalType = physicalType
        typeLength = length
        self.annotation = annotation
        self.conversion = conversion
        self.order = order
    }

    /// Scales below zero and above the precision are not Parquet's: such values get zeros behind or a higher precision.
    private init?(decimal precision: Int, _ scale: Int, bytes: Int) {
        guard let stored = Self.decimal(precision, scale) else { return nil }
        let length = Self.bytes(digits: stored.precision)
        self.init(
            .fixedLengthByteArray,
            length: length,
            .decimal(precision: stored.precision, scale: stored.scale),
            .decimal(from: bytes, to: length, shift: max(-scale, 0)),
            .decimal
        )
    }

    /// Precision and scale in the file of a decimal of the given ones, nil when Parquet cannot hold it.
    static func decimal(_ precision: Int, _ scale: Int) -> (precision: Int, scale: Int)? {
        guard precision > 0, (-76...76).contains(scale) else { return nil }
        let stored = max(scale < 0 ? precision - scale : precision, scale)
        return stored <= 76 ? (stored, max(scale, 0)) : nil
    }

    /// Bytes that every number of so many decimal digits fits, with its sign.
    static func bytes(digits: Int) -> Int {
        var length = 1
        // 10^digits - 1 needs digits * log2(10) bits; the fraction is a little above it.
        while 8 * length - 1 < (digits * 33_219_281 + 9_999_999) / 10_000_000 { length += 1 }
        return length
    }
}

extension TimeUnit {
    /// 10 to the minus this is the unit, in seconds; Parquet has nothing above milliseconds.
    fileprivate var exponent: Int {
        switch self {
        case .second, .millisecond: 3
        case .microsecond: 6
        case .nanosecond: 9
        }
    }
}
