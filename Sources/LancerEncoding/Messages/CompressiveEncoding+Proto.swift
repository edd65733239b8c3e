import FoundationEssentials
import LancerBytes
import LancerProto
import SwiftProtobuf

private typealias Proto = Lance_Encodings21_CompressiveEncoding

extension CompressiveEncoding {
    /// Deepest nesting of encodings accepted; real files stay below 6.
    private static let maxDepth = 16

    /// Checks a message.
    ///
    /// - Throws: `corrupt` when a part is missing or a width makes no sense, `unsupported` naming an encoding of newer
    ///   versions.
    package init(_ proto: Lance_Encodings21_CompressiveEncoding) throws(LanceError) {
        self = try Self.parse(proto, depth: 0)
    }

    private static func parse(
        _ proto: Lance_Encodings21_CompressiveEncoding,
        depth: Int
    ) throws(LanceError) -> CompressiveEncoding {
        guard depth < maxDepth else { throw .limitExceeded("encodings nest deeper than \(maxDepth)") }
        guard let kind = proto.compression else {
            throw .unsupported("a compressive encoding this version of Lancer does not know")
        }
        switch kind {
        case .flat(let flat):
            if flat.hasData { throw .unsupported("BufferCompression inside a flat encoding") }
            let bits = try width(flat.bitsPerValue, upTo: 1 << 32)
            guard bits == 1 || bits % 8 == 0 else {
                // Widths below a byte occur only inside out-of-line bit packing, which reads them itself.
                throw .corrupt("flat encoding with \(bits) bits per value")
            }
            return .flat(bits: bits)
        case .variable(let variable):
            if variable.hasValues { throw .unsupported("BufferCompression inside a variable encoding") }
            guard case .flat(let offsets)? = variable.offsets.compression, !offsets.hasData,
                offsets.bitsPerValue == 32 || offsets.bitsPerValue == 64
            else { throw .corrupt("variable encoding whose offsets are not flat 32 or 64") }
            return .variable(offsetBits: Int(offsets.bitsPerValue))
        case .constant(let constant):
            return .constant([UInt8](constant.value))
        case .outOfLineBitpacking(let packed):
            guard case .flat(let flat)? = packed.values.compression, !flat.hasData else {
                throw .corrupt("out-of-line bit packing of something not flat")
            }
            let word = try wordWidth(packed.uncompressedBitsPerValue)
            guard flat.bitsPerValue <= UInt64(word) else {
                throw .corrupt("out-of-line bit packing of \(word)-bit words to \(flat.bitsPerValue) bits")
            }
            return .outOfLineBitpacking(wordBits: word, packedBits: Int(flat.bitsPerValue))
        case .inlineBitpacking(let packed):
            if packed.hasValues { throw .unsupported("BufferCompression inside an inline bit packing") }
            return .inlineBitpacking(wordBits: try wordWidth(packed.uncompressedBitsPerValue))
        case .fsst(let fsst):
            return .fsst(
                symbolTable: ArrowBufferKey([UInt8](fsst.symbolTable)),
                values: try parse(fsst.values, depth: depth + 1)
            )
        case .dictionary(let dictionary):
            return .dictionary(
                indices: try parse(dictionary.indices, depth: depth + 1),
                items: try parse(dictionary.items, depth: depth + 1),
                itemCount: Int(dictionary.numDictionaryItems)
            )
        case .rle(let rle):
            return .runLength(
                values: try parse(rle.values, depth: depth + 1),
                lengths: try parse(rle.runLengths, depth: depth + 1)
            )
        case .byteStreamSplit(let split):
            return .byteStreamSplit(try parse(split.values, depth: depth + 1))
        case .general(let general):
            let scheme = general.compression.scheme
            guard let known = BufferCompression.Scheme(rawValue: scheme.rawValue) else {
                throw .unsupported("general compression scheme \(scheme.rawValue)")
            }
            let level = general.compression.hasLevel ? general.compression.level : nil
            return .general(BufferCompression(known, level: level), try parse(general.values, depth: depth + 1))
        case .fixedSizeList(let list):
            let dimension = try width(list.itemsPerValue, upTo: 1 << 31)
            return .fixedSizeList(
                dimension: dimension,
                values: try parse(list.values, depth: depth + 1),
                hasValidity: list.hasValidity_p
            )
        case .packedStruct(let packed):
            var bits: [Int] = []
            for value in packed.bitsPerValue { bits.append(try width(value, upTo: 1 << 32)) }
            return .packedStruct(bitsPerField: bits, values: try parse(packed.values, depth: depth + 1))
        case .variablePackedStruct(let packed):
            var fields: [PackedField] = []
            for field in packed.fields { fields.append(try parse(field, depth: depth + 1)) }
            return .variablePackedStruct(fields)
        }
    }

