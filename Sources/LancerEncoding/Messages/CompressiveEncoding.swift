import LancerBytes
import LancerProto

/// A general compression scheme with its informational level.
package struct BufferCompression: Sendable, Hashable {
    /// The schemes the format knows.
    package enum Scheme: Int, Sendable, Hashable {
        /// Raw LZ4 block behind a u32 length.
        case lz4 = 1
        /// Zstandard frame behind a u64 length.
        case zstd = 2
    }

    /// Which scheme.
    package var scheme: Scheme
    /// The level the writer used; readers do not need it.
    package var level: Int32?

    package init(_ scheme: Scheme, level: Int32? = nil) {
        self.scheme = scheme
        self.level = level
    }
}

/// How the values of a page (or its levels, or its dictionary) are stored; encodings nest.
///
/// The checked form of the protobuf message: widths are in range and required parts present.
/// Spec: 07-encodings.md, "Contexts".
package indirect enum CompressiveEncoding: Sendable, Hashable {
    /// Values back to back, `bits` each (1 = bitmap, else whole bytes).
    case flat(bits: Int)
    /// Offsets of `offsetBits` (32 or 64), then bytes.
    case variable(offsetBits: Int)
    /// One value for all.
    case constant([UInt8])
    /// FastLanes blocks of words of `wordBits`, packed to `packedBits`, width known from here.
    case outOfLineBitpacking(wordBits: Int, packedBits: Int)
    /// One FastLanes block of words of `wordBits` behind a word that holds the packed width.
    case inlineBitpacking(wordBits: Int)
    /// FSST codes; the table is 2312 bytes.
    case fsst(symbolTable: ArrowBufferKey, values: CompressiveEncoding)
    /// Indices into items.
    case dictionary(indices: CompressiveEncoding, items: CompressiveEncoding, itemCount: Int)
    /// Run values and run lengths.
    case runLength(values: CompressiveEncoding, lengths: CompressiveEncoding)
    /// Bytes of each value spread over as many streams.
    case byteStreamSplit(CompressiveEncoding)
    /// A general compressor around the bytes of another encoding.
    case general(BufferCompression, CompressiveEncoding)
    /// `dimension` items a value, with item validity bitmaps if `hasValidity`.
    case fixedSizeList(dimension: Int, values: CompressiveEncoding, hasValidity: Bool)
    /// Fixed-width fields of a struct, row by row.
    case packedStruct(bitsPerField: [Int], values: CompressiveEncoding)
    /// Fields of a struct, row by row, some behind a length.
    case variablePackedStruct([PackedField])

    /// One field of a variable packed struct.
    package struct PackedField: Sendable, Hashable {
        /// How the value's bytes are encoded.
        package var value: CompressiveEncoding
        /// Bits of a fixed-width value, or of the length in front of a variable one.
        package var bits: Int
        /// Whether `bits` is the width of a length.
        package var isVariable: Bool

        package init(value: CompressiveEncoding, bits: Int, isVariable: Bool) {
            self.value = value
            self.bits = bits
            self.isVariable = isVariable
        }
    }
}

/// A buffer that compares by its bytes.
package struct ArrowBufferKey: Sendable, Hashable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}
