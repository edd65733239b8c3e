import LancerBytes
import LancerCodecs

/// FastLanes blocks of 1024 values, each behind a word that holds its width.
///
/// Spec: 07-encodings.md, "InlineBitpacking". The last block is padded with zeros to 1024 values.
enum InlineBitpackingEncoder {
    /// Mini-block chunks of one block each; `values` are 1, 2, 4 or 8 bytes wide.
    static func chunks(_ values: FixedValues) -> ChunkedValues {
        switch values.width {
        case 1: chunks(values, UInt8.self)
        case 2: chunks(values, UInt16.self)
        case 4: chunks(values, UInt32.self)
        default: chunks(values, UInt64.self)
        }
    }

    private static func chunks<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: FixedValues,
        _: T.Type
    ) -> ChunkedValues {
        let counts = ChunkSize.even(values.count, by: ChunkSize.packedValues)
        var data = BufferBuilder(capacity: values.bytes.count)
        var sizes: [Int] = []
        sizes.reserveCapacity(counts.count)
        values.bytes.withValues(of: T.self) { all in
            withUnsafeTemporaryAllocation(of: T.self, capacity: FastLanes.blockValues) { padded in
                var first = 0
                for count in counts {
                    var block = UnsafeBufferPointer(rebasing: all[first..<(first + count)])
                    let width = FastLanes.bitWidth(of: block)
                    if count < FastLanes.blockValues {
                        padded.initialize(repeating: 0)
                        for index in 0..<count { padded[index] = block[index] }
                        block = UnsafeBufferPointer(padded)
                    }
                    let begin = data.count
                    data.append(T(truncatingIfNeeded: width))
                    data.append(upTo: FastLanes.packedByteCount(width: width)) { target in
                        if let source = block.baseAddress, let output = target.baseAddress {
                            FastLanes.pack(source, width: width, into: output)
                        }
                        return target.count
                    }
                    sizes.append(data.count - begin)
                    first += count
                }
            }
        }
        return ChunkedValues(
            encoding: .inlineBitpacking(wordBits: T.bitWidth),
            valueCounts: counts,
            buffers: [data.finish()],
            sizes: [sizes]
        )
    }
}