    private static func parse(
        _ field: Lance_Encodings21_VariablePackedStruct.FieldEncoding,
        depth: Int
    ) throws(LanceError) -> PackedField {
        let value = try parse(field.value, depth: depth)
        switch field.layout {
        case .bitsPerValue(let bits)?:
            let bits = try width(bits, upTo: 1 << 32)
            guard bits % 8 == 0 else { throw .corrupt("packed struct field of \(bits) bits") }
            return PackedField(value: value, bits: bits, isVariable: false)
        case .bitsPerLength(let bits)?:
            guard [8, 16, 32, 64].contains(bits) else { throw .corrupt("packed struct length of \(bits) bits") }
            return PackedField(value: value, bits: Int(bits), isVariable: true)
        case nil:
            throw .corrupt("packed struct field without a width")
        }
    }

    private static func width(_ value: UInt64, upTo limit: UInt64) throws(LanceError) -> Int {
        guard value > 0, value <= limit else { throw .corrupt("a width or dimension of \(value) in an encoding") }
        return Int(value)
    }

    private static func wordWidth(_ value: UInt64) throws(LanceError) -> Int {
        guard [8, 16, 32, 64].contains(value) else { throw .corrupt("bit packing of \(value)-bit words") }
        return Int(value)
    }
}

extension CompressiveEncoding {
    /// The message for this encoding, as the reference writes it.
    package var proto: Lance_Encodings21_CompressiveEncoding {
        Lance_Encodings21_CompressiveEncoding.with { message in
            switch self {
            case .flat(let bits):
                message.flat = .with { $0.bitsPerValue = UInt64(bits) }
            case .variable(let offsetBits):
                message.variable = .with { $0.offsets = CompressiveEncoding.flat(bits: offsetBits).proto }
            case .constant(let value):
                message.constant = .with { $0.value = Data(value) }
            case .outOfLineBitpacking(let wordBits, let packedBits):
                message.outOfLineBitpacking = .with {
                    $0.uncompressedBitsPerValue = UInt64(wordBits)
                    $0.values = .with { $0.flat = .with { $0.bitsPerValue = UInt64(packedBits) } }
                }
            case .inlineBitpacking(let wordBits):
                message.inlineBitpacking = .with { $0.uncompressedBitsPerValue = UInt64(wordBits) }
            case .fsst(let table, let values):
                message.fsst = .with {
                    $0.symbolTable = Data(table.bytes)
                    $0.values = values.proto
                }
            case .dictionary(let indices, let items, let itemCount):
                message.dictionary = .with {
                    $0.indices = indices.proto
                    $0.items = items.proto
                    $0.numDictionaryItems = UInt32(clamping: itemCount)
                }
            case .runLength(let values, let lengths):
                message.rle = .with {
                    $0.values = values.proto
                    $0.runLengths = lengths.proto
                }
            case .byteStreamSplit(let values):
                message.byteStreamSplit = .with { $0.values = values.proto }
            case .general(let compression, let values):
                message.general = .with {
                    $0.compression = .with {
                        $0.scheme =
                            Lance_Encodings21_CompressionScheme(rawValue: compression.scheme.rawValue) ?? .init()
                        if let level = compression.level { $0.level = level }
                    }
                    $0.values = values.proto
                }
            case .fixedSizeList(let dimension, let values, let hasValidity):
                message.fixedSizeList = .with {
                    $0.itemsPerValue = UInt64(dimension)
                    $0.values = values.proto
                    $0.hasValidity_p = hasValidity
                }
            case .packedStruct(let bits, let values):
                message.packedStruct = .with {
                    $0.bitsPerValue = bits.map { UInt64($0) }
                    $0.values = values.proto
                }
            case .variablePackedStruct(let fields):
                message.variablePackedStruct = .with { packed in
                    packed.fields = fields.map { field in
                        .with {
                            $0.value = field.value.proto
                            if field.isVariable {
                                $0.bitsPerLength = UInt64(field.bits)
                            } else {
                                $0.bitsPerValue = UInt64(field.bits)
                            }
                        }
                    }
                }
            }
        }
    }
}

extension CompressiveEncoding: CustomStringConvertible {
    /// Short nested text: `fsst(var32)`, `general[zstd](flat64)`.
    package var description: String {
        switch self {
        case .flat(let bits): "flat\(bits)"
        case .variable(let bits): "var\(bits)"
        case .constant(let value): "constant[\(value.count) bytes]"
        case .outOfLineBitpacking(let word, let packed): "bitpacked\(word)(\(packed))"
        case .inlineBitpacking(let word): "bitpacked\(word)"
        case .fsst(_, let values): "fsst(\(values))"
        case .dictionary(let indices, let items, let count): "dictionary[\(count)](\(indices), \(items))"
        case .runLength(let values, let lengths): "rle(\(values), \(lengths))"
        case .byteStreamSplit(let values): "bss(\(values))"
        case .general(let compression, let values): "\(compression.scheme)(\(values))"
        case .fixedSizeList(let dimension, let values, let validity):
            "fsl\(dimension)\(validity ? "v" : "")(\(values))"
        case .packedStruct(let bits, let values):
            "packed[\(bits.map(String.init).joined(separator: ","))](\(values))"
        case .variablePackedStruct(let fields):
            "packed[\(fields.map { "\($0.isVariable ? "len" : "")\($0.bits):\($0.value)" }.joined(separator: ","))]"
        }
    }
}
