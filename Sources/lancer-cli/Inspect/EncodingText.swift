import LancerEncoding

/// Page layouts in words: `mini-block fsst(var32) def oob16/1`.
///
/// The short names are those of the format's documentation: `flat32` (values of 32 bits back to back), `var32` (bytes
/// with 32-bit offsets), `ibp32` (inline bit-packing of 32-bit words), `oob16/3` (out-of-line bit-packing of 16-bit
/// words to 3 bits), `rle`, `bss` (byte stream split), `fsl8` (fixed-size list of 8).
extension PageLayout {
    /// The structural encoding: `mini-block`, `full-zip`, `constant` or `blob`.
    var structuralName: String {
        switch self {
        case .miniBlock: "mini-block"
        case .fullZip: "full-zip"
        case .constant: "constant"
        case .blob: "blob"
        }
    }

    /// Values, dictionary and levels, without the structural encoding.
    var encodingText: String {
        switch self {
        case .miniBlock(let layout):
            var words: [String] = []
            if let dictionary = layout.dictionary {
                words.append("dict[\(layout.dictionaryItemCount)](\(layout.values.text), items \(dictionary.text))")
            } else {
                words.append(layout.values.text)
            }
            if let repetition = layout.repetition { words.append("rep \(repetition.text)") }
            if let definition = layout.definition { words.append("def \(definition.text)") }
            return words.joined(separator: " ")
        case .fullZip(let layout):
            var words = [layout.values.text]
            if layout.repetitionBits > 0 { words.append("rep \(layout.repetitionBits) bit") }
            if layout.definitionBits > 0 { words.append("def \(layout.definitionBits) bit") }
            return words.joined(separator: " ")
        case .constant(let layout):
            var words = [layout.inlineValue.map { "0x\($0.hex)" } ?? "null or one stored value"]
            if let repetition = layout.repetition { words.append("rep \(repetition.text)") }
            if let definition = layout.definition { words.append("def \(definition.text)") }
            return words.joined(separator: " ")
        case .blob(let inner, _): return "(\(inner.structuralName) \(inner.encodingText))"
        }
    }

    /// The layers, innermost first: `item? list`.
    var layerText: String { layers.map(\.text).joined(separator: " ") }
}

extension RepDefLayer {
    /// `?` marks nulls, `0` empty lists.
    fileprivate var text: String {
        switch self {
        case .allValidItem: "item"
        case .allValidList: "list"
        case .nullableItem: "item?"
        case .nullableList: "list?"
        case .emptyableList: "list0"
        case .nullAndEmptyList: "list?0"
        }
    }
}

extension CompressiveEncoding {
    /// The encoding as nested short names.
    var text: String {
        switch self {
        case .flat(let bits): "flat\(bits)"
        case .variable(let offsetBits): "var\(offsetBits)"
        case .constant(let value): "constant(0x\(value.hex))"
        case .outOfLineBitpacking(let wordBits, let packedBits): "oob\(wordBits)/\(packedBits)"
        case .inlineBitpacking(let wordBits): "ibp\(wordBits)"
        case .fsst(_, let values): "fsst(\(values.text))"
        case .dictionary(let indices, let items, let itemCount):
            "dict[\(itemCount)](\(indices.text), items \(items.text))"
        case .runLength(let values, let lengths): "rle(\(values.text), \(lengths.text))"
        case .byteStreamSplit(let values): "bss(\(values.text))"
        case .general(let compression, let values): "\(compression.scheme.name)(\(values.text))"
        case .fixedSizeList(let dimension, let values, let hasValidity):
            "fsl\(dimension)\(hasValidity ? "?" : "")(\(values.text))"
        case .packedStruct(let bitsPerField, let values):
            "packed[\(bitsPerField.map(String.init).joined(separator: ","))](\(values.text))"
        case .variablePackedStruct(let fields):
            "packed-var(\(fields.map { $0.value.text }.joined(separator: ", ")))"
        }
    }
}

extension BufferCompression.Scheme {
    fileprivate var name: String {
        switch self {
        case .lz4: "lz4"
        case .zstd: "zstd"
        }
    }
}

extension [UInt8] {
    /// Two hexadecimal digits a byte, the first sixteen bytes.
    fileprivate var hex: String {
        prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + (count > 16 ? "…" : "")
    }
}
