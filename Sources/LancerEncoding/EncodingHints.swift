import LancerBytes

/// What a field's metadata asks of the writer; the keys and values are those of the reference writer.
package struct EncodingHints: Sendable, Hashable {
    /// `lance-encoding:compression`.
    package enum Compression: Sendable, Hashable {
        /// The writer chooses.
        case automatic
        /// Plain values only.
        case none
        /// FSST for text, whatever its size.
        case fsst
        /// A general scheme around the values.
        case general(BufferCompression)
    }

    /// `lance-encoding:structural-encoding`.
    package enum Structure: Sendable, Hashable {
        case miniBlock
        case fullZip
    }

    /// `lance-encoding:bss`.
    package enum ByteStreamSplit: String, Sendable, Hashable {
        case off
        case on
        case auto
    }

    package var compression = Compression.automatic
    package var structure: Structure?
    /// Runs are stored as such when there are fewer than this share of the values (`lance-encoding:rle-threshold`).
    package var runLengthThreshold: Double?
    package var byteStreamSplit = ByteStreamSplit.auto
    /// A dictionary may have at most one item for so many values (`lance-encoding:dict-divisor`).
    package var dictionaryDivisor = 2
    /// A dictionary must shrink the values below this share (`lance-encoding:dict-size-ratio`).
    package var dictionarySizeRatio = 0.8
    /// How the items of a dictionary are compressed (`lance-encoding:dict-values-compression`); nil means not.
    package var dictionaryCompression: BufferCompression? = BufferCompression(.lz4)
    /// The values lie beside the column (`lance-encoding:blob`).
    package var isBlob = false

    package init() {}

    /// Reads the keys that apply; anything that is not understood is left at its default.
    package init(metadata: [String: String]) {
        func value(_ key: String) -> String? { metadata["lance-encoding:" + key] }
        let level = value("compression-level").flatMap { Int32($0) }
        switch value("compression") {
        case "none": compression = .none
        case "fsst": compression = .fsst
        case "zstd": compression = .general(BufferCompression(.zstd, level: level))
        case "lz4": compression = .general(BufferCompression(.lz4, level: level))
        default: break
        }
        switch value("structural-encoding") {
        case "miniblock": structure = .miniBlock
        case "fullzip": structure = .fullZip
        default: break
        }
        runLengthThreshold = value("rle-threshold").flatMap { Double($0) }
        byteStreamSplit = value("bss").flatMap { ByteStreamSplit(rawValue: $0) } ?? .auto
        if let divisor = value("dict-divisor").flatMap({ Int($0) }), divisor > 0 { dictionaryDivisor = divisor }
        if let ratio = value("dict-size-ratio").flatMap({ Double($0) }) { dictionarySizeRatio = ratio }
        let valuesLevel = value("dict-values-compression-level").flatMap { Int32($0) }
        switch value("dict-values-compression") {
        case "none": dictionaryCompression = nil
        case "zstd": dictionaryCompression = BufferCompression(.zstd, level: valuesLevel)
        case "lz4": dictionaryCompression = BufferCompression(.lz4, level: valuesLevel)
        default: break
        }
        isBlob = value("blob") == "true"
    }
}
