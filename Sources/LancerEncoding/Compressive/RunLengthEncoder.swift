import LancerBytes

/// Runs of equal values: the values, and how often each repeats.
///
/// Spec: 07-encodings.md, "RLE". Lengths are one byte, longer runs are split; runs end with their chunk.
enum RunLengthEncoder {
    /// Longest run that one length byte can say.
    static let maxRun = 255

    /// Mini-block chunks of `chunkValues` values; `values` are 1, 2, 4 or 8 bytes wide.
    static func chunks(_ values: FixedValues, chunkValues: Int) -> ChunkedValues {
        switch values.width {
        case 1: chunks(values, chunkValues, UInt8.self)
        case 2: chunks(values, chunkValues, UInt16.self)
        case 4: chunks(values, chunkValues, UInt32.self)
        default: chunks(values, chunkValues, UInt64.self)
        }
    }

    private static func chunks<T: FixedWidthInteger & BitwiseCopyable>(
        _ values: FixedValues,
        _ chunkValues: Int,
        _: T.Type
    ) -> ChunkedValues {
        let counts = ChunkSize.even(values.count, by: chunkValues)
        var runs = BufferBuilder()
        var lengths = BufferBuilder()
        var sizes: [[Int]] = [[], []]
        values.bytes.withValues(of: T.self) { all in
            var position = 0
            for count in counts {
                let end = position + count
                let runsBefore = runs.count
                let lengthsBefore = lengths.count
                while position < end {
                    let value = all[position]
                    let limit = Swift.min(end, position + maxRun)
                    var next = position + 1
                    while next < limit, all[next] == value { next += 1 }
                    runs.append(value)
                    lengths.append(UInt8(next - position))
                    position = next
                }
                sizes[0].append(runs.count - runsBefore)
                sizes[1].append(lengths.count - lengthsBefore)
            }
        }
        return ChunkedValues(
            encoding: .runLength(values: .flat(bits: T.bitWidth), lengths: .flat(bits: 8)),
            valueCounts: counts,
            buffers: [runs.finish(), lengths.finish()],
            sizes: sizes
        )
    }
}
