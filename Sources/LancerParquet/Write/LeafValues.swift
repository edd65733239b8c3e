import LancerArrow
import LancerBytes

/// Values of a leaf in Parquet's form, without nulls.
enum LeafValues {
    case bits([Bool])
    /// Values of one width back to back.
    case fixed(ArrowBuffer, width: Int)
    /// Where in the data each value is.
    case bytes([Range<Int>], ArrowBuffer)

    var count: Int {
        switch self {
        case .bits(let bits): bits.count
        case .fixed(let buffer, let width): buffer.count / width
        case .bytes(let ranges, _): ranges.count
        }
    }

    /// Converts the values that are there.
    ///
    /// - Throws: `invalidArgument` for values that Parquet's form of the type has not, `limitExceeded` for values of
    ///   2 GiB.
    init(_ rows: ShreddedRows, _ leaf: WriteLeaf) throws(LanceError) {
        switch (leaf.conversion, rows.leaf.storage) {
        case (.nothing, _): self = .fixed(.empty, width: 4)
        case (.bits, .boolean(let bits)):
            switch rows.present {
            case .range(let range): self = .bits(range.map { bits[$0] })
            case .indices(let indices): self = .bits(indices.map { bits[$0] })
            }
        case (.bytes(let width), .variableWidth(let offsets, let data)):
            self = .bytes(try Self.ranges(offsets, width, rows.present), data)
        case (let conversion, .fixedWidth(let values)):
            self = try FixedConversion(values, rows.present, leaf).values(conversion)
        default: throw .corrupt("an array of \(rows.leaf.type) whose values are stored as another type's")
        }
    }

    private static func ranges(
        _ offsets: ArrowBuffer,
        _ width: Int,
        _ present: ShreddedRows.Present
    ) throws(LanceError) -> [Range<Int>] {
        let aligned = offsets.aligned(to: 8)
        let result: [Range<Int>] =
            width == 8
            ? aligned.withValues(of: Int64.self) { offsets in
                present.map { Int(offsets[$0])..<Int(offsets[$0 + 1]) }
            }
            : aligned.withValues(of: Int32.self) { offsets in
                present.map { Int(offsets[$0])..<Int(offsets[$0 + 1]) }
            }
        guard width == 4 || result.allSatisfy({ $0.count < Int(Int32.max) - 1024 }) else {
            throw .limitExceeded("a value of 2 GiB or more; Parquet's pages end there")
        }
        return result
    }
}

extension ShreddedRows.Present {
    @inline(__always)
    fileprivate func map<T>(_ transform: (Int) -> T) -> [T] {
        switch self {
        case .range(let range): range.map(transform)
        case .indices(let indices): indices.map(transform)
        }
    }
}

/// Values of one width on their way into the file.
private struct FixedConversion {
    private let values: ArrowBuffer
    private let present: ShreddedRows.Present
    private let leaf: WriteLeaf

    init(_ values: ArrowBuffer, _ present: ShreddedRows.Present, _ leaf: WriteLeaf) {
        self.values = values
        self.present = present
        self.leaf = leaf
    }

    func values(_ conversion: LeafEncoding) throws(LanceError) -> LeafValues {
        switch conversion {
        case .copy(let width): return .fixed(copy(width), width: width)
        case .widen(1, true): return .fixed(converted { (value: Int8) in Int32(value) }, width: 4)
        case .widen(1, _): return .fixed(converted { (value: UInt8) in Int32(value) }, width: 4)
        case .widen(_, true): return .fixed(converted { (value: Int16) in Int32(value) }, width: 4)
        case .widen: return .fixed(converted { (value: UInt16) in Int32(value) }, width: 4)
        case .milliseconds(4): return .fixed(try milliseconds(Int32.self), width: 4)
        case .milliseconds: return .fixed(try milliseconds(Int64.self), width: 8)
        case .days: return .fixed(try days(), width: 4)
        case .decimal(let from, let to, let shift): return .fixed(try decimals(from, to, shift), width: to)
        case .nothing, .bits, .bytes: throw .corrupt("values of one width where \(conversion) is expected")
        }
    }

