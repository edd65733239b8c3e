import LancerArrow
import LancerBytes

/// The one place that decides how a page is stored.
package struct EncodingChooser: Sendable {
    package let format: PageFormat
    package let hints: EncodingHints

    package init(format: PageFormat, hints: EncodingHints) {
        self.format = format
        self.hints = hints
    }

    /// Bytes from which on a value is stored by itself (full zip) instead of in a chunk with others.
    private static let wideValueBytes = 256

    /// The page, or nil when fewer rows should be tried.
    package func page(_ levels: LeafLevels, _ values: LeafValues, isSplittable: Bool) throws(LanceError) -> EncodedPage?
    {
        if case .none = values { return ConstantEncoder(format: format).nullPage(levels) }
        let nulls = levels.definition.map { $0.reduce(0) { $0 + ($1 == 0 ? 1 : 0) } } ?? levels.count
        if nulls == 0 { return ConstantEncoder(format: format).nullPage(levels) }
        switch values {
        case .fixed(let fixed):
            if fixed.width >= Self.wideValueBytes || hints.structure == .fullZip {
                return FullZipEncoder.page(levels, fixed, .flat(bits: fixed.width * 8))
            }
            return MiniBlockEncoder(format: format).page(levels, FlatEncoder.chunks(fixed))
        case .bits(let bits):
            return MiniBlockEncoder(format: format).page(levels, FlatEncoder.chunks(bits))
        case .variable(let strings):
            if strings.maxLength >= Self.wideValueBytes {
                return FullZipEncoder.page(levels, strings, .variable(offsetBits: strings.offsetBits))
            }
            return MiniBlockEncoder(format: format).page(levels, VariableEncoder.chunks(strings))
        case .vectors(let vectors):
            return MiniBlockEncoder(format: format).page(levels, FlatEncoder.chunks(vectors))
        case .dictionary, .packed, .none: throw .unsupported("not yet")
        }
    }
}
