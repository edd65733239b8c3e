import CLZ4
import LancerBytes

/// One raw LZ4 block: no header, no checksum, the uncompressed size is known from elsewhere.
package enum LZ4Block {
    /// Longest input of one block, in bytes (a limit of the LZ4 block format).
    package static let maximumInput = 0x7E00_0000
    /// A byte of input describes at most 255 bytes of output.
    private static let maximumExpansion = 255

    /// Appends `input`, compressed, to `output`.
    ///
    /// - Throws: `limitExceeded` for more than ``maximumInput`` bytes.
    package static func compress(
        _ input: UnsafeRawBufferPointer,
        appendingTo output: inout BufferBuilder
    ) throws(LanceError) {
        guard input.count <= maximumInput else {
            throw .limitExceeded("an LZ4 block holds at most \(maximumInput) bytes, not \(input.count)")
        }
        let bound = Int(LZ4_compressBound(CInt(input.count)))
        try output.append(upTo: bound) { (room) throws(LanceError) -> Int in
            let written = LZ4_compress_default(
                input.baseAddress?.assumingMemoryBound(to: CChar.self),
                room.baseAddress?.assumingMemoryBound(to: CChar.self),
                CInt(input.count),
                CInt(bound)
            )
            guard written > 0 else { throw .limitExceeded("LZ4 could not compress \(input.count) bytes") }
            return Int(written)
        }
    }

    /// `input`, compressed.
    ///
    /// - Throws: `limitExceeded` for more than ``maximumInput`` bytes.
    package static func compress(_ input: UnsafeRawBufferPointer) throws(LanceError) -> ArrowBuffer {
        var output = BufferBuilder()
        try compress(input, appendingTo: &output)
        return output.finish()
    }

    /// `input`, compressed.
    ///
    /// - Throws: `limitExceeded` for more than ``maximumInput`` bytes.
    package static func compress(_ input: ArrowBuffer) throws(LanceError) -> ArrowBuffer {
        try input.withUnsafeBytes { (bytes) throws(LanceError) in try compress(bytes) }
    }

    /// Decompresses `input`, which must fill `output` exactly.
    ///
    /// - Throws: `corrupt` for a damaged block or one of another size.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        guard input.count <= Int(CInt.max), output.count <= maximumInput else {
            throw .limitExceeded("an LZ4 block of \(input.count) bytes cannot hold \(output.count) bytes")
        }
        let written = LZ4_decompress_safe(
            input.baseAddress?.assumingMemoryBound(to: CChar.self),
            output.baseAddress?.assumingMemoryBound(to: CChar.self),
            CInt(input.count),
            CInt(output.count)
        )
        guard written >= 0 else {
            throw .corrupt("LZ4 block of \(input.count) bytes is damaged or larger than \(output.count) bytes")
        }
        guard Int(written) == output.count else {
            throw .corrupt("LZ4 block holds \(written) bytes where \(output.count) are declared")
        }
    }

    /// The `uncompressedSize` bytes that `input` holds.
    ///
    /// - Throws: `corrupt` for a damaged block, one of another size, or a size that the input cannot reach.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        uncompressedSize: Int
    ) throws(LanceError) -> ArrowBuffer {
        guard uncompressedSize >= 0, uncompressedSize / maximumExpansion <= input.count else {
            throw .corrupt("LZ4 block of \(input.count) bytes cannot hold the declared \(uncompressedSize) bytes")
        }
        return try ArrowBuffer(count: uncompressedSize) { (room) throws(LanceError) in
            try decompress(input, into: room)
        }
    }

    /// The `uncompressedSize` bytes that `input` holds.
    ///
    /// - Throws: `corrupt` for a damaged block, one of another size, or a size that the input cannot reach.
    package static func decompress(_ input: ArrowBuffer, uncompressedSize: Int) throws(LanceError) -> ArrowBuffer {
        try input.withUnsafeBytes { (bytes) throws(LanceError) in
            try decompress(bytes, uncompressedSize: uncompressedSize)
        }
    }
}
