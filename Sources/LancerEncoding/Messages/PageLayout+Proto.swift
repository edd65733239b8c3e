import FoundationEssentials
import LancerBytes
import LancerProto
import SwiftProtobuf

extension PageLayout {
    /// Type URL of the `Any` around a page layout of 2.1 and 2.2.
    package static let typeURL = "/lance.encodings21.PageLayout"

    /// Checks a message.
    ///
    /// - Throws: `corrupt`, or `unsupported` naming a layout of newer versions.
    package init(_ proto: Lance_Encodings21_PageLayout) throws(LanceError) {
        switch proto.layout {
        case .miniBlockLayout(let message)?: self = .miniBlock(try MiniBlockLayout(message))
        case .constantLayout(let message)?: self = .constant(try ConstantLayout(message))
        case .fullZipLayout(let message)?: self = .fullZip(try FullZipLayout(message))
        case .blobLayout(let message)?:
            // One level only: a blob page's inner layout describes its (position, size) pairs.
            guard case .miniBlockLayout(let inner)? = message.innerLayout.layout else {
                throw .unsupported("a blob page whose positions are not in a mini-block layout")
            }
            self = .blob(inner: .miniBlock(try MiniBlockLayout(inner)), layers: try parse(message.layers))
        case .sparseLayout?: throw .unsupported("sparse page layout (file version 2.3)")
        case nil: throw .unsupported("a page layout this version of Lancer does not know")
        }
    }

    /// The message for this layout.
    package var proto: Lance_Encodings21_PageLayout {
        Lance_Encodings21_PageLayout.with { message in
            switch self {
            case .miniBlock(let layout): message.miniBlockLayout = layout.proto
            case .constant(let layout): message.constantLayout = layout.proto
            case .fullZip(let layout): message.fullZipLayout = layout.proto
            case .blob(let inner, let layers):
                message.blobLayout = .with {
                    $0.innerLayout = inner.proto
                    $0.layers = layers.map(\.proto)
                }
            }
        }
    }
}

private func parse(_ layers: [Lance_Encodings21_RepDefLayer]) throws(LanceError) -> [RepDefLayer] {
    guard layers.count <= 2 * DecodeLimits.standard.schemaDepth else {
        throw .limitExceeded("\(layers.count) layers in a page layout")
    }
    guard !layers.isEmpty else { throw .corrupt("a page layout without layers") }
    var result: [RepDefLayer] = []
    for layer in layers { result.append(try RepDefLayer(layer)) }
    return result
}

private func count(_ value: UInt64, _ what: String) throws(LanceError) -> Int {
    guard value <= 1 << 48 else { throw .corrupt("\(what) of \(value) in a page layout") }
    return Int(value)
}

extension MiniBlockLayout {
    init(_ message: Lance_Encodings21_MiniBlockLayout) throws(LanceError) {
        guard message.hasValueCompression else { throw .corrupt("a mini-block layout without value encoding") }
        guard message.repetitionIndexDepth <= 1 else {
            throw .unsupported("a repetition index of depth \(message.repetitionIndexDepth)")
        }
        guard message.numBuffers <= 64 else { throw .corrupt("\(message.numBuffers) value buffers in a chunk") }
        self.init(
            repetition: message.hasRepCompression ? try CompressiveEncoding(message.repCompression) : nil,
            definition: message.hasDefCompression ? try CompressiveEncoding(message.defCompression) : nil,
            values: try CompressiveEncoding(message.valueCompression),
            dictionary: message.hasDictionary ? try CompressiveEncoding(message.dictionary) : nil,
            dictionaryItemCount: try count(message.numDictionaryItems, "number of dictionary items"),
            layers: try parse(message.layers),
            bufferCount: Int(message.numBuffers),
            repetitionIndexDepth: Int(message.repetitionIndexDepth),
            itemCount: try count(message.numItems, "number of items"),
            hasLargeChunks: message.hasLargeChunk_p
        )
    }

    var proto: Lance_Encodings21_MiniBlockLayout {
        .with {
            if let repetition { $0.repCompression = repetition.proto }
            if let definition { $0.defCompression = definition.proto }
            $0.valueCompression = values.proto
            if let dictionary { $0.dictionary = dictionary.proto }
            $0.numDictionaryItems = UInt64(dictionaryItemCount)
            $0.layers = layers.map(\.proto)
            $0.numBuffers = UInt64(bufferCount)
            $0.repetitionIndexDepth = UInt32(repetitionIndexDepth)
            $0.numItems = UInt64(itemCount)
            $0.hasLargeChunk_p = hasLargeChunks
        }
    }
}

extension ConstantLayout {
    init(_ message: Lance_Encodings21_ConstantLayout) throws(LanceError) {
        self.init(
            layers: try parse(message.layers),
            inlineValue: message.hasInlineValue ? [UInt8](message.inlineValue) : nil,
            repetition: message.hasRepCompression ? try CompressiveEncoding(message.repCompression) : nil,
            definition: message.hasDefCompression ? try CompressiveEncoding(message.defCompression) : nil,
            repetitionLevelCount: try count(message.numRepValues, "number of repetition levels"),
            definitionLevelCount: try count(message.numDefValues, "number of definition levels")
        )
    }

    var proto: Lance_Encodings21_ConstantLayout {
        .with {
            $0.layers = layers.map(\.proto)
            if let inlineValue { $0.inlineValue = Data(inlineValue) }
            if let repetition { $0.repCompression = repetition.proto }
            if let definition { $0.defCompression = definition.proto }
            $0.numRepValues = UInt64(repetitionLevelCount)
            $0.numDefValues = UInt64(definitionLevelCount)
        }
    }
}

extension FullZipLayout {
    init(_ message: Lance_Encodings21_FullZipLayout) throws(LanceError) {
        guard message.bitsRep <= 16, message.bitsDef <= 16 else {
            throw .corrupt("control words of \(message.bitsRep) + \(message.bitsDef) bits in a full-zip layout")
        }
        guard message.hasValueCompression else { throw .corrupt("a full-zip layout without value encoding") }
        let width: ValueWidth
        switch message.details {
        case .bitsPerValue(let bits)?:
            guard bits > 0, bits % 8 == 0 else { throw .corrupt("full-zip values of \(bits) bits") }
            width = .fixed(bits: Int(bits))
        case .bitsPerOffset(let bits)?:
            guard bits == 32 || bits == 64 else { throw .corrupt("full-zip lengths of \(bits) bits") }
            width = .variable(lengthBits: Int(bits))
        case nil:
            throw .corrupt("a full-zip layout without a value width")
        }
        self.init(
            repetitionBits: Int(message.bitsRep),
            definitionBits: Int(message.bitsDef),
            width: width,
            itemCount: Int(message.numItems),
            visibleItemCount: Int(message.numVisibleItems),
            values: try CompressiveEncoding(message.valueCompression),
            layers: try parse(message.layers)
        )
    }

    var proto: Lance_Encodings21_FullZipLayout {
        .with {
            $0.bitsRep = UInt32(repetitionBits)
            $0.bitsDef = UInt32(definitionBits)
            switch width {
            case .fixed(let bits): $0.bitsPerValue = UInt32(clamping: bits)
            case .variable(let bits): $0.bitsPerOffset = UInt32(bits)
            }
            $0.numItems = UInt32(clamping: itemCount)
            $0.numVisibleItems = UInt32(clamping: visibleItemCount)
            $0.valueCompression = values.proto
            $0.layers = layers.map(\.proto)
        }
    }
}
