import LancerArrow
import LancerBytes

/// Pages whose values are all the same, or all null or absent.
///
/// Spec: 05-constant.md, "Forms". 2.1 knows only the form without a value, with raw levels.
package struct ConstantEncoder {
    /// Longest value that stands in the layout itself.
    static let maxInlineBytes = 32

    package let format: PageFormat

    package init(format: PageFormat) { self.format = format }

    /// A page without any value: levels, if they say more than "all null".
    package func nullPage(_ levels: LeafLevels) -> EncodedPage {
        // A top-level column of nulls only: the layer says it all. With more layers readers expect levels.
        if levels.layers == [.nullableItem], isAll(levels.definition, 1) {
            return EncodedPage(layout: .constant(ConstantLayout(layers: levels.layers)), buffers: [], levels: levels)
        }
        return page(levels, inline: nil, scalar: nil)
    }

    /// The page of a struct without fields. It counts as a column of nulls, without the layers around it.
    package func emptyStructPage(_ levels: LeafLevels) throws(LanceError) -> EncodedPage {
        guard levels.repetition == nil, levels.definition == nil else {
            throw .unsupported("a struct without fields that is null or in a list or a null struct")
        }
        return EncodedPage(layout: .constant(ConstantLayout(layers: [.nullableItem])), buffers: [], levels: levels)
    }

    /// A page of one value of at most ``maxInlineBytes`` (`inline`), or one in Arrow buffers (`scalar`).
    package func page(_ levels: LeafLevels, inline: [UInt8]?, scalar: ArrowBuffer?) -> EncodedPage {
        var layout = ConstantLayout(layers: levels.layers, inlineValue: inline)
        var buffers = scalar.map { [$0] } ?? []
        if levels.repetition != nil || levels.definition != nil {
            // Readers take the levels of a page with a value for raw words, whatever the layout says.
            let compresses = format == .v2_2 && inline == nil && scalar == nil
            let repetition = block(levels.repetition, compresses)
            let definition = block(levels.definition, compresses)
            buffers.append(repetition.bytes)
            buffers.append(definition.bytes)
            layout.repetition = repetition.encoding
            layout.definition = definition.encoding
            if repetition.encoding != nil { layout.repetitionLevelCount = levels.count }
            if definition.encoding != nil { layout.definitionLevelCount = levels.count }
        }
        return EncodedPage(layout: .constant(layout), buffers: buffers, levels: levels)
    }

    private func isAll(_ levels: [UInt16]?, _ level: UInt16) -> Bool {
        levels.map { $0.allSatisfy { $0 == level } } ?? false
    }

    private func block(_ levels: [UInt16]?, _ compresses: Bool) -> (bytes: ArrowBuffer, encoding: CompressiveEncoding?)
    {
        guard let levels else { return (.empty, nil) }
        guard compresses else { return (ArrowBuffer(levels), nil) }
        let encoder = LevelEncoder(levels, [0, levels.count], allowsRunLength: true)
        var data = BufferBuilder(capacity: encoder.estimatedBytes)
        encoder.append(chunk: 0, to: &data)
        return (data.finish(), encoder.encoding)
    }

    /// The Arrow buffers of a one-value array, as a page buffer: `u32 count · u32 sizes · buffers`.
    package static func scalar(_ buffers: [ArrowBuffer]) -> ArrowBuffer {
        var builder = BufferBuilder(capacity: 64)
        builder.append(UInt32(buffers.count))
        for buffer in buffers { builder.append(UInt32(truncatingIfNeeded: buffer.count)) }
        for buffer in buffers { builder.append(contentsOf: buffer) }
        return builder.finish()
    }
}
