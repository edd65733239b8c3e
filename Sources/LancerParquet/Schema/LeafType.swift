import LancerArrow
import LancerBytes

/// Which Arrow type the values of a column become.
///
/// Spec: Parquet, LogicalTypes.
enum LeafType {
    /// The type by the column's own description, or `hint` when its values are stored in the same way.
    ///
    /// - Throws: `corrupt` for impossible lengths and precisions.
    static func arrowType(
        _ element: SchemaElement,
        _ physical: PhysicalType,
        hint: ArrowType?
    ) throws(LanceError) -> ArrowType {
        let own = try ownType(element, physical)
        guard let hint else { return own }
        return adopted(hint, own, physical) ?? own
    }

    private static func ownType(_ element: SchemaElement, _ physical: PhysicalType) throws(LanceError) -> ArrowType {
        if element.annotation == .unknown { return .null }
        if case .decimal(let precision, let scale)? = element.annotation,
            let type = try decimal(precision, scale, physical, element.typeLength)
        {
            return type
        }
        switch physical {
        case .boolean: return .bool
        case .int32: return int32(element.annotation)
        case .int64: return int64(element.annotation)
        case .int96: return .timestamp(.nanosecond, timezone: nil)
        case .float: return .float32
        case .double: return .float64
        case .byteArray:
            switch element.annotation {
            case .string, .json, .enumeration: return .utf8
            default: return .binary
            }
        case .fixedLengthByteArray:
            guard element.typeLength >= 0 else {
                throw .corrupt("FIXED_LEN_BYTE_ARRAY of \(element.typeLength) bytes")
            }
            if element.annotation == .float16, element.typeLength == 2 { return .float16 }
            return .fixedSizeBinary(element.typeLength)
        }
    }

    private static func int32(_ annotation: LogicalAnnotation?) -> ArrowType {
        switch annotation {
        case .integer(let bits, let isSigned):
            switch bits {
            case 8: isSigned ? .int8 : .uint8
            case 16: isSigned ? .int16 : .uint16
            default: isSigned ? .int32 : .uint32
            }
        case .date: .date32
        case .time(_, 3): .time32(.millisecond)
        default: .int32
        }
    }

    private static func int64(_ annotation: LogicalAnnotation?) -> ArrowType {
        switch annotation {
        case .integer(_, false): .uint64
        case .time(_, 6): .time64(.microsecond)
        case .time(_, 9): .time64(.nanosecond)
        case .timestamp(let isUTC, let exponent):
            .timestamp(
                exponent == 3 ? .millisecond : exponent == 6 ? .microsecond : .nanosecond,
                timezone: isUTC ? "UTC" : nil
            )
        default: .int64
        }
    }

    private static func decimal(
        _ precision: Int,
        _ scale: Int,
        _ physical: PhysicalType,
        _ length: Int
    ) throws(LanceError) -> ArrowType? {
        switch physical {
        case .int32, .int64, .byteArray: break
        case .fixedLengthByteArray:
            guard length > 0 else { throw .corrupt("decimal of \(length) bytes") }
        default: return nil
        }
        guard precision > 0, (-1024...1024).contains(scale) else {
            throw .corrupt("decimal of precision \(precision) and scale \(scale)")
        }
        guard precision <= 76 else {
            throw .unsupported("decimal of precision \(precision); Arrow's end at 76 digits")
        }
        return precision <= 38
            ? .decimal128(precision: precision, scale: scale) : .decimal256(precision: precision, scale: scale)
    }

    /// `hint` where it is another meaning of the same stored values, else nil.
    private static func adopted(_ hint: ArrowType, _ own: ArrowType, _ physical: PhysicalType) -> ArrowType? {
        if hint == own { return own }
        switch (own, hint) {
        case (.timestamp(let unit, _), .timestamp(let wanted, let zone)):
            if unit == wanted || physical == .int96 || (unit == .millisecond && wanted == .second) { return hint }
            return .timestamp(unit, timezone: zone)
        case (.time32(.millisecond), .time32(.second)), (.date32, .date64), (.int64, .duration), (.int64, .uint32),
            (.utf8, .largeUtf8), (.binary, .largeBinary):
            return hint
        case (.decimal128(let precision, let scale), .decimal128(let wanted, let wantedScale)),
            (.decimal128(let precision, let scale), .decimal256(let wanted, let wantedScale)),
            (.decimal256(let precision, let scale), .decimal128(let wanted, let wantedScale)),
            (.decimal256(let precision, let scale), .decimal256(let wanted, let wantedScale)):
            // Scales that Parquet has not are written as others, see `LeafStorage`.
            guard let stored = LeafStorage.decimal(wanted, wantedScale), wantedScale >= 0 || physical.isFixedBytes
            else {
                return nil
            }
            return stored == (precision, scale) ? hint : nil
        case (_, .dictionary(let index, let value, let ordered)):
            guard index.isInteger, let value = adopted(value, own, physical) else { return nil }
            return .dictionary(index: index, value: value, ordered: ordered)
        default: return nil
        }
    }
}
