import LancerArrow
import LancerBytes

/// The one place that decides how a page is stored.
///
/// It goes by size: each encoding that suits the values is priced from one pass over them (widths of blocks, runs,
/// distinct values) or from a sample (FSST), and the cheapest wins; what decodes faster wins ties. The choices follow:
///
/// | values | stored as |
/// |---|---|
/// | none but nulls; from 2.2 on all equal | constant page |
/// | text and wide numbers of which few differ | mini-block, indices into a dictionary |
/// | values of 256 bytes or more, long text | full zip: each value by itself, so that one can be read alone |
/// | numbers up to 64 bits | mini-block: plain, bit-packed or runs |
/// | other values of fixed width, vectors | mini-block, plain |
/// | short text | mini-block: plain or FSST |
///
/// Field metadata (``EncodingHints``) overrides. Spec: 07-encodings.md, "Which encoding is written when".
package struct EncodingChooser: Sendable {
    package let format: PageFormat
    package let hints: EncodingHints

    package init(format: PageFormat, hints: EncodingHints) {
        self.format = format
        self.hints = hints
    }

    /// Bytes from which on a value of fixed width is stored by itself.
    private static let wideValueBytes = 256
    /// Text whose longest value reaches this is stored value by value if ``longTextAverage`` is reached, too.
    private static let longTextBytes = 256
    /// Average length that makes the longer overhead of full zip (length, row offset) not matter.
    private static let longTextAverage = 64
    /// Text with a value as long as this never shares a chunk with others.
    private static let veryLongTextBytes = 2048
    /// Text with a value longer than this is compressed value by value with Zstandard.
    private static let documentBytes = 32 << 10
    /// Bytes that a chunk costs beyond its values: word, header, padding.
    private static let chunkOverhead = 16
    /// An encoding that is slower to read must get below this share of the other's size.
    private static let worthwhile = 0.97
    /// The same for bit packing against plain values, which are read without decoding.
    private static let worthPacking = 0.955
    /// Average length of documents for which FSST is not even tried: Zstandard is certain to win.
    private static let documentAverage = 1024

    /// A dictionary below this share of the text is taken without a look at the alternatives.
    private static let clearWin = 0.4

    /// Values looked at before a dictionary of numbers is tried.
    private static let sampledValues = 2048

    /// Most levels of a page of one value.
    private static let constantLevels = 512

    /// Values in a chunk of runs; at worst all of them are runs of one, which must fit a chunk of 2.1.
    private var runChunkValues: Int { format == .v2_1 ? ChunkSize.maxValues / 2 : ChunkSize.maxValues }

    private var miniBlock: MiniBlockEncoder { MiniBlockEncoder(format: format) }

    /// The page, or nil when fewer rows should be tried.
    ///
    /// - Parameter isSplittable: whether there is more than one row.
    package func page(_ levels: LeafLevels, _ values: LeafValues, isSplittable: Bool) throws(LanceError) -> EncodedPage?
    {
        if case .none = values { return ConstantEncoder(format: format).nullPage(levels) }
        let validity = levels.slotValidity()
        if levels.visibleCount == 0 || validity?.setCount == 0 {
            return ConstantEncoder(format: format).nullPage(levels)
        }
        // A page with a value keeps its levels uncompressed, so it is only for few of them.
        if format == .v2_2, validity == nil && levels.repetition == nil || levels.count <= Self.constantLevels,
            let constant = ConstantValue(values, validity: validity)
        {
            return ConstantEncoder(format: format).page(levels, inline: constant.inline, scalar: constant.scalar)
        }
        let page = try encoded(levels, values, validity)
        // A single row whose levels overflow a chunk still fits the other layout.
        if page == nil, !isSplittable { return try fullZip(levels, values) }
        return page
    }

    private func encoded(
        _ levels: LeafLevels,
        _ values: LeafValues,
        _ validity: Bitmap?
    ) throws(LanceError) -> EncodedPage? {
        switch values {
        case .fixed(let fixed):
            if hints.structure == .fullZip { return try fullZip(levels, values) }
            let (plain, statistics) = try priced(fixed)
            if let found = try dictionary(fixed, statistics, validity, below: plain.dataBytes) {
                return miniBlock.page(levels, found.indices, dictionary: found.items)
            }
            return isWide(fixed.width) ? try fullZip(levels, values) : miniBlock.page(levels, plain)
        case .bits(let bits):
            if hints.structure == .fullZip { return try fullZip(levels, values) }
            return miniBlock.page(levels, try general(FlatEncoder.chunks(bits)))
        case .variable(let strings): return try page(levels, strings, validity)
        case .vectors(let vectors):
            // The reference's full zip has no vectors of booleans.
            if case .fixed = vectors.items, isWide(vectors.bitsPerValue / 8) { return try fullZip(levels, values) }
            return miniBlock.page(levels, try general(FlatEncoder.chunks(vectors)))
        case .dictionary(let indices, let items):
            return miniBlock.page(levels, try priced(indices).chunks, dictionary: try block(items))
        case .packed(let fields):
            guard let (rows, bits) = PackedRows.fixed(fields) else { return try fullZip(levels, values) }
            let encoding = CompressiveEncoding.packedStruct(bitsPerField: bits, values: .flat(bits: rows.width * 8))
            return miniBlock.page(
                levels,
                FlatEncoder.chunks(rows.bytes, bits: rows.width * 8, count: rows.count, encoding)
            )
        case .none: return ConstantEncoder(format: format).nullPage(levels)
        }
    }

    private func isWide(_ bytes: Int) -> Bool {
        switch hints.structure {
        case .fullZip: true
        case .miniBlock: false
        case nil: bytes >= Self.wideValueBytes
        }
    }

    // MARK: Numbers

    /// Numbers and other values of whole bytes, in chunks, and what was found about them if they were looked at.
    private func priced(
        _ values: FixedValues
    ) throws(LanceError) -> (chunks: ChunkedValues, statistics: FixedStatistics?) {
        let flat = FlatEncoder.chunks(values)
        guard hints.compression != .none, [1, 2, 4, 8].contains(values.width) else { return (try general(flat), nil) }
        let statistics = FixedStatistics(values)
        return (try cheapest(values, flat, statistics), statistics)
    }

    private func cheapest(
        _ values: FixedValues,
        _ flat: ChunkedValues,
        _ statistics: FixedStatistics
    ) throws(LanceError) -> ChunkedValues {
        let allowsRuns =
            hints.runLengthThreshold.map { Double(statistics.runCount) < Double(values.count) * $0 } ?? true
        if case .general(let compression) = hints.compression {
            return try compressed(values, flat, allowsRuns, statistics, compression)
        }
        let chunkCount = flat.valueCounts.count
        let flatCost = flat.dataBytes + chunkCount * Self.chunkOverhead
        let packedCost =
            statistics.packedBytes
            + (values.count / ChunkSize.packedValues + 1) * Self.chunkOverhead
        let runCost =
            statistics.runCount * (values.width + 1)
            + (values.count / runChunkValues + 1) * 2 * Self.chunkOverhead
        if allowsRuns, Double(runCost) < Self.worthwhile * Double(Swift.min(flatCost, packedCost)) {
            return RunLengthEncoder.chunks(values, chunkValues: runChunkValues)
        }
        if Double(packedCost) < Self.worthPacking * Double(flatCost) { return InlineBitpackingEncoder.chunks(values) }
        return flat
    }

    /// Numbers under a general scheme: byte streams, runs, packed or plain underneath, whichever the scheme likes best.
    private func compressed(
        _ values: FixedValues,
        _ flat: ChunkedValues,
        _ allowsRuns: Bool,
        _ statistics: FixedStatistics,
        _ compression: BufferCompression
    ) throws(LanceError) -> ChunkedValues {
        let canSplit = values.width == 4 || values.width == 8
        if hints.byteStreamSplit == .on, canSplit {
            return try GeneralEncoder.wrapping(ByteStreamSplitEncoder.chunks(values), compression)
        }
        var best = try GeneralEncoder.wrapping(flat, compression)
        if hints.byteStreamSplit == .auto, canSplit {
            let split = try GeneralEncoder.wrapping(ByteStreamSplitEncoder.chunks(values), compression)
            // Byte streams that nothing compressed help nobody.
            if case .general = split.encoding, split.dataBytes < best.dataBytes { best = split }
        }
        if statistics.packedBytes < flat.dataBytes {
            let packed = try GeneralEncoder.wrapping(InlineBitpackingEncoder.chunks(values), compression)
            if packed.dataBytes < best.dataBytes { best = packed }
        }
        if allowsRuns, statistics.runCount * 2 < values.count {
            let runs = RunLengthEncoder.chunks(values, chunkValues: runChunkValues)
            let wrapped = try GeneralEncoder.wrapping(runs, compression)
            if wrapped.dataBytes < best.dataBytes { best = wrapped }
        }
        return best
    }

    private func general(_ values: ChunkedValues) throws(LanceError) -> ChunkedValues {
        guard case .general(let compression) = hints.compression else { return values }
        return try GeneralEncoder.wrapping(values, compression)
    }

    // MARK: Text

    private func page(
        _ levels: LeafLevels,
        _ strings: VariableValues,
        _ validity: Bitmap?
    ) throws(LanceError) -> EncodedPage? {
        let longest = strings.maxLength
        let average = strings.dataBytes / Swift.max(strings.count, 1)
        let isLong =
            longest >= Self.longTextBytes
            && (average >= Self.longTextAverage || longest >= Self.veryLongTextBytes)
        var fsst: (VariableValues, CompressiveEncoding)?
        if hints.structure != .fullZip, let found = try dictionary(strings, validity) {
            // Training FSST costs more than building the dictionary: only a doubtful win is compared with it.
            if Double(found.cost) < Self.clearWin * Double(strings.dataBytes) {
                return miniBlock.page(levels, found.indices, dictionary: found.items)
            }
            fsst = try self.fsst(strings)
            let other = (fsst?.0 ?? strings).dataBytes + strings.count * strings.offsetBits / 8
            if Double(found.cost) < Self.worthwhile * Double(other) {
                return miniBlock.page(levels, found.indices, dictionary: found.items)
            }
        } else {
            let areDocuments =
                hints.compression == .automatic && hints.structure == nil
                && longest > Self.documentBytes && average > Self.documentAverage
            fsst = areDocuments ? nil : try self.fsst(strings)
        }
        if hints.structure == .fullZip || (isLong && hints.structure == nil) {
            return try longText(levels, strings, fsst, longest)
        }
        let (values, encoding) = fsst ?? (strings, .variable(offsetBits: strings.offsetBits))
        return miniBlock.page(levels, try general(VariableEncoder.chunks(values, encoding)))
    }

    /// FSST codes of the text, when that is asked for or pays.
    private func fsst(_ strings: VariableValues) throws(LanceError) -> (VariableValues, CompressiveEncoding)? {
        switch hints.compression {
        case .none: nil
        case .fsst: try FSSTValuesEncoder.encode(strings)
        case .automatic, .general: try FSSTValuesEncoder.encode(ifSmaller: strings)
        }
    }

    private func longText(
        _ levels: LeafLevels,
        _ strings: VariableValues,
        _ fsst: (VariableValues, CompressiveEncoding)?,
        _ longest: Int
    ) throws(LanceError) -> EncodedPage {
        var scheme: BufferCompression?
        if case .general(let compression) = hints.compression { scheme = compression }
        if case .automatic = hints.compression, longest > Self.documentBytes {
            scheme = BufferCompression(.zstd, level: 0)
        }
        let plain = CompressiveEncoding.variable(offsetBits: strings.offsetBits)
        if let scheme {
            let packed = try GeneralEncoder.eachValue(of: strings, scheme)
            if packed.dataBytes < (fsst?.0 ?? strings).dataBytes {
                return FullZipEncoder.page(levels, packed, .general(scheme, plain))
            }
        }
        if let fsst { return FullZipEncoder.page(levels, fsst.0, fsst.1) }
        return FullZipEncoder.page(levels, strings, plain)
    }

    // MARK: Dictionaries

    private struct Indexed {
        var indices: ChunkedValues
        var items: MiniBlockEncoder.Dictionary
        /// Bytes of both.
        var cost: Int { indices.dataBytes + items.bytes.count }
    }

    /// Indices and items, when they are as much smaller than the text as the hints want.
    private func dictionary(_ strings: VariableValues, _ validity: Bitmap?) throws(LanceError) -> Indexed? {
        let maxItems = strings.count / hints.dictionaryDivisor
        guard let builder = DictionaryBuilder(strings, validity: validity, maxItems: maxItems) else { return nil }
        return try indexed(
            builder,
            try block(.variable(builder.items(of: strings))),
            below: hints.dictionarySizeRatio * Double(strings.dataBytes + strings.count * strings.offsetBits / 8)
        )
    }

    /// The same for values of fixed width; they must be smaller than `alternative` bytes, too.
    private func dictionary(
        _ values: FixedValues,
        _ statistics: FixedStatistics?,
        _ validity: Bitmap?,
        below alternative: Int
    ) throws(LanceError) -> Indexed? {
        // Narrower values are better off bit-packed; 2.1 readers know dictionaries of wide values only.
        guard values.width >= (format == .v2_1 ? 16 : 8) else { return nil }
        let limit = Swift.min(
            hints.dictionarySizeRatio * Double(values.bytes.count),
            Self.worthwhile * Double(alternative)
        )
        guard mayPay(values, statistics, validity, below: limit) else { return nil }
        let maxItems = values.count / hints.dictionaryDivisor
        guard let builder = DictionaryBuilder(values, validity: validity, maxItems: maxItems) else { return nil }
        return try indexed(builder, try block(.fixed(builder.items(of: values))), below: limit)
    }

    /// Whether a dictionary could get below `limit` bytes, going by the number of different values in a sample: so many
    /// items need indices of a certain width, unless these come in runs.
    private func mayPay(
        _ values: FixedValues,
        _ statistics: FixedStatistics?,
        _ validity: Bitmap?,
        below limit: Double
    ) -> Bool {
        guard values.width == 8, values.count > Self.sampledValues else { return true }
        let kinds = DistinctWords.sampledKinds(values, validity: validity, samples: Self.sampledValues)
        let indexBits = Int.bitWidth - Swift.max(0, kinds - 1).leadingZeroBitCount
        if Double(values.count) * Double(indexBits) / 8 + Double(kinds * values.width) < limit { return true }
        return Double((statistics ?? FixedStatistics(values)).runCount * 5) < limit
    }

    private func indexed(
        _ builder: DictionaryBuilder,
        _ items: MiniBlockEncoder.Dictionary,
        below limit: Double
    ) throws(LanceError) -> Indexed? {
        let found = Indexed(indices: try priced(builder.indexValues).chunks, items: items)
        return Double(found.cost) < limit ? found : nil
    }

    /// The items of a dictionary as one block, compressed if that helps and the version allows it.
    private func block(_ items: LeafValues) throws(LanceError) -> MiniBlockEncoder.Dictionary {
        let bytes: ArrowBuffer
        let encoding: CompressiveEncoding
        var packed: (bytes: ArrowBuffer, encoding: CompressiveEncoding)?
        switch items {
        case .fixed(let values):
            bytes = values.bytes
            encoding = .flat(bits: values.width * 8)
            if format == .v2_2 { packed = BlockPackingEncoder.block(values) }
        case .variable(let values):
            bytes = VariableEncoder.block(values)
            encoding = .variable(offsetBits: values.offsetBits)
        case .bits(let bits):
            bytes = bits.compacted().buffer
            encoding = .flat(bits: 1)
        default: throw .unsupported("a dictionary of nested values")
        }
        if format == .v2_2, let scheme = hints.dictionaryCompression,
            let general = try GeneralEncoder.block(ifSmaller: bytes, scheme),
            general.count < packed?.bytes.count ?? Int.max
        {
            return .init(encoding: .general(scheme, encoding), bytes: general, itemCount: items.count)
        }
        return .init(
            encoding: packed?.encoding ?? encoding,
            bytes: packed?.bytes ?? bytes,
            itemCount: items.count
        )
    }

    // MARK: Full zip

    /// Every value by itself; nil when the values have no such form.
    private func fullZip(_ levels: LeafLevels, _ values: LeafValues) throws(LanceError) -> EncodedPage? {
        switch values {
        case .fixed(let fixed): return FullZipEncoder.page(levels, fixed, .flat(bits: fixed.width * 8))
        case .bits(let bits):
            let bytes = ArrowBuffer(bits.bools.map { $0 ? UInt8(1) : 0 })
            return FullZipEncoder.page(levels, FixedValues(bytes, width: 1, count: bits.count), .flat(bits: 8))
        case .variable(let strings):
            return FullZipEncoder.page(levels, strings, .variable(offsetBits: strings.offsetBits))
        case .vectors(let vectors):
            guard case .fixed = vectors.items else { return nil }
            return vectors.rows().map { FullZipEncoder.page(levels, $0, vectors.flatEncoding) }
        case .packed(let fields):
            if let (rows, bits) = PackedRows.fixed(fields) {
                let encoding = CompressiveEncoding.packedStruct(bitsPerField: bits, values: .flat(bits: rows.width * 8))
                return FullZipEncoder.page(levels, rows, encoding)
            }
            let (rows, encoding) = try PackedRows.variable(fields, fsst)
            return FullZipEncoder.page(levels, rows, encoding)
        case .dictionary, .none: return nil
        }
    }
}
