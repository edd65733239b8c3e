import LancerArrow
import LancerBytes

/// A value of fixed width with the order that comparisons use.
///
/// Floats are in the total order of IEEE 754: -NaN, -infinity, …, -0, +0, …, infinity, NaN. Their keys are integers.
protocol OrderedValue: BitwiseCopyable {
    associatedtype Key: Comparable & Hashable & BitwiseCopyable
    var key: Key { get }
    /// The key with both zeros made one.
    var keyJoiningZeros: Key { get }
}

extension OrderedValue where Key == Self {
    @inline(__always) var key: Self { self }
    @inline(__always) var keyJoiningZeros: Self { self }
}

extension Int8: OrderedValue {}
extension Int16: OrderedValue {}
extension Int32: OrderedValue {}
extension Int64: OrderedValue {}
extension UInt8: OrderedValue {}
extension UInt16: OrderedValue {}
extension UInt32: OrderedValue {}
extension UInt64: OrderedValue {}
extension Int128: OrderedValue {}
extension Int256: OrderedValue {}

extension Double: OrderedValue {
    @inline(__always) var key: Int64 {
        let bits = Int64(bitPattern: bitPattern)
        return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
    }
    @inline(__always) var keyJoiningZeros: Int64 { self == 0 ? 0 : key }
}

extension Float: OrderedValue {
    @inline(__always) var key: Int32 {
        let bits = Int32(bitPattern: bitPattern)
        return bits ^ Int32(bitPattern: UInt32(bitPattern: bits >> 31) >> 1)
    }
    @inline(__always) var keyJoiningZeros: Int32 { self == 0 ? 0 : key }
}

/// A half precision float, as its bits.
struct HalfBits: OrderedValue {
    var bits: UInt16

    @inline(__always) var key: Int16 {
        let signed = Int16(bitPattern: bits)
        return signed ^ Int16(bitPattern: UInt16(bitPattern: signed >> 15) >> 1)
    }
    @inline(__always) var keyJoiningZeros: Int16 { bits & 0x7FFF == 0 ? 0 : key }
}

/// Something to do with the values of an array whose type is known only when it runs.
protocol FixedWidthVisitor {
    associatedtype Result
    func visit<T: OrderedValue>(_ type: T.Type) throws(LanceError) -> Result
}

extension ArrowType {
    /// Calls the visitor with the Swift type of the values; nil when they have no fixed width and order.
    func visit<V: FixedWidthVisitor>(_ visitor: V) throws(LanceError) -> V.Result? {
        switch self {
        case .int8: try visitor.visit(Int8.self)
        case .int16: try visitor.visit(Int16.self)
        case .int32, .date32, .time32: try visitor.visit(Int32.self)
        case .int64, .date64, .time64, .timestamp, .duration: try visitor.visit(Int64.self)
        case .uint8: try visitor.visit(UInt8.self)
        case .uint16: try visitor.visit(UInt16.self)
        case .uint32: try visitor.visit(UInt32.self)
        case .uint64: try visitor.visit(UInt64.self)
        case .float16: try visitor.visit(HalfBits.self)
        case .float32: try visitor.visit(Float.self)
        case .float64: try visitor.visit(Double.self)
        case .decimal128: try visitor.visit(Int128.self)
        case .decimal256: try visitor.visit(Int256.self)
        case .null, .bool, .utf8, .largeUtf8, .binary, .largeBinary, .fixedSizeBinary, .list, .largeList,
            .fixedSizeList, .structure, .map, .dictionary:
            nil
        }
    }
}
