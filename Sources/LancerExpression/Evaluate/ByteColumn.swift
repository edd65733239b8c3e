import LancerArrow
import LancerBytes

/// The texts or byte strings of an operand, found without a copy.
///
/// The pointers are good as long as the operand lives; whoever makes one keeps the operand until the last use.
struct ByteColumn {
    private let offsets: UnsafeRawPointer
    private let data: UnsafeRawPointer
    /// Bytes of an offset, or 0 for values of fixed size.
    private let offsetWidth: Int
    private let size: Int
    private let isConstant: Bool

    /// - Throws: `schemaMismatch` when the operand holds something else.
    init(_ operand: Operand) throws(LanceError) {
        isConstant = operand.isConstant
        switch operand.array.storage {
        case .variableWidth(let offsets, let data):
            self.offsets = offsets.start
            self.data = data.start
            // An array of no values may come without offsets; it is never asked for one.
            offsetWidth = operand.type.offsetWidth ?? 4
            size = 0
        case .fixedWidth(let values):
            offsets = values.start
            data = values.start
            offsetWidth = 0
            size = operand.type.byteWidth ?? 0
        default: throw .schemaMismatch("\(operand.type) does not hold bytes")
        }
    }

    /// The bytes of a row.
    @inline(__always)
    subscript(row: Int) -> UnsafeRawBufferPointer {
        let index = isConstant ? 0 : row
        switch offsetWidth {
        case 0: return UnsafeRawBufferPointer(start: data + index &* size, count: size)
        case 4:
            let start = Int(offsets.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self))
            let end = Int(offsets.loadUnaligned(fromByteOffset: index &* 4 &+ 4, as: Int32.self))
            return UnsafeRawBufferPointer(start: data + start, count: end &- start)
        default:
            let start = Int(offsets.loadUnaligned(fromByteOffset: index &* 8, as: Int64.self))
            let end = Int(offsets.loadUnaligned(fromByteOffset: index &* 8 &+ 8, as: Int64.self))
            return UnsafeRawBufferPointer(start: data + start, count: end &- start)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes.
    @inline(__always)
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index &+ 8 <= count {
            let mine = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if mine != other.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
            index &+= 8
        }
        while index < count {
            if self[index] != other[index] { return false }
            index &+= 1
        }
        return true
    }

    /// Negative, zero or positive as the bytes come before, are equal to or come after the other's.
    @inline(__always)
    func order(_ other: UnsafeRawBufferPointer) -> Int {
        let shared = Swift.min(count, other.count)
        var index = 0
        while index &+ 8 <= shared {
            let mine = loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let theirs = other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if mine != theirs { return mine.bigEndian < theirs.bigEndian ? -1 : 1 }
            index &+= 8
        }
        while index < shared {
            if self[index] != other[index] { return self[index] < other[index] ? -1 : 1 }
            index &+= 1
        }
        return count &- other.count
    }
}