    private func copy(_ width: Int) -> ArrowBuffer {
        switch present {
        case .range(let range): return values.slice(values: range, width: width)
        case .indices(let indices):
            switch width {
            case 2: return converted(indices) { (value: UInt16) in value }
            case 4: return converted(indices) { (value: UInt32) in value }
            case 8: return converted(indices) { (value: UInt64) in value }
            default:
                return ArrowBuffer(count: indices.count * width) { room in
                    guard var target = room.baseAddress else { return }
                    for index in indices {
                        target.copyMemory(from: values.start + index * width, byteCount: width)
                        target += width
                    }
                }
            }
        }
    }

    private func converted<From: BitwiseCopyable, To: BitwiseCopyable>(_ transform: (From) -> To) -> ArrowBuffer {
        switch present {
        case .range(let range): converted(range, transform)
        case .indices(let indices): converted(indices, transform)
        }
    }

    @inline(__always)
    private func converted<From: BitwiseCopyable, To: BitwiseCopyable>(
        _ indices: some RandomAccessCollection<Int>,
        _ transform: (From) -> To
    ) -> ArrowBuffer {
        ArrowBuffer(count: indices.count * MemoryLayout<To>.size) { room in
            guard var target = room.baseAddress else { return }
            for index in indices {
                let offset = index &* MemoryLayout<From>.size
                let value = values.start.loadUnaligned(fromByteOffset: offset, as: From.self)
                target.storeBytes(of: transform(value), as: To.self)
                target += MemoryLayout<To>.size
            }
        }
    }

    private func milliseconds<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(LanceError) -> ArrowBuffer
    {
        var failed: T?
        let result = converted { (value: T) -> T in
            let (product, overflow) = value.multipliedReportingOverflow(by: 1000)
            if overflow { failed = value }
            return product
        }
        if let failed {
            throw .invalidArgument("\(failed) seconds do not fit the milliseconds that Parquet stores")
        }
        return result
    }

    private func days() throws(LanceError) -> ArrowBuffer {
        var failed: Int64?
        let result = converted { (value: Int64) -> Int32 in
            let (days, rest) = value.quotientAndRemainder(dividingBy: 86_400_000)
            guard rest == 0, let exact = Int32(exactly: days) else {
                failed = value
                return 0
            }
            return exact
        }
        if let failed {
            throw .invalidArgument("date64 \(failed) is not a whole number of days, which is what Parquet stores")
        }
        return result
    }

    /// Two's complement numbers, big-endian, of `to` bytes.
    private func decimals(_ from: Int, _ to: Int, _ shift: Int) throws(LanceError) -> ArrowBuffer {
        let indices = present.map { $0 }
        var failed = false
        // Room for the zeros behind, too.
        var number = [UInt8](repeating: 0, count: max(from, to) + 40)
        let result = ArrowBuffer(count: indices.count * to) { room in
            guard var target = room.baseAddress else { return }
            for index in indices {
                let value = UnsafeRawBufferPointer(start: values.start + index * from, count: from)
                let sign: UInt8 = value[from - 1] & 0x80 == 0 ? 0 : 0xFF
                var count = from
                if shift > 0 {
                    for position in number.indices { number[position] = position < from ? value[position] : sign }
                    for _ in 0..<shift { Self.timesTen(&number) }
                    count = number.count
                }
                for position in 0..<max(count, to) {
                    let byte = position >= count ? sign : shift > 0 ? number[position] : value[position]
                    if position < to {
                        target.storeBytes(of: byte, toByteOffset: to - 1 - position, as: UInt8.self)
                    } else if byte != sign {
                        failed = true
                    }
                }
                if target.load(as: UInt8.self) & 0x80 != sign & 0x80 { failed = true }
                target += to
            }
        }
        if failed { throw .invalidArgument("a decimal has more digits than the precision of its column") }
        return result
    }

    private static func timesTen(_ number: inout [UInt8]) {
        var carry = 0
        for position in number.indices {
            carry += Int(number[position]) * 10
            number[position] = UInt8(truncatingIfNeeded: carry)
            carry >>= 8
        }
    }
}
