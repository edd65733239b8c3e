import LancerBytes
import LancerCodecs

/// LZ4 or Zstandard around the bytes of another encoding.
///
/// ```
/// LZ4    u32 uncompressed size · raw LZ4 block
/// ZSTD   u64 uncompressed size · frame
/// ```
/// Spec: 07-encodings.md, "General compression".
enum GeneralEncoder {
    /// Mini-blocks below this total are not worth a general scheme.
    private static let leastBytes = 4096

    /// One block.
    static func block(
        _ bytes: UnsafeRawBufferPointer,
        _ compression: BufferCompression
    ) throws(LanceError) -> ArrowBuffer {
        var output = BufferBuilder(capacity: bytes.count / 2 + 64)
        try append(bytes, compression, to: &output)
        return output.finish()
    }

    /// The same, or nil when it is no smaller.
    static func block(ifSmaller bytes: ArrowBuffer, _ compression: BufferCompression) throws(LanceError) -> ArrowBuffer?
    {
        let packed = try bytes.withUnsafeBytes { (bytes) throws(LanceError) in try block(bytes, compression) }
        return packed.count < bytes.count ? packed : nil
    }

    private static func append(
        _ bytes: UnsafeRawBufferPointer,
        _ compression: BufferCompression,
        to output: inout BufferBuilder
    ) throws(LanceError) {
        switch compression.scheme {
        case .lz4:
            guard let size = UInt32(exactly: bytes.count) else { throw .limitExceeded("4 GiB in one LZ4 block") }
            output.append(size)
            try LZ4Block.compress(bytes, appendingTo: &output)
        case .zstd:
            output.append(UInt64(bytes.count))
            let level = Int(compression.level ?? 0)
            try Zstd.compress(bytes, level: level == 0 ? Zstd.defaultLevel : level, appendingTo: &output)
        }
    }

    /// Compresses the first buffer of each chunk; the chunks as they are when that does not help.
    static func wrapping(_ values: ChunkedValues, _ compression: BufferCompression) throws(LanceError) -> ChunkedValues
    {
        guard values.buffers[0].count >= leastBytes else { return values }
        var output = BufferBuilder(capacity: values.buffers[0].count)
        var sizes: [Int] = []
        sizes.reserveCapacity(values.valueCounts.count)
        try values.buffers[0].withUnsafeBytes { (bytes) throws(LanceError) in
            var begin = 0
            for size in values.sizes[0] {
                let before = output.count
                try append(UnsafeRawBufferPointer(rebasing: bytes[begin..<(begin + size)]), compression, to: &output)
                sizes.append(output.count - before)
                begin += size
            }
        }
        guard output.count < values.buffers[0].count else { return values }
        var wrapped = values
        wrapped.encoding = .general(compression, values.encoding)
        wrapped.buffers[0] = output.finish()
        wrapped.sizes[0] = sizes
        return wrapped
    }

    /// Compresses every value by itself.
    static func eachValue(
        of values: VariableValues,
        _ compression: BufferCompression
    ) throws(LanceError) -> VariableValues {
        var output = BufferBuilder(capacity: values.dataBytes / 2)
        var offsets = [0]
        offsets.reserveCapacity(values.count + 1)
        try values.data.withUnsafeBytes { (bytes) throws(LanceError) in
            for slot in 0..<values.count {
                let range = values.offsets[slot]..<values.offsets[slot + 1]
                try append(UnsafeRawBufferPointer(rebasing: bytes[range]), compression, to: &output)
                offsets.append(output.count)
            }
        }
        return VariableValues(offsets: offsets, data: output.finish(), offsetBits: values.offsetBits)
    }
}
