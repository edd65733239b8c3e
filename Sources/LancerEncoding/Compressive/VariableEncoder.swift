import LancerBytes

/// Byte strings: offsets, then the bytes.
///
/// Spec: 07-encodings.md, "Variable".
enum VariableEncoder {
    /// Fill byte behind the bytes of a chunk.
    private static let padding: UInt8 = 0x48

    /// Mini-block chunks of about 4 KiB. The offsets of a chunk count from the start of its buffer.
    static func chunks(_ values: VariableValues, _ encoding: CompressiveEncoding? = nil) -> ChunkedValues {
        let width = values.offsetBits / 8
        let counts = chunkCounts(values, width)
        var data = BufferBuilder(capacity: values.dataBytes + (values.count + 2 * counts.count) * width)
        var sizes: [Int] = []
        sizes.reserveCapacity(counts.count)
        var first = 0
        for count in counts {
            let begin = data.count
            let header = (count + 1) * width
            let base = values.offsets[first]
            data.append(upTo: header) { target in
                values.offsets.withUnsafeBufferPointer { offsets in
                    if width == 4 {
                        for index in 0...count {
                            let offset = UInt32(truncatingIfNeeded: offsets[first + index] &- base &+ header)
                            target.storeBytes(of: offset, toByteOffset: index &* 4, as: UInt32.self)
                        }
                    } else {
                        for index in 0...count {
                            let offset = UInt64(truncatingIfNeeded: offsets[first + index] &- base &+ header)
                            target.storeBytes(of: offset, toByteOffset: index &* 8, as: UInt64.self)
                        }
                    }
                }
                return header
            }
            data.append(contentsOf: values.data.slice(base..<values.offsets[first + count]))
            let used = data.count - begin
            data.append(padding, repeated: used.rounded(upTo: width) - used)
            sizes.append(data.count - begin)
            first += count
        }
        return ChunkedValues(
            encoding: encoding ?? .variable(offsetBits: values.offsetBits),
            valueCounts: counts,
            buffers: [data.finish()],
            sizes: [sizes]
        )
    }

    /// The largest power of two of values that stay within the chunk size, but at least two.
    private static func chunkCounts(_ values: VariableValues, _ width: Int) -> [Int] {
        var counts: [Int] = []
        let total = values.count
        values.offsets.withUnsafeBufferPointer { offsets in
            var first = 0
            while first < total {
                func bytes(_ count: Int) -> Int { offsets[first + count] - offsets[first] + (count + 1) * width }
                if bytes(total - first) <= ChunkSize.variableBytes {
                    counts.append(total - first)
                    return
                }
                var count = 2
                while first + count * 2 <= total, count * 2 <= ChunkSize.maxValues,
                    bytes(count * 2) <= ChunkSize.variableBytes
                { count *= 2 }
                count = Swift.min(count, total - first)
                counts.append(count)
                first += count
            }
        }
        return counts
    }

    /// One opaque block: `offset width · byte offset of the data · offsets from 0 · data`, all of the offset width.
    static func block(_ values: VariableValues) -> ArrowBuffer {
        let width = values.offsetBits / 8
        let dataAt = (values.count + 3) * width
        let base = values.offsets[0]
        var block = BufferBuilder(capacity: dataAt + values.dataBytes)
        if width == 4 {
            block.append(UInt32(values.offsetBits))
            block.append(UInt32(truncatingIfNeeded: dataAt))
            for offset in values.offsets { block.append(UInt32(truncatingIfNeeded: offset - base)) }
        } else {
            block.append(UInt64(values.offsetBits))
            block.append(UInt64(dataAt))
            for offset in values.offsets { block.append(UInt64(offset - base)) }
        }
        block.append(contentsOf: values.data.slice(base..<values.offsets[values.count]))
        return block.finish()
    }
}
