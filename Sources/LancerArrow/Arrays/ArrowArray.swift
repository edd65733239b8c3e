import LancerBytes

/// A column of values in Arrow's memory layout.
///
/// One type for all columns: ``type`` says what the values mean, ``storage`` where they are. Slices are free and need no
/// offset: every buffer, bitmap and child is sliced itself. For hot loops take the buffers out of ``storage`` once.
public struct ArrowArray: Sendable {
    /// The buffers behind an array, by the shape of the type.
    ///
    /// Offsets and fixed-width buffers hold exactly `length + 1` offsets or `length` values; offsets need not start at
    /// zero, and the data or child they point into may be longer than what they cover.
    public indirect enum Storage: Sendable {
        /// Type null: no memory.
        case null
        /// Booleans, one bit each.
        case boolean(Bitmap)
        /// Numbers, temporal types, decimals, fixed-size binary: `length` values back to back.
        case fixedWidth(ArrowBuffer)
        /// Text and binary: 32- or 64-bit signed offsets (by the type) into the data.
        case variableWidth(offsets: ArrowBuffer, data: ArrowBuffer)
        /// Lists and maps: 32- or 64-bit signed offsets into the child.
        case list(offsets: ArrowBuffer, child: ArrowArray)
        /// `length * size` child values.
        case fixedSizeList(child: ArrowArray)
        /// Children of the same length.
        case structure([ArrowArray])
        /// Indices of the dictionary's index type into the values.
        case dictionary(indices: ArrowBuffer, values: ArrowArray)
    }

    /// What the values mean.
    public let type: ArrowType
    /// Number of values, nulls included.
    public let length: Int
    /// 1 = valid; nil when every value is valid. An array of type null has none, its values are all null.
    public let validity: Bitmap?
    /// Where the values are.
    public let storage: Storage

    /// Wraps buffers. They must fit `type` and `length`; ``validate()`` checks.
    public init(type: ArrowType, length: Int, validity: Bitmap? = nil, storage: Storage) {
        self.type = type
        self.length = length
        self.validity = validity
        self.storage = storage
    }

    /// Number of nulls.
    ///
    /// - Complexity: counts the bits of the validity bitmap.
    public var nullCount: Int {
        if case .null = type { return length }
        return validity.map { $0.count - $0.setCount } ?? 0
    }

    /// Whether the value at `index` is null by its own validity (a dictionary's values may add more nulls).
    @inlinable
    public func isNull(_ index: Int) -> Bool {
        if case .null = storage { return true }
        return validity.map { !$0[index] } ?? false
    }

    /// Part of the values, without a copy.
    public func slice(_ range: Range<Int>) -> ArrowArray {
        precondition(range.lowerBound >= 0 && range.upperBound <= length, "slice outside the array")
        if range.count == length { return self }
        return ArrowArray(
            type: type,
            length: range.count,
            validity: validity?.slice(range),
            storage: slicedStorage(range)
        )
    }

    private func slicedStorage(_ range: Range<Int>) -> Storage {
        switch storage {
        case .null: return .null
        case .boolean(let bits): return .boolean(bits.slice(range))
        case .fixedWidth(let values): return .fixedWidth(values.slice(values: range, width: type.byteWidth ?? 0))
        case .variableWidth(let offsets, let data):
            return .variableWidth(offsets: offsets.slice(offsets: range, width: type.offsetWidth ?? 4), data: data)
        case .list(let offsets, let child):
            return .list(offsets: offsets.slice(offsets: range, width: type.offsetWidth ?? 4), child: child)
        case .fixedSizeList(let child):
            guard case .fixedSizeList(_, let size) = type else { return storage }
            return .fixedSizeList(child: child.slice((range.lowerBound * size)..<(range.upperBound * size)))
        case .structure(let children): return .structure(children.map { $0.slice(range) })
        case .dictionary(let indices, let values):
            return .dictionary(indices: indices.slice(values: range, width: type.byteWidth ?? 0), values: values)
        }
    }

    /// Bytes of all buffers this array covers (shared dictionaries and validity included).
    public var sizeInBytes: Int {
        let bits = validity.map { ($0.count + 7) / 8 } ?? 0
        switch storage {
        case .null: return bits
        case .boolean(let values): return bits + (values.count + 7) / 8
        case .fixedWidth(let values): return bits + values.count
        case .variableWidth(let offsets, _):
            let range = offsetRange()
            return bits + offsets.count + range.count
        case .list(let offsets, let child):
            let range = offsetRange()
            return bits + offsets.count + (range.count > 0 ? child.slice(range).sizeInBytes : 0)
        case .fixedSizeList(let child): return bits + child.sizeInBytes
        case .structure(let children): return children.reduce(bits) { $0 + $1.sizeInBytes }
        case .dictionary(let indices, let values): return bits + indices.count + values.sizeInBytes
        }
    }

    /// First and last offset of an array with an offsets buffer (`0..<0` for others).
    public func offsetRange() -> Range<Int> {
        switch storage {
        case .variableWidth(let offsets, _), .list(let offsets, _):
            guard length > 0 else { return 0..<0 }
            let width = type.offsetWidth ?? 4
            return offsets.offset(at: 0, width: width)..<offsets.offset(at: length, width: width)
        default: return 0..<0
        }
    }
}

extension ArrowBuffer {
    /// Values `range` of a buffer of values of `width` bytes.
    package func slice(values range: Range<Int>, width: Int) -> ArrowBuffer {
        slice((range.lowerBound * width)..<(range.upperBound * width))
    }

    /// The `range.count + 1` offsets that delimit values `range`.
    package func slice(offsets range: Range<Int>, width: Int) -> ArrowBuffer {
        // An array of no values may come with an empty offsets buffer.
        if range.isEmpty, count < (range.lowerBound + 1) * width { return self }
        return slice((range.lowerBound * width)..<((range.upperBound + 1) * width))
    }

    /// The 32- or 64-bit offset at `index`.
    @inlinable
    package func offset(at index: Int, width: Int) -> Int {
        withUnsafeBytes { bytes in
            width == 4
                ? Int(bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
                : Int(bytes.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
        }
    }
}
