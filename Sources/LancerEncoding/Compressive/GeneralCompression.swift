import LancerBytes
import LancerCodecs

/// Bytes of a buffer behind a general compressor: a length, then the compressed bytes.
///
/// ```
/// LZ4:  u32 uncompressed length | raw LZ4 block
/// Zstd: u64 uncompressed length | zstd frame         (readers also accept the frame alone)
/// ```
/// Spec: 07-encodings.md, "General compression".
package enum GeneralCompression {
    /// The bytes that `input` holds.
    ///
    /// - Throws: `corrupt` or `truncated` for damaged bytes, `limitExceeded` for sizes that cannot be.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        _ scheme: BufferCompression.Scheme
    ) throws(LanceError) -> ArrowBuffer {
        switch scheme {
        case .lz4:
            guard input.count >= 4 else { throw .truncated("an LZ4 buffer of \(input.count) bytes") }
            let size = UInt32(littleEndian: input.loadUnaligned(as: UInt32.self))
            return try LZ4Block.decompress(UnsafeRawBufferPointer(rebasing: input[4...]), uncompressedSize: Int(size))
        case .zstd:
            if isBareFrame(input), let size = try Zstd.declaredSize(input) {
                return try Zstd.decompress(input, uncompressedSize: try Int(checked: size, "size of a zstd frame"))
            }
            guard input.count >= 8 else { throw .truncated("a zstd buffer of \(input.count) bytes") }
            let size = UInt64(littleEndian: input.loadUnaligned(as: UInt64.self))
            return try Zstd.decompress(
                UnsafeRawBufferPointer(rebasing: input[8...]),
                uncompressedSize: try Int(checked: size, "size of a zstd buffer")
            )
        }
    }

    /// Whether the bytes start with a zstd frame instead of a length: the magic, and a frame header whose reserved bit
    /// is clear.
    private static func isBareFrame(_ input: UnsafeRawBufferPointer) -> Bool {
        guard input.count >= 5 else { return false }
        return input.loadUnaligned(as: UInt32.self).littleEndian == 0xFD2F_B528 && input[4] & 0x08 == 0
    }
}
