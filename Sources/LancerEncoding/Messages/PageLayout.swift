import FoundationEssentials
import LancerBytes
import LancerProto
import SwiftProtobuf

/// How a page is built: its structural encoding with everything needed to decode its buffers.
///
/// Spec: 01-file-container.md, "Pages".
package indirect enum PageLayout: Sendable, Hashable {
    /// Chunks that are decoded whole.
    case miniBlock(MiniBlockLayout)
    /// One value, or none.
    case constant(ConstantLayout)
    /// Control word and value, entry by entry.
    case fullZip(FullZipLayout)
    /// Positions and sizes of values that lie elsewhere in the file.
    case blob(inner: PageLayout, layers: [RepDefLayer])

    /// The layers, innermost first.
    package var layers: [RepDefLayer] {
        switch self {
        case .miniBlock(let layout): layout.layers
        case .constant(let layout): layout.layers
        case .fullZip(let layout): layout.layers
        case .blob(_, let layers): layers
        }
    }
}

/// Page buffers: chunk words · chunks · [dictionary] · [repetition index].
package struct MiniBlockLayout: Sendable, Hashable {
    /// How repetition levels are stored; nil when the page has none.
    package var repetition: CompressiveEncoding?
    /// How definition levels are stored; nil when the page has none.
    package var definition: CompressiveEncoding?
    /// How the values (or dictionary indices) are stored.
    package var values: CompressiveEncoding
    /// How the dictionary is stored; nil when the values are not indices.
    package var dictionary: CompressiveEncoding?
    /// Items in the dictionary.
    package var dictionaryItemCount = 0
    /// Innermost first.
    package var layers: [RepDefLayer]
    /// Value buffers a chunk has.
    package var bufferCount = 1
    /// 0 or 1.
    package var repetitionIndexDepth = 0
    /// Values (visible items) in the page.
    package var itemCount: Int
    /// 32-bit chunk words and value sizes (2.2) instead of 16-bit ones (2.1).
    package var hasLargeChunks: Bool

    package init(
        repetition: CompressiveEncoding? = nil,
        definition: CompressiveEncoding? = nil,
        values: CompressiveEncoding,
        dictionary: CompressiveEncoding? = nil,
        dictionaryItemCount: Int = 0,
        layers: [RepDefLayer],
        bufferCount: Int = 1,
        repetitionIndexDepth: Int = 0,
        itemCount: Int,
        hasLargeChunks: Bool
    ) {
        self.repetition = repetition
        self.definition = definition
        self.values = values
        self.dictionary = dictionary
        self.dictionaryItemCount = dictionaryItemCount
        self.layers = layers
        self.bufferCount = bufferCount
        self.repetitionIndexDepth = repetitionIndexDepth
        self.itemCount = itemCount
        self.hasLargeChunks = hasLargeChunks
    }
}

/// Page buffers: [scalar value] · [repetition levels · definition levels].
package struct ConstantLayout: Sendable, Hashable {
    /// Innermost first.
    package var layers: [RepDefLayer]
    /// The value's bytes when it is short and of fixed width.
    package var inlineValue: [UInt8]?
    /// How repetition levels are stored; nil means raw 16-bit words.
    package var repetition: CompressiveEncoding?
    /// How definition levels are stored; nil means raw 16-bit words.
    package var definition: CompressiveEncoding?
    /// Number of repetition levels, when they are compressed.
    package var repetitionLevelCount = 0
    /// Number of definition levels, when they are compressed.
    package var definitionLevelCount = 0

    package init(
        layers: [RepDefLayer],
        inlineValue: [UInt8]? = nil,
        repetition: CompressiveEncoding? = nil,
        definition: CompressiveEncoding? = nil,
        repetitionLevelCount: Int = 0,
        definitionLevelCount: Int = 0
    ) {
        self.layers = layers
        self.inlineValue = inlineValue
        self.repetition = repetition
        self.definition = definition
        self.repetitionLevelCount = repetitionLevelCount
        self.definitionLevelCount = definitionLevelCount
    }
}

/// Page buffers: entries · [byte offset of each row].
package struct FullZipLayout: Sendable, Hashable {
    /// Width of a value, or of the length in front of it, in bits.
    package enum ValueWidth: Sendable, Hashable {
        /// Every visible entry has this many bits.
        case fixed(bits: Int)
        /// Valid entries have a length of this many bits (32 or 64) and as many bytes as it says.
        case variable(lengthBits: Int)
    }

    /// Bits of the repetition level in the control word.
    package var repetitionBits: Int
    /// Bits of the definition level in the control word.
    package var definitionBits: Int
    /// How wide values are.
    package var width: ValueWidth
    /// Entries in the page.
    package var itemCount: Int
    /// Entries with a value slot.
    package var visibleItemCount: Int
    /// How each value is encoded.
    package var values: CompressiveEncoding
    /// Innermost first.
    package var layers: [RepDefLayer]

    package init(
        repetitionBits: Int,
        definitionBits: Int,
        width: ValueWidth,
        itemCount: Int,
        visibleItemCount: Int,
        values: CompressiveEncoding,
        layers: [RepDefLayer]
    ) {
        self.repetitionBits = repetitionBits
        self.definitionBits = definitionBits
        self.width = width
        self.itemCount = itemCount
        self.visibleItemCount = visibleItemCount
        self.values = values
        self.layers = layers
    }

    /// Bytes of the control word in front of each entry: 0, 1, 2 or 4.
    package var controlWordBytes: Int {
        switch repetitionBits + definitionBits {
        case 0: 0
        case 1...8: 1
        case 9...16: 2
        default: 4
        }
    }
}
