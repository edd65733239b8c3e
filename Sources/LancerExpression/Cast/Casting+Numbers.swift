import LancerArrow
import LancerBytes

extension Casting {
    /// Integers, dates, times, timestamps and durations as int64; uint64 above the largest int64 is clamped.
    static func int64(_ array: ArrowArray) throws(LanceError) -> ArrowArray {
        switch array.type {
        case .int64: return array
        case .date64, .time64, .timestamp, .duration:
            return ArrowArray(type: .int64, length: array.length, validity: array.validity, storage: array.storage)
        case .int8: return try widen(array, Int8.self)
        case .int16: return try widen(array, Int16.self)
        case .int32, .date32, .time32: return try widen(array, Int32.self)
        case .uint8: return try widen(array, UInt8.self)
        case .uint16: return try widen(array, UInt16.self)
        case .uint32: return try widen(array, UInt32.self)
        case .uint64: return try widen(array, UInt64.self)
        default: throw .invalidArgument("\(array.type.shortName) is no integer")
        }
    }

    private static func widen<T: FixedWidthInteger & BitwiseCopyable>(
        _ array: ArrowArray,
        _ type: T.Type
    ) throws(LanceError) -> ArrowArray {
        try convert(array, type, to: .int64, .saturating) { (Int64(clamping: $0), true) }
    }

    /// Integers made from int64 values one by one; nil is out of range.
    static func mapInt64(
        _ array: ArrowArray,
        to type: ArrowType,
        _ mode: CastMode = .checked,
        _ body: (Int64) -> Int64?
    ) throws(LanceError) -> ArrowArray {
        let mapped = try convert(array, Int64.self, to: .int64, mode) { value in
            guard let result = body(value) else { return (value < 0 ? Int64.min : Int64.max, false) }
            return (result, true)
        }
        return try castInteger(mapped, to: type, mode)
    }

    /// Integers and counts of time to numbers, booleans and counts of time, by their number.
    static func castInteger(
        _ array: ArrowArray,
        to type: ArrowType,
        _ mode: CastMode
    ) throws(LanceError) -> ArrowArray {
        if array.type == .uint64 { return try integers(array, UInt64.self, to: type, mode) }
        return try integers(try int64(array), Int64.self, to: type, mode)
    }

    private static func integers<S: FixedWidthInteger & BitwiseCopyable>(
        _ array: ArrowArray,
        _ source: S.Type,
        to type: ArrowType,
        _ mode: CastMode
    ) throws(LanceError) -> ArrowArray {
        switch type {
        case .int8: return try narrow(array, source, Int8.self, type, mode)
        case .int16: return try narrow(array, source, Int16.self, type, mode)
        case .int32, .date32, .time32: return try narrow(array, source, Int32.self, type, mode)
        case .int64, .date64, .time64, .timestamp, .duration: return try narrow(array, source, Int64.self, type, mode)
        case .uint8: return try narrow(array, source, UInt8.self, type, mode)
        case .uint16: return try narrow(array, source, UInt16.self, type, mode)
        case .uint32: return try narrow(array, source, UInt32.self, type, mode)
        case .uint64: return try narrow(array, source, UInt64.self, type, mode)
        case .float64: return try convert(array, source, to: type, mode) { (Double($0), true) }
        case .float32: return try convert(array, source, to: type, mode) { (Float($0), true) }
        case .float16: return try convert(array, source, to: type, mode) { (HalfFloat.bits(Double($0)), true) }
        case .bool: return try booleans(array, source) { $0 != 0 }
        case .decimal128, .decimal256:
            return try decimals(array, source, to: type, mode) { value in
                Decimal(Int256(low: UInt64(truncatingIfNeeded: value), high: value < 0 ? .max : 0), scale: 0)
            }
        default: throw .invalidArgument("\(array.type.shortName) cannot become \(type.shortName)")
        }
    }

