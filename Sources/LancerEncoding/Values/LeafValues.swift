import LancerArrow
import LancerBytes

/// The value slots of a leaf column in one page, in the few shapes that compressors know.
///
/// Validity is not here: it is in the levels. What a null slot holds is arbitrary, except that null text is empty.
package indirect enum LeafValues: Sendable {
    /// Values of whole bytes.
    case fixed(FixedValues)
    /// Booleans.
    case bits(Bitmap)
    /// Text and bytes.
    case variable(VariableValues)
    /// Fixed-size lists of primitives, of any depth.
    case vectors(VectorValues)
    /// Indices into distinct items, as the Arrow array had them.
    case dictionary(indices: FixedValues, items: LeafValues)
    /// Structs stored row by row.
    case packed([LeafValues])
    /// Nothing but nulls, or a struct without fields.
    case none(count: Int)

    /// Number of slots.
    package var count: Int {
        switch self {
        case .fixed(let values): values.count
        case .bits(let values): values.count
        case .variable(let values): values.count
        case .vectors(let values): values.count
        case .dictionary(let indices, _): indices.count
        case .packed(let children): children.first?.count ?? 0
        case .none(let count): count
        }
    }
}

/// Values of the same number of whole bytes, back to back.
package struct FixedValues: Sendable {
    package var bytes: ArrowBuffer
    /// Bytes of one value.
    package var width: Int
    package var count: Int

    package init(_ bytes: ArrowBuffer, width: Int, count: Int) {
        self.bytes = bytes
        self.width = width
        self.count = count
    }
}

/// Byte strings of any length.
package struct VariableValues: Sendable {
    /// `count + 1` offsets into `data`, not necessarily from 0.
    package var offsets: [Int]
    package var data: ArrowBuffer
    /// Width of stored offsets and lengths: 32, or 64 for the large types.
    package var offsetBits: Int

    package init(offsets: [Int], data: ArrowBuffer, offsetBits: Int) {
        self.offsets = offsets
        self.data = data
        self.offsetBits = offsetBits
    }

    package var count: Int { offsets.count - 1 }
    /// Bytes of all values.
    package var dataBytes: Int { offsets[offsets.count - 1] - offsets[0] }
    /// Length of the longest value.
    package var maxLength: Int {
        var longest = 0
        offsets.withUnsafeBufferPointer { offsets in
            for index in 1..<Swift.max(offsets.count, 1) {
                longest = Swift.max(longest, offsets[index] - offsets[index - 1])
            }
        }
        return longest
    }
}

/// Fixed-size lists of primitives.
package struct VectorValues: Sendable {
    /// One level of fixed-size list.
    package struct Level: Sendable {
        package var dimension: Int
        /// Validity of this level's items, nil when all are valid.
        package var itemValidity: Bitmap?
    }

    /// Outermost first.
    package var levels: [Level]
    /// The items of the innermost level: ``LeafValues/fixed(_:)`` or ``LeafValues/bits(_:)``.
    package var items: LeafValues
    package var count: Int

    /// Items of the innermost level in one value.
    package var itemsPerValue: Int { levels.reduce(1) { $0 * $1.dimension } }
    /// Bits of one value's items, without validity.
    package var bitsPerValue: Int {
        switch items {
        case .fixed(let values): itemsPerValue * values.width * 8
        default: itemsPerValue
        }
    }
    /// Whether some item is null.
    package var hasItemNulls: Bool { levels.contains { $0.itemValidity != nil } }
}
