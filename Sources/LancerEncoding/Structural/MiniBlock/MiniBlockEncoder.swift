import LancerBytes

/// Puts levels and compressed values together as a mini-block page.
///
/// ```
/// buffer 0   a word a chunk: (bytes / 8 - 1) << 4 | log2(values), log2 = 0 for the last; u16 in 2.1, u32 in 2.2
/// buffer 1   chunks: u16 levels · [u16 rep bytes] · [u16 def bytes] · value buffer sizes (u16, 2.2: u32) ·
///            [rep] · [def] · value buffers; each part padded to 8
/// [buffer]   dictionary
/// [buffer]   repetition index: u64 rows that finish in the chunk, u64 levels left over, for each chunk
/// ```
/// Spec: 03-mini-block.md, "Levels of a chunk".
package struct MiniBlockEncoder {
    /// A dictionary that the values are indices into.
    package struct Dictionary: Sendable {
        package var encoding: CompressiveEncoding
        package var bytes: ArrowBuffer
        package var itemCount: Int

        package init(encoding: CompressiveEncoding, bytes: ArrowBuffer, itemCount: Int) {
            self.encoding = encoding
            self.bytes = bytes
            self.itemCount = itemCount
        }
    }

    /// Fill byte of the padding inside chunks; readers ignore it.
    private static let padding: UInt8 = 0xFE

    package let format: PageFormat

    package init(format: PageFormat) { self.format = format }

    /// The page, or nil when a chunk would have more levels or bytes than its header can say: fewer rows may do.
    package func page(
        _ levels: LeafLevels,
        _ values: ChunkedValues,
        dictionary: Dictionary? = nil
    ) -> EncodedPage? {
        guard let bounds = chunkBounds(levels, values.valueCounts) else { return nil }
        let allowsRuns = format == .v2_2
        let repetition = levels.repetition.map { LevelEncoder($0, bounds, allowsRunLength: allowsRuns) }
        let definition = levels.definition.map { LevelEncoder($0, bounds, allowsRunLength: allowsRuns) }
        let chunkCount = values.valueCounts.count
        var words = BufferBuilder(capacity: chunkCount * 4)
        var data = BufferBuilder(
            capacity: values.dataBytes + chunkCount * (32 + 16 * values.buffers.count)
                + (repetition?.estimatedBytes ?? 0) + (definition?.estimatedBytes ?? 0)
        )
        let hasLevels = repetition != nil || definition != nil
        var starts = [Int](repeating: 0, count: values.buffers.count)
        for chunk in 0..<chunkCount {
            let begin = data.count
            data.append(UInt16(truncatingIfNeeded: hasLevels ? bounds[chunk + 1] - bounds[chunk] : 0))
            let sizesAt = data.count
            if repetition != nil { data.append(UInt16(0)) }
            if definition != nil { data.append(UInt16(0)) }
            for sizes in values.sizes {
                if format.hasLargeChunks {
                    data.append(UInt32(truncatingIfNeeded: sizes[chunk]))
                } else {
                    guard sizes[chunk] <= Int(UInt16.max) else { return nil }
                    data.append(UInt16(truncatingIfNeeded: sizes[chunk]))
                }
            }
            pad(&data, from: begin)
            var sizeAt = sizesAt
            for encoder in [repetition, definition] {
                guard let encoder else { continue }
                let levelsAt = data.count
                encoder.append(chunk: chunk, to: &data)
                guard let size = UInt16(exactly: data.count - levelsAt) else { return nil }
                data.overwrite(size, at: sizeAt)
                sizeAt += 2
                pad(&data, from: begin)
            }
            for (index, buffer) in values.buffers.enumerated() {
                let size = values.sizes[index][chunk]
                data.append(contentsOf: buffer.slice(starts[index]..<(starts[index] + size)))
                starts[index] += size
                pad(&data, from: begin)
            }
            let bytes = data.count - begin
            guard bytes <= format.maxChunkBytes else { return nil }
            let isLast = chunk == chunkCount - 1
            let word = (bytes / 8 - 1) << 4 | (isLast ? 0 : values.valueCounts[chunk].trailingZeroBitCount)
            if format.hasLargeChunks {
                words.append(UInt32(truncatingIfNeeded: word))
            } else {
                words.append(UInt16(truncatingIfNeeded: word))
            }
        }
        var buffers = [words.finish(), data.finish()]
        if let dictionary { buffers.append(dictionary.bytes) }
        if let repetition = levels.repetition {
            buffers.append(repetitionIndex(repetition, bounds, UInt16(levels.maxRepetition)))
        }
        let layout = MiniBlockLayout(
            repetition: repetition?.encoding,
            definition: definition?.encoding,
            values: values.encoding,
            dictionary: dictionary?.encoding,
            dictionaryItemCount: dictionary?.itemCount ?? 0,
            layers: levels.layers,
            bufferCount: values.buffers.count,
            repetitionIndexDepth: levels.repetition == nil ? 0 : 1,
            itemCount: levels.visibleCount,
            hasLargeChunks: format.hasLargeChunks
        )
        return EncodedPage(layout: .miniBlock(layout), buffers: buffers, levels: levels)
    }

    private func pad(_ data: inout BufferBuilder, from begin: Int) {
        let used = data.count - begin
        data.append(Self.padding, repeated: used.rounded(upTo: 8) - used)
    }

    /// Index of the first level of each chunk, and the end. Entries without a slot that follow the last value of a chunk
    /// go to the next chunk; the last takes all the rest.
    private func chunkBounds(_ levels: LeafLevels, _ valueCounts: [Int]) -> [Int]? {
        var bounds = [0]
        bounds.reserveCapacity(valueCounts.count + 1)
        if let definition = levels.definition, levels.hasInvisible {
            let highest = UInt16(levels.maxVisibleDefinition)
            definition.withUnsafeBufferPointer { definition in
                var position = 0
                for count in valueCounts.dropLast() {
                    var left = count
                    while left > 0 {
                        left -= definition[position] <= highest ? 1 : 0
                        position += 1
                    }
                    bounds.append(position)
                }
            }
        } else {
            var position = 0
            for count in valueCounts.dropLast() {
                position += count
                bounds.append(position)
            }
        }
        bounds.append(levels.count)
        guard levels.repetition != nil || levels.definition != nil else { return bounds }
        for chunk in 0..<valueCounts.count where bounds[chunk + 1] - bounds[chunk] > Int(UInt16.max) { return nil }
        return bounds
    }

    private func repetitionIndex(_ repetition: [UInt16], _ bounds: [Int], _ rowStart: UInt16) -> ArrowBuffer {
        var index = BufferBuilder(capacity: bounds.count * 16)
        for chunk in 0..<(bounds.count - 1) {
            let begin = bounds[chunk]
            let end = bounds[chunk + 1]
            let nextStarts = end == repetition.count || repetition[end] == rowStart
            var finished = nextStarts ? 1 : 0
            var left = 0
            repetition.withUnsafeBufferPointer { repetition in
                guard begin < end, let base = repetition.baseAddress else { return }
                finished += LevelWords.count(base, (begin + 1)..<end, equalTo: rowStart)
                if nextStarts { return }
                var lastStart = end - 1
                while lastStart > begin, base[lastStart] != rowStart { lastStart -= 1 }
                left = end - lastStart
            }
            index.append(UInt64(finished))
            index.append(UInt64(left))
        }
        return index.finish()
    }
}
