import LancerBytes

extension ArrowArray {
    /// The value at `index` as a Swift value; for small uses. A dictionary's value is looked up.
    public func value(at index: Int) -> ArrowValue {
        precondition(index >= 0 && index < length, "index outside the array")
        if isNull(index) { return .null }
        switch storage {
        case .null: return .null
        case .boolean(let bits): return .bool(bits[index])
        case .fixedWidth(let values): return fixedValue(values, index)
        case .variableWidth(let offsets, let data):
            let width = type.offsetWidth ?? 4
            let range = offsets.offset(at: index, width: width)..<offsets.offset(at: index + 1, width: width)
            let bytes = data.slice(range).bytes
            switch type {
            case .utf8, .largeUtf8: return .string(String(decoding: bytes, as: UTF8.self))
            default: return .bytes(bytes)
            }
        case .list(let offsets, let child):
            let width = type.offsetWidth ?? 4
            let range = offsets.offset(at: index, width: width)..<offsets.offset(at: index + 1, width: width)
            return .list(range.map { child.value(at: $0) })
        case .fixedSizeList(let child):
            guard case .fixedSizeList(_, let size) = type else { return .null }
            return .list(((index * size)..<(index * size + size)).map { child.value(at: $0) })
        case .structure(let children):
            return .structure(zip(type.children, children).map { .init($0.name, $1.value(at: index)) })
        case .dictionary(let indices, let values):
            return values.value(at: indices.dictionaryIndex(at: index, width: type.byteWidth ?? 4))
        }
    }

    /// All values as Swift values; for small uses.
    public var allValues: [ArrowValue] { (0..<length).map { value(at: $0) } }

    private func fixedValue(_ values: ArrowBuffer, _ index: Int) -> ArrowValue {
        values.withUnsafeBytes { bytes in
            func load<T: BitwiseCopyable>(_ type: T.Type) -> T {
                bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self)
            }
            switch type {
            case .int8: return .int(Int64(load(Int8.self)))
            case .int16: return .int(Int64(load(Int16.self)))
            case .int32, .date32, .time32: return .int(Int64(load(Int32.self)))
            case .int64, .date64, .time64, .timestamp, .duration: return .int(load(Int64.self))
            case .uint8: return .uint(UInt64(load(UInt8.self)))
            case .uint16: return .uint(UInt64(load(UInt16.self)))
            case .uint32: return .uint(UInt64(load(UInt32.self)))
            case .uint64: return .uint(load(UInt64.self))
            case .float16: return .float(Double(HalfFloat.value(load(UInt16.self))))
            case .float32: return .float(Double(load(Float.self)))
            case .float64: return .float(load(Double.self))
            case .decimal128(_, let scale):
                let words = load((UInt64, UInt64).self)
                return .decimal(Int256(low: words.0, high: words.1), scale: scale)
            case .decimal256(_, let scale): return .decimal(load(Int256.self), scale: scale)
            case .fixedSizeBinary(let size): return .bytes(Array(bytes[(index * size)..<(index * size + size)]))
            case .null, .bool, .utf8, .largeUtf8, .binary, .largeBinary, .list, .largeList, .fixedSizeList, .structure,
                .map, .dictionary:
                return .null
            }
        }
    }

    /// Calls `body` with the values of a fixed-width array, nulls' memory included.
    ///
    /// - Throws: `schemaMismatch` when a value is not of `T`'s size.
    public func withValues<T: BitwiseCopyable, R>(
        of valueType: T.Type,
        _ body: (UnsafeBufferPointer<T>) throws(LanceError) -> R
    ) throws(LanceError) -> R {
        guard case .fixedWidth(let values) = storage, type.byteWidth == MemoryLayout<T>.stride else {
            throw .schemaMismatch("\(type) does not hold values of \(MemoryLayout<T>.stride) bytes")
        }
        return try values.aligned(to: MemoryLayout<T>.alignment).withValues(of: T.self, body)
    }

    /// Calls `body` with the bytes of one text, binary or fixed-size binary value (of the memory under a null, too).
    ///
    /// - Throws: `schemaMismatch` when the array holds something else.
    public func withBytes<R>(
        at index: Int,
        _ body: (UnsafeRawBufferPointer) throws(LanceError) -> R
    ) throws(LanceError) -> R {
        precondition(index >= 0 && index < length, "index outside the array")
        switch storage {
        case .variableWidth(let offsets, let data):
            let width = type.offsetWidth ?? 4
            let range = offsets.offset(at: index, width: width)..<offsets.offset(at: index + 1, width: width)
            return try data.slice(range).withUnsafeBytes(body)
        case .fixedWidth(let values):
            let width = type.byteWidth ?? 0
            return try values.slice((index * width)..<(index * width + width)).withUnsafeBytes(body)
        default: throw .schemaMismatch("\(type) does not hold bytes")
        }
    }
}

extension ArrowBuffer {
    /// The dictionary index at `index`, of 1, 2, 4 or 8 bytes.
    ///
    /// Read as unsigned: a negative index of a signed type comes out too large for any dictionary, so that one
    /// comparison finds both kinds of bad index.
    @inline(__always)
    package func dictionaryIndex(at index: Int, width: Int) -> Int {
        withUnsafeBytes { $0.dictionaryIndex(at: index, width: width) }
    }
}

extension UnsafeRawBufferPointer {
    /// The dictionary index at `index`, of 1, 2, 4 or 8 bytes, read as unsigned (`Int.max` when even larger).
    @inline(__always)
    package func dictionaryIndex(at index: Int, width: Int) -> Int {
        switch width {
        case 1: return Int(self[index])
        case 2: return Int(loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
        case 4: return Int(loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
        default: return Int(clamping: loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
    }
}
