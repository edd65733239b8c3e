import LancerBytes
import LancerCodecs

/// The first bytes of all values, then the second bytes, and so on: floats become compressible.
///
/// Spec: 07-encodings.md, "ByteStreamSplit". Only useful inside a general compressor.
enum ByteStreamSplitEncoder {
    /// Mini-block chunks; `values` are 4 or 8 bytes wide.
    static func chunks(_ values: FixedValues) -> ChunkedValues {
        let counts = ChunkSize.even(values.count, by: 4096 / values.width)
        let data = ArrowBuffer(count: values.count * values.width) { target in
            values.bytes.withUnsafeBytes { source in
                var begin = 0
                for count in counts {
                    for byte in 0..<values.width {
                        let stream = begin + byte * count
                        for index in 0..<count { target[stream + index] = source[begin + index * values.width + byte] }
                    }
                    begin += count * values.width
                }
            }
        }
        return ChunkedValues(
            encoding: .byteStreamSplit(.flat(bits: values.width * 8)),
            valueCounts: counts,
            buffers: [data],
            sizes: [counts.map { $0 * values.width }]
        )
    }
}
