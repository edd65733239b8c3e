import LancerArrow
import LancerBytes

/// Values of a column as they are stored, without nulls.
enum PhysicalValues {
    /// Booleans.
    case bits(Bitmap)
    /// Values of one width.
    case fixed(ArrowBuffer, width: Int)
    /// 32-bit offsets into bytes.
    case bytes(offsets: ArrowBuffer, data: ArrowBuffer)

    var count: Int {
        switch self {
        case .bits(let bits): bits.count
        case .fixed(let buffer, let width): width == 0 ? 0 : buffer.count / width
        case .bytes(let offsets, _): offsets.count / 4 - 1
        }
    }

    func slice(_ range: Range<Int>) -> PhysicalValues {
        switch self {
        case .bits(let bits): .bits(bits.slice(range))
        case .fixed(let buffer, let width): .fixed(buffer.slice(values: range, width: width), width: width)
        case .bytes(let offsets, let data): .bytes(offsets: offsets.slice(offsets: range, width: 4), data: data)
        }
    }
}

/// Collects values as they are stored.
final class ValueBuilder {
    /// The form of the values.
    enum Shape: Equatable {
        case bits
        case fixed(Int)
        case bytes

        init(_ leaf: LeafColumn) throws(LanceError) {
            switch leaf.physicalType {
            case .boolean: self = .bits
            case .int32, .float: self = .fixed(4)
            case .int64, .double: self = .fixed(8)
            case .int96: self = .fixed(12)
            case .byteArray: self = .bytes
            case .fixedLengthByteArray:
                guard leaf.typeLength > 0 else {
                    throw .unsupported("Parquet column \"\(leaf.path)\" of values of \(leaf.typeLength) bytes")
                }
                self = .fixed(leaf.typeLength)
            }
        }
    }

    let shape: Shape
    private(set) var count = 0
    private var bits = BitmapBuilder()
    private var fixed = BufferBuilder()
    private var offsets = BufferBuilder()
    private var data = BufferBuilder()

    init(_ shape: Shape) {
        self.shape = shape
        offsets.append(Int32(0))
    }

    /// Bytes collected.
    var sizeInBytes: Int { bits.count / 8 + fixed.count + offsets.count + data.count }

    func append(bit: Bool) {
        bits.append(bit)
        count += 1
    }

    /// Appends `values` values of the fixed width, which `fill` writes.
    func append(
        fixed values: Int,
        width: Int,
        _ fill: (UnsafeMutableRawBufferPointer) throws(LanceError) -> Void
    )
        throws(LanceError)
    {
        try fixed.append(upTo: values * width) { (room) throws(LanceError) -> Int in
            try fill(room)
            return room.count
        }
        count += values
    }

    /// Makes room for `values` values, as far as they take no more than `limit` bytes.
    func expect(_ values: Int, atMost limit: Int) {
        guard case .fixed(let width) = shape, values <= limit / width else { return }
        fixed.reserve(values * width)
    }

    /// Makes room for values of `bytes` bytes altogether.
    func reserve(values: Int, bytes: Int) {
        offsets.reserve(values * 4)
        data.reserve(bytes)
    }

    /// Appends one value.
    ///
    /// - Throws: `limitExceeded` above 2 GiB.
    @inline(__always)
    func append(_ value: UnsafeRawBufferPointer) throws(LanceError) {
        data.append(value)
        guard let end = Int32(exactly: data.count) else { throw tooLarge }
        offsets.append(end)
        count &+= 1
    }

    @inline(never)
    private var tooLarge: LanceError { .limitExceeded("more than 2 GiB of one Parquet column for a single row") }

    /// Memory to ask for at once when the last time took `count` bytes.
    private static func room(_ count: Int) -> Int { count < 1 << 16 ? 0 : min(count + count / 16, 32 << 20) }

    /// Everything collected; the builder is empty afterwards, with room for as much again.
    func finish() -> PhysicalValues {
        count = 0
        let sizes = (offsets: offsets.count, data: data.count)
        defer {
            offsets.reserve(Self.room(sizes.offsets))
            data.reserve(Self.room(sizes.data))
        }
        switch shape {
        case .bits:
            var taken = BitmapBuilder()
            swap(&taken, &bits)
            return .bits(taken.finish())
        case .fixed(let width):
            var taken = BufferBuilder()
            swap(&taken, &fixed)
            return .fixed(taken.finish(), width: width)
        case .bytes:
            var takenOffsets = BufferBuilder()
            takenOffsets.append(Int32(0))
            swap(&takenOffsets, &offsets)
            var takenData = BufferBuilder()
            swap(&takenData, &data)
            return .bytes(offsets: takenOffsets.finish(), data: takenData.finish())
        }
    }
}
