import LancerBytes

/// The values of a page cut into mini-block chunks and compressed.
package struct ChunkedValues: Sendable {
    /// How they are compressed.
    package var encoding: CompressiveEncoding
    /// Values of each chunk: powers of two from 2 up, except the last.
    package var valueCounts: [Int]
    /// For each value buffer of a chunk, that buffer of all chunks back to back.
    package var buffers: [ArrowBuffer]
    /// For each value buffer, its bytes in each chunk.
    package var sizes: [[Int]]

    package init(encoding: CompressiveEncoding, valueCounts: [Int], buffers: [ArrowBuffer], sizes: [[Int]]) {
        self.encoding = encoding
        self.valueCounts = valueCounts
        self.buffers = buffers
        self.sizes = sizes
    }

    /// Bytes of the values without headers, levels and padding.
    package var dataBytes: Int { buffers.reduce(0) { $0 + $1.count } }
}

/// Sizes that every mini-block encoder aims for.
package enum ChunkSize {
    /// Values in a chunk of bit-packed values: one FastLanes block.
    package static let packedValues = 1024
    /// Most values of a chunk of booleans or runs.
    package static let maxValues = 4096
    /// Bytes of fixed-width values below which a chunk stays.
    package static let fixedBytes = 8186
    /// Bytes of text, offsets included, that a chunk stays below where two values fit at all.
    package static let variableBytes = 4096

    /// Values per chunk for values of `bits` each: the largest power of two that stays below ``fixedBytes``.
    package static func fixedValues(bits: Int) -> Int {
        var count = 2
        while count * 2 <= maxValues, count * 2 * bits < fixedBytes * 8 { count *= 2 }
        return count
    }

    /// `total` values in chunks of `size`, the last one shorter.
    package static func even(_ total: Int, by size: Int) -> [Int] {
        var counts = [Int](repeating: size, count: total / size)
        if total % size > 0 { counts.append(total % size) }
        return counts
    }
}