    private static func narrow<S: FixedWidthInteger & BitwiseCopyable, D: FixedWidthInteger & BitwiseCopyable>(
        _ array: ArrowArray,
        _ source: S.Type,
        _ target: D.Type,
        _ type: ArrowType,
        _ mode: CastMode
    ) throws(LanceError) -> ArrowArray {
        try convert(array, source, to: type, mode) { value in
            let result = D(truncatingIfNeeded: value)
            if result == value { return (result, true) }
            return (D(clamping: value), false)
        }
    }

    private static func booleans<S: BitwiseCopyable>(
        _ array: ArrowArray,
        _ source: S.Type,
        _ body: (S) -> Bool
    ) throws(LanceError) -> ArrowArray {
        let bits = try array.withValues(of: S.self) { values in BitWords.make(array.length) { body(values[$0]) } }
        return ArrowArray(
            type: .bool,
            length: array.length,
            validity: array.validity,
            storage: .boolean(BitWords.bitmap(bits, count: array.length))
        )
    }

    /// Floats to numbers and booleans.
    static func castFloat(_ array: ArrowArray, to type: ArrowType, _ mode: CastMode) throws(LanceError) -> ArrowArray {
        switch array.type {
        case .float64: break
        case .float32:
            let doubles = try convert(array, Float.self, to: .float64, mode) { (Double($0), true) }
            return type == .float64 ? doubles : try castFloat(doubles, to: type, mode)
        default:
            let doubles = try convert(array, UInt16.self, to: .float64, mode) { (Double(HalfFloat.value($0)), true) }
            return type == .float64 ? doubles : try castFloat(doubles, to: type, mode)
        }
        switch type {
        case .float32: return try convert(array, Double.self, to: type, mode) { (Float($0), true) }
        case .float16: return try convert(array, Double.self, to: type, mode) { (HalfFloat.bits($0), true) }
        case .bool: return try booleans(array, Double.self) { $0 != 0 }
        case .int8: return try truncate(array, Int8.self, type, mode)
        case .int16: return try truncate(array, Int16.self, type, mode)
        case .int32: return try truncate(array, Int32.self, type, mode)
        case .int64: return try truncate(array, Int64.self, type, mode)
        case .uint8: return try truncate(array, UInt8.self, type, mode)
        case .uint16: return try truncate(array, UInt16.self, type, mode)
        case .uint32: return try truncate(array, UInt32.self, type, mode)
        case .uint64: return try truncate(array, UInt64.self, type, mode)
        case .decimal128(_, let scale), .decimal256(_, let scale):
            return try decimals(array, Double.self, to: type, mode) { Decimal($0, scale: scale) }
        default: throw .invalidArgument("\(array.type.shortName) cannot become \(type.shortName)")
        }
    }

    private static func truncate<D: FixedWidthInteger & BitwiseCopyable>(
        _ array: ArrowArray,
        _ target: D.Type,
        _ type: ArrowType,
        _ mode: CastMode
    ) throws(LanceError) -> ArrowArray {
        try convert(array, Double.self, to: type, mode) { value in
            let whole = value.rounded(.towardZero)
            if let result = D(exactly: whole) { return (result, true) }
            return (value.isNaN ? 0 : value < 0 ? .min : .max, false)
        }
    }

    /// The memory of integers, lowest byte first.
    static func integerBytes(_ array: ArrowArray) throws(LanceError) -> ArrowArray {
        guard case .fixedWidth(let values) = array.storage, let width = array.type.byteWidth else {
            throw .invalidArgument("\(array.type.shortName) has no bytes")
        }
        guard values.count <= Int(Int32.max) else { throw .limitExceeded("more than 2^31 bytes in one column") }
        let offsets = ArrowBuffer((0...array.length).map { Int32($0 * width) })
        return ArrowArray(
            type: .binary,
            length: array.length,
            validity: array.validity,
            storage: .variableWidth(offsets: offsets, data: values)
        )
    }
}
