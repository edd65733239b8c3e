import LancerArrow
import LancerBytes

/// A mini-block page ready to be read.
///
/// Page buffers: 0 chunk words · 1 chunks (``ChunkParts``) · [dictionary] · [repetition index].
/// Spec: 03-mini-block.md, "Chunks".
package final class MiniBlockPage: PreparedPage {
    let layout: MiniBlockLayout
    let chunks: MiniBlockChunks
    let values: ValueDecoder
    let repetition: ValueDecoder?
    let definition: ValueDecoder?
    /// What the values are indices into; nil when they are values.
    let dictionary: PageDictionary?

    package var layers: [RepDefLayer] { layout.layers }

    package var sizeInBytes: Int {
        chunks.count * 24 + 512 + (dictionary?.values.sizeInBytes ?? 0)
    }

    /// The buffers that ``init(layout:shape:type:buffers:dictionaryID:)`` wants, whole.
    package static func searchBuffers(_ layout: MiniBlockLayout) -> [Int] {
        var result = [0]
        if layout.dictionary != nil { result.append(2) }
        if layout.repetitionIndexDepth > 0 { result.append(layout.dictionary == nil ? 2 : 3) }
        return result
    }

    /// Prepares a page.
    ///
    /// - Parameters:
    ///   - type: type of the leaf column.
    ///   - buffers: what ``searchBuffers(_:)`` asked for, in that order.
    ///   - dictionaryID: tells this page's dictionary from those of other pages.
    package init(
        layout: MiniBlockLayout,
        shape: PageShape,
        type: ArrowType,
        buffers: [ArrowBuffer],
        dictionaryID: Int
    ) throws(LanceError) {
        guard shape.bufferSizes.count >= 2, buffers.count == Self.searchBuffers(layout).count else {
            throw .corrupt("a mini-block page of \(shape.bufferSizes.count) buffers")
        }
        self.layout = layout
        chunks = try MiniBlockChunks(
            words: buffers[0],
            repetitionIndex: layout.repetitionIndexDepth > 0 ? buffers[buffers.count - 1] : nil,
            layout: layout,
            dataBytes: shape.bufferSizes[1],
            rowCount: shape.rowCount
        )
        repetition = try layout.repetition.map { (encoding) throws(LanceError) in
            try ValueDecoder(encoding, for: .uint16)
        }
        definition = try layout.definition.map { (encoding) throws(LanceError) in
            try ValueDecoder(encoding, for: .uint16)
        }
        if layout.layers.maxRepetition > 0, repetition == nil {
            throw .corrupt("a list page without repetition levels")
        }
        if let encoding = layout.dictionary {
            dictionary = try PageDictionary(
                encoding,
                itemCount: layout.dictionaryItemCount,
                buffer: buffers[1],
                type: type,
                id: dictionaryID
            )
            let indexType: ArrowType = if case .dictionary(let index, _, _) = type { index } else { .uint32 }
            values = try ValueDecoder(layout.values, for: indexType)
        } else {
            if case .dictionary = type { throw .corrupt("a page of a dictionary column without dictionary") }
            dictionary = nil
            values = try ValueDecoder(layout.values, for: type)
        }
    }

    package var keepable: PageRange? { PageRange(1, 0..<chunks.byteOffsets[chunks.count]) }

    package func plan(
        _ rows: ArraySlice<Range<Int>>,
        index: PageData,
        into plan: inout [PageRange]
    ) throws(LanceError) {
        let first = plan.count
        for rows in rows where !rows.isEmpty {
            let span = chunks.chunks(for: rows)
            plan.join(1, chunks.byteOffsets[span.lowerBound]..<chunks.byteOffsets[span.upperBound], from: first)
        }
    }

    package func decode(
        _ rows: ArraySlice<Range<Int>>,
        data: PageData,
        index: PageData,
        levels: LevelCollector,
        values output: ValueAccumulator
    ) throws(LanceError) {
        let translation = try levels.prepare(for: layers)
        if let dictionary, case .dictionary(let target) = output { target.use(dictionary.values, id: dictionary.id) }
        if case .variable(let target) = output, dictionary == nil {
            let stored = rows.reduce(0) { $0 + chunks.expectedBytes(of: $1) }
            target.data.reserve(values.isCompressedText ? stored * 3 : stored)
        }
        // The chunk has pointers into it.
        defer { withExtendedLifetime(data) {} }
        let picked = try pick(rows, data, levels, translation, output)
        if picked == rows.count { return }
        let chunk = MiniBlockChunk(of: self)
        for rows in rows.dropFirst(picked) where !rows.isEmpty {
            for number in chunks.chunks(for: rows) {
                do throws(LanceError) {
                    if chunk.number != number {
                        let bytes = chunks.byteOffsets[number]..<chunks.byteOffsets[number + 1]
                        try chunk.load(number, try data.pointer(1, bytes))
                    }
                    try append(rows, of: chunk, levels, translation, output)
                } catch {
                    throw error.located(part: "chunk \(number)")
                }
            }
        }
    }

    /// Fewer ranges than this are not worth the preparation.
    private static let fewestPicked = 4

    /// Takes single rows the short way, where that is possible.
    ///
    /// - Returns: How many of the ranges are done.
    private func pick(
        _ ranges: ArraySlice<Range<Int>>,
        _ data: PageData,
        _ levels: LevelCollector,
        _ translation: LevelCollector.Translation?,
        _ output: ValueAccumulator
    ) throws(LanceError) -> Int {
        guard ranges.count >= Self.fewestPicked, ranges.allSatisfy({ $0.count == 1 }) else { return 0 }
        let width: Int
        switch (output, dictionary) {
        case (.dictionary, _): return 0
        case (_, .some): width = 4
        case (.fixed(_, let bytes), nil): width = bytes
        case (.bits, nil): width = 1
        default: return 0
        }
        guard width > 0, let picker = ChunkPicker(self) else { return 0 }
        let picked = picker.pick(ranges, of: data, width: width)
        try levels.append(
            repetition: nil,
            definition: picked.levels.map { $0.start.assumingMemoryBound(to: UInt16.self) },
            count: picked.count,
            translation: translation
        )
        if let dictionary {
            try dictionary.append(values: picked.values, into: output)
        } else if case .bits(let target) = output {
            for index in 0..<picked.count {
                target.append(picked.values.start.load(fromByteOffset: index, as: UInt8.self) != 0)
            }
        } else if case .fixed(let target, _) = output {
            target.append(picked.values.start, picked.values.count)
        }
        return picked.count
    }

    private func append(
        _ rows: Range<Int>,
        of chunk: MiniBlockChunk,
        _ levels: LevelCollector,
        _ translation: LevelCollector.Translation?,
        _ output: ValueAccumulator
    ) throws(LanceError) {
        let span = try chunk.span(of: rows, chunks: chunks, layers: layers)
        try chunk.appendLevels(span.entries, to: levels, translation)
        guard !span.values.isEmpty else { return }
        if let dictionary {
            try dictionary.append(
                indices: values,
                buffers: chunk.valueBuffers,
                count: chunk.valueCount,
                range: span.values,
                isNull: { (slot) throws(LanceError) in try chunk.isNull(slot: slot, layers: layers) },
                into: output
            )
        } else {
            try values.decodeChunk(chunk.valueBuffers[...], count: chunk.valueCount, range: span.values, into: output)
        }
    }
}
