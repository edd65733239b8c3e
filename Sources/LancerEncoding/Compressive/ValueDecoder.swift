import LancerArrow
import LancerBytes
import LancerCodecs

/// A compressive encoding made ready to decode values of one Arrow type: symbol tables parsed, widths checked against
/// the type, so that the loops need no more checks than the bytes themselves.
package indirect enum ValueDecoder: Sendable {
    /// Values of `width` bytes back to back.
    case flat(width: Int)
    /// A bitmap.
    case bitmap
    /// FastLanes blocks of words of `width` bytes, their packed width in front.
    case inlineBitpacking(width: Int)
    /// FastLanes blocks of words of `width` bytes, packed to `bits`.
    case outOfLineBitpacking(width: Int, bits: Int)
    /// Offsets of `offsetWidth` bytes and bytes; FSST codes when there is a table.
    case variable(offsetWidth: Int, table: FSSTSymbolTable?)
    /// Run values of `width` bytes and one-byte run lengths.
    case runLength(width: Int)
    /// Byte streams of values of `width` bytes.
    case byteStreamSplit(width: Int)
    /// A general compressor around another encoding.
    case general(BufferCompression.Scheme, ValueDecoder)
    /// `dimension` items a value.
    case fixedSizeList(dimension: Int, hasValidity: Bool, ValueDecoder)
    /// Fixed-width fields (bytes each), row by row.
    case packedStruct(widths: [Int])
    /// No bytes at all: items of vectors that are all null.
    case absent

    /// Prepares `encoding` for values of `type`.
    ///
    /// - Throws: `corrupt` when encoding and type do not fit, `unsupported` for combinations never written.
    package init(_ encoding: CompressiveEncoding, for type: ArrowType) throws(LanceError) {
        switch encoding {
        case .flat(let bits):
            if case .bool = type {
                guard bits == 1 else { throw Self.mismatch(encoding, type) }
                self = .bitmap
            } else {
                self = .flat(width: try Self.width(bits, encoding, type))
            }
        case .inlineBitpacking(let bits): self = .inlineBitpacking(width: try Self.width(bits, encoding, type))
        case .outOfLineBitpacking(let bits, let packed):
            self = .outOfLineBitpacking(width: try Self.width(bits, encoding, type), bits: packed)
        case .variable(let bits):
            guard Self.isVariable(type) else { throw Self.mismatch(encoding, type) }
            self = .variable(offsetWidth: bits / 8, table: nil)
        case .fsst(let blob, let values):
            guard case .variable(let bits) = values, Self.isVariable(type) else { throw Self.mismatch(encoding, type) }
            self = .variable(offsetWidth: bits / 8, table: try FSSTSymbolTable(blob: ArrowBuffer(blob.bytes)))
        case .runLength(let values, let lengths):
            guard case .flat(let bits) = values, case .flat(bits: 8) = lengths, bits <= 64 else {
                throw .unsupported("run-length encoding of \(values) with \(lengths)")
            }
            self = .runLength(width: try Self.width(bits, encoding, type))
        case .byteStreamSplit(let values):
            guard case .flat(let bits) = values else { throw .unsupported("byte stream split of \(values)") }
            self = .byteStreamSplit(width: try Self.width(bits, encoding, type))
        case .general(let compression, let values):
            self = .general(compression.scheme, try ValueDecoder(values, for: type))
        case .fixedSizeList(let dimension, let values, let hasValidity):
            guard case .fixedSizeList(let item, dimension) = type else { throw Self.mismatch(encoding, type) }
            let inner = try ValueDecoder(values, for: item.type)
            self = .fixedSizeList(dimension: dimension, hasValidity: hasValidity, inner)
        case .packedStruct(let bits, let values):
            guard case .structure(let fields) = type, fields.count == bits.count, case .flat(let total) = values,
                total == bits.reduce(0, +)
            else { throw Self.mismatch(encoding, type) }
            var widths: [Int] = []
            for (field, bits) in zip(fields, bits) { widths.append(try Self.packedWidth(bits, field.type, encoding)) }
            self = .packedStruct(widths: widths)
        case .constant(let value):
            // The reference stores vectors whose items are all null this way; a value was never seen.
            guard value.isEmpty else {
                throw .unsupported("a constant of \(value.count) bytes as a compressive encoding")
            }
            self = .absent
        case .dictionary: throw .unsupported("dictionary as a compressive encoding")
        case .variablePackedStruct: throw .unsupported("variable packed struct outside a full-zip page")
        }
    }

    /// Bytes of a field of a packed struct: a number, or a vector of numbers.
    package static func packedWidth(
        _ bits: Int,
        _ type: ArrowType,
        _ encoding: CompressiveEncoding
    ) throws(LanceError) -> Int {
        var item = type
        var count = 1
        while case .fixedSizeList(let field, let size) = item {
            count = try count.multiplied(by: size, "size of a packed vector")
            item = field.type
        }
        guard let width = item.byteWidth, bits % 8 == 0,
            try width.multiplied(by: count, "size of a packed vector") == bits / 8
        else {
            throw mismatch(encoding, type)
        }
        return bits / 8
    }

    /// Whether text comes out longer than it is stored: a hint for how much memory to reserve.
    var isCompressedText: Bool {
        switch self {
        case .variable(_, let table): table != nil
        case .general: true
        default: false
        }
    }

    private static func isVariable(_ type: ArrowType) -> Bool {
        switch type {
        case .utf8, .binary, .largeUtf8, .largeBinary: true
        default: false
        }
    }

    private static func width(
        _ bits: Int,
        _ encoding: CompressiveEncoding,
        _ type: ArrowType
    ) throws(LanceError) -> Int {
        guard let width = type.byteWidth, width * 8 == bits else { throw mismatch(encoding, type) }
        return width
    }

    @inline(never)
    package static func mismatch(_ encoding: CompressiveEncoding, _ type: ArrowType) -> LanceError {
        .corrupt("a page of \(type) values says they are encoded as \(encoding)")
    }
}
