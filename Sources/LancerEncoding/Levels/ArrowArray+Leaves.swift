import LancerArrow
import LancerBytes

extension ArrowArray {
    /// The values in `ranges`, one after the other; a slice when they are one piece.
    func keeping(_ ranges: [Range<Int>]) throws(LanceError) -> ArrowArray {
        guard let first = ranges.first else { return slice(0..<0) }
        if ranges.count == 1 { return slice(first) }
        var indices: [Int] = []
        indices.reserveCapacity(ranges.reduce(0) { $0 + $1.count })
        for range in ranges { indices.append(contentsOf: range) }
        return try gather(indices)
    }

    /// Validity with the nulls among a dictionary's values taken in.
    package func logicalValidity() -> Bitmap? {
        guard case .dictionary(let indices, let values) = storage, values.nullCount > 0 else { return validity }
        let width = type.byteWidth ?? 4
        return Bitmap(count: length) { index in
            if isNull(index) { return false }
            let position = indices.index(at: index, width: width)
            return position >= 0 && position < values.length && !values.isNull(position)
        }
    }
}

extension ArrowBuffer {
    /// The dictionary index at `position` of a buffer of indices of `width` bytes.
    ///
    /// Negative and enormous indices come out negative: callers only need to know that they are out of range.
    package func index(at position: Int, width: Int) -> Int {
        withUnsafeBytes { bytes in
            switch width {
            case 1: Int(bytes[position])
            case 2: Int(bytes.loadUnaligned(fromByteOffset: position * 2, as: UInt16.self))
            case 4: Int(bytes.loadUnaligned(fromByteOffset: position * 4, as: UInt32.self))
            default: Int(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: position * 8, as: UInt64.self))
            }
        }
    }
}
