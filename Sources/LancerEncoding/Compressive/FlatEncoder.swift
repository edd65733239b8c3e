import LancerArrow
import LancerBytes

/// Values as they are, in mini-block chunks.
///
/// Spec: 07-encodings.md, "Flat" and "FixedSizeList".
enum FlatEncoder {
    /// Values of whole bytes.
    static func chunks(_ values: FixedValues) -> ChunkedValues {
        chunks(values.bytes, bits: values.width * 8, count: values.count, .flat(bits: values.width * 8))
    }

    /// Booleans, as bitmaps of 4096.
    static func chunks(_ values: Bitmap) -> ChunkedValues {
        let bits = values.compacted()
        let counts = ChunkSize.even(bits.count, by: ChunkSize.maxValues)
        let sizes = counts.map { ($0 + 7) / 8 }
        return ChunkedValues(encoding: .flat(bits: 1), valueCounts: counts, buffers: [bits.buffer], sizes: [sizes])
    }

    /// Vectors: a bitmap for each level whose items can be null, outermost first, then the items.
    static func chunks(_ values: VectorValues) -> ChunkedValues {
        let itemBits = values.bitsPerValue
        var bitsPerValue = itemBits
        var bitmaps: [(bits: Bitmap, itemsPerValue: Int)] = []
        var items = 1
        for level in values.levels {
            items *= level.dimension
            guard let validity = level.itemValidity else { continue }
            bitmaps.append((validity, items))
            bitsPerValue += items
        }
        let counts = ChunkSize.even(values.count, by: ChunkSize.fixedValues(bits: bitsPerValue))
        var buffers: [ArrowBuffer] = []
        var sizes: [[Int]] = []
        for bitmap in bitmaps { add(bitmap.bits, bitmap.itemsPerValue, counts, &buffers, &sizes) }
        switch values.items {
        case .fixed(let fixed):
            buffers.append(fixed.bytes)
            sizes.append(counts.map { $0 * itemBits / 8 })
        case .bits(let bits): add(bits, values.itemsPerValue, counts, &buffers, &sizes)
        default: break
        }
        return ChunkedValues(encoding: values.flatEncoding, valueCounts: counts, buffers: buffers, sizes: sizes)
    }

    /// Adds a buffer of bitmaps, one for each chunk, each from a byte of its own.
    private static func add(
        _ bits: Bitmap,
        _ bitsPerValue: Int,
        _ counts: [Int],
        _ buffers: inout [ArrowBuffer],
        _ sizes: inout [[Int]]
    ) {
        var builder = BufferBuilder(capacity: bits.count / 8 + counts.count)
        var position = 0
        var chunkSizes: [Int] = []
        for count in counts {
            let part = bits.slice(position..<(position + count * bitsPerValue)).compacted()
            builder.append(contentsOf: part.buffer)
            chunkSizes.append(part.buffer.count)
            position += part.count
        }
        buffers.append(builder.finish())
        sizes.append(chunkSizes)
    }

    /// Rows of a packed struct.
    static func chunks(
        _ bytes: ArrowBuffer,
        bits: Int,
        count: Int,
        _ encoding: CompressiveEncoding
    ) -> ChunkedValues {
        let counts = ChunkSize.even(count, by: ChunkSize.fixedValues(bits: bits))
        let sizes = counts.map { $0 * (bits / 8) }
        return ChunkedValues(encoding: encoding, valueCounts: counts, buffers: [bytes], sizes: [sizes])
    }
}

extension VectorValues {
    /// Fixed-size lists around flat items.
    var flatEncoding: CompressiveEncoding {
        var encoding: CompressiveEncoding = .flat(bits: 1)
        if case .fixed(let values) = items { encoding = .flat(bits: values.width * 8) }
        for level in levels.reversed() {
            encoding = .fixedSizeList(
                dimension: level.dimension,
                values: encoding,
                hasValidity: level.itemValidity != nil
            )
        }
        return encoding
    }
}
