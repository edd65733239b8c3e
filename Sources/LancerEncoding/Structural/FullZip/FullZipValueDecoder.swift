import LancerArrow
import LancerBytes
import LancerCodecs

/// Decodes the values of a full-zip page, each of which is encoded on its own.
/// Spec: 04-full-zip.md, "Fixed width" and "Variable width".
indirect enum FullZipValueDecoder: Sendable {
    /// Fixed width: values back to back form a chunk that a plain decoder reads.
    case plain(ValueDecoder, bytes: Int)
    /// Booleans widened to a byte.
    case wideBoolean
    /// Vectors whose items have validity: bitmaps (bytes each, outer list first), then the items.
    case vectors(bitmapBytes: [Int], itemBytes: Int, ValueDecoder)
    /// Bytes as they are.
    case bytes
    /// FSST codes.
    case fsst(FSSTSymbolTable)
    /// A general compressor around each value.
    case general(BufferCompression.Scheme, FullZipValueDecoder)
    /// Fields one after the other.
    case packed([Field])

    /// One field of a packed struct.
    struct Field: Sendable {
        /// How the value's bytes are decoded; nil when they are the value.
        let decoder: FullZipValueDecoder?
        /// Whether a length of ``width`` bytes comes first.
        let isVariable: Bool
        /// Bytes of the value, or of its length.
        let width: Int
    }

    init(_ layout: FullZipLayout, for type: ArrowType) throws(LanceError) {
        switch layout.width {
        case .fixed(let bits): self = try Self.fixed(layout.values, bits / 8, type)
        case .variable: self = try Self.variable(layout.values, type)
        }
    }

    private static func fixed(
        _ encoding: CompressiveEncoding,
        _ bytes: Int,
        _ type: ArrowType
    ) throws(LanceError) -> FullZipValueDecoder {
        if case .bool = type, bytes == 1 { return .wideBoolean }
        var bitmapBytes: [Int] = []
        var items = 1
        var inner = encoding
        while case .fixedSizeList(let dimension, let values, let hasValidity) = inner {
            items = try items.multiplied(by: dimension, "items of a vector")
            if hasValidity { bitmapBytes.append((items + 7) / 8) }
            inner = values
        }
        let bits: Int
        switch inner {
        case .flat(let width): bits = width
        case .constant: bits = 0
        default:
            if case .packedStruct(let fields, _) = inner, fields.reduce(0, +) == bytes * 8 {
                return .plain(try ValueDecoder(encoding, for: type), bytes: bytes)
            }
            throw ValueDecoder.mismatch(encoding, type)
        }
        let itemBytes = (try items.multiplied(by: bits, "bits of a vector") + 7) / 8
        guard itemBytes + bitmapBytes.reduce(0, +) == bytes else {
            throw .corrupt("full-zip values of \(bytes) bytes encoded as \(encoding)")
        }
        let decoder = try ValueDecoder(encoding, for: type)
        if bitmapBytes.isEmpty, bits != 1 || items % 8 == 0 { return .plain(decoder, bytes: bytes) }
        return .vectors(bitmapBytes: bitmapBytes, itemBytes: itemBytes, decoder)
    }

    private static func variable(
        _ encoding: CompressiveEncoding,
        _ type: ArrowType
    ) throws(LanceError) -> FullZipValueDecoder {
        switch (encoding, type) {
        case (.variable, .utf8), (.variable, .binary), (.variable, .largeUtf8), (.variable, .largeBinary):
            return .bytes
        case (.fsst(let table, .variable), .utf8), (.fsst(let table, .variable), .binary),
            (.fsst(let table, .variable), .largeUtf8), (.fsst(let table, .variable), .largeBinary):
            return .fsst(try FSSTSymbolTable(blob: ArrowBuffer(table.bytes)))
        case (.general(let compression, let values), _):
            return .general(compression.scheme, try variable(values, type))
        case (.variablePackedStruct(let encodings), .structure(let fields)) where encodings.count == fields.count:
            var result: [Field] = []
            for (packed, field) in zip(encodings, fields) {
                let width = packed.bits / 8
                if packed.isVariable {
                    let decoder = try variable(packed.value, field.type)
                    result.append(Field(decoder: decoder, isVariable: true, width: width))
                } else if case .fixedSizeList = field.type {
                    guard packed.bits % 8 == 0 else { throw ValueDecoder.mismatch(packed.value, field.type) }
                    let decoder = try fixed(packed.value, width, field.type)
                    result.append(Field(decoder: decoder, isVariable: false, width: width))
                } else {
                    let width = try ValueDecoder.packedWidth(packed.bits, field.type, packed.value)
                    result.append(Field(decoder: nil, isVariable: false, width: width))
                }
            }
            return .packed(result)
        default: throw ValueDecoder.mismatch(encoding, type)
        }
    }

    /// Whether values come out longer than they are stored: a hint for how much memory to reserve.
    var isCompressed: Bool {
        switch self {
        case .fsst, .general: true
        default: false
        }
    }

    /// Bytes of a fixed-width value; 0 for variable ones.
    var fixedBytes: Int {
        switch self {
        case .plain(_, let bytes): bytes
        case .wideBoolean: 1
        case .vectors(let bitmaps, let items, _): bitmaps.reduce(items, +)
        case .bytes, .fsst, .general, .packed: 0
        }
    }

    /// Appends `count` fixed-width values that lie back to back.
    func appendFixed(_ bytes: ArrowBuffer, count: Int, into output: ValueAccumulator) throws(LanceError) {
        guard bytes.count == count * fixedBytes else { throw .corrupt("\(bytes.count) bytes for \(count) values") }
        if case .plain(let decoder, _) = self, Self.adopt(bytes, count, decoder, output) { return }
        try bytes.withUnsafeBytes { (raw) throws(LanceError) in try appendFixed(raw, count: count, into: output) }
    }

    /// Appends a copy of `count` fixed-width values that lie back to back; `bytes` must have their length.
    private func appendFixed(
        _ bytes: UnsafeRawBufferPointer,
        count: Int,
        into output: ValueAccumulator
    ) throws(LanceError) {
        switch (self, output) {
        case (.plain(let decoder, _), _):
            try decoder.decodeChunk([bytes], count: count, range: 0..<count, into: output)
        case (.wideBoolean, .bits(let target)):
            for byte in bytes { target.append(byte != 0) }
        case (.vectors(let bitmapBytes, let itemBytes, let decoder), _):
            var position = 0
            for _ in 0..<count {
                var parts: [UnsafeRawBufferPointer] = []
                for size in bitmapBytes + [itemBytes] {
                    parts.append(UnsafeRawBufferPointer(rebasing: bytes[position..<(position + size)]))
                    position += size
                }
                try decoder.decodeChunk(parts[...], count: 1, range: 0..<1, into: output)
            }
        default: throw .corrupt("a full-zip page's encoding does not fit the column's type")
        }
    }

    /// Hands over the bytes of whole vectors without a copy, when nothing has to be decoded.
    private static func adopt(
        _ bytes: ArrowBuffer,
        _ count: Int,
        _ decoder: ValueDecoder,
        _ output: ValueAccumulator
    ) -> Bool {
        switch (decoder, output) {
        case (.fixedSizeList(let dimension, false, let inner), .list(let target)) where target.itemValidity == nil:
            guard adopt(bytes, count * dimension, inner, target.child) else { return false }
            target.count += count
            return true
        case (.flat, .fixed(let target, _)):
            target.append(bytes)
            return true
        default: return false
        }
    }

    /// Appends one valid value of variable width.
    func appendVariable(_ value: UnsafeRawBufferPointer, into output: ValueAccumulator) throws(LanceError) {
        switch (self, output) {
        case (.bytes, .variable(let target)):
            if let base = value.baseAddress { target.data.append(base, value.count) }
            try target.endValue()
        case (.fsst(let table), .variable(let target)):
            let size = value.count * FSSTSymbolTable.maximumExpansion + 32
            let room = target.data.room(size)
            let written = try table.decode(value, into: UnsafeMutableRawBufferPointer(start: room, count: size))
            target.data.advance(by: written)
            try target.endValue()
        case (.general(let scheme, let inner), _):
            let plain = try GeneralCompression.decompress(value, scheme)
            try plain.withUnsafeBytes { (bytes) throws(LanceError) in try inner.appendVariable(bytes, into: output) }
        case (.packed(let fields), .structure(let children, let slots)):
            try Self.appendPacked(value, fields, children)
            slots.count += 1
        default: throw .corrupt("a full-zip page's encoding does not fit the column's type")
        }
    }

    private static func appendPacked(
        _ value: UnsafeRawBufferPointer,
        _ fields: [Field],
        _ children: [ValueAccumulator]
    ) throws(LanceError) {
        var position = 0
        func take(_ size: Int) throws(LanceError) -> UnsafeRawBufferPointer {
            guard size >= 0, size <= value.count - position else { throw .corrupt("a packed struct value ends early") }
            defer { position += size }
            return UnsafeRawBufferPointer(rebasing: value[position..<(position + size)])
        }
        for (field, child) in zip(fields, children) {
            let bytes = try take(field.width)
            if let decoder = field.decoder, !field.isVariable {
                try decoder.appendFixed(bytes, count: 1, into: child)
            } else if let decoder = field.decoder {
                var length: UInt64 = 0
                for (index, byte) in bytes.enumerated() { length |= UInt64(byte) << UInt64(8 * index) }
                let size = try Int(checked: length, "length in a packed struct")
                try decoder.appendVariable(try take(size), into: child)
            } else {
                try ValueDecoder.appendPacked(bytes, [field.width], 0..<1, [child])
            }
        }
        guard position == value.count else { throw .corrupt("a packed struct value is longer than its fields") }
    }
}
