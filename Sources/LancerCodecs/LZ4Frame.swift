import CLZ4
import LancerBytes

/// LZ4 frames: blocks with a header and an end mark, as Arrow's IPC files use them.
package enum LZ4Frame {
    /// A byte of input describes at most 255 bytes of output.
    private static let maximumExpansion = 255

    /// `input` as one frame that declares its size.
    ///
    /// - Throws: `limitExceeded` when the library cannot compress so much at once.
    package static func compress(_ input: UnsafeRawBufferPointer) throws(LanceError) -> ArrowBuffer {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.contentSize = UInt64(input.count)
        let bound = LZ4F_compressFrameBound(input.count, &preferences)
        guard LZ4F_isError(bound) == 0 else {
            throw .limitExceeded("LZ4 cannot compress \(input.count) bytes at once")
        }
        var output = BufferBuilder()
        try output.append(upTo: bound) { (room) throws(LanceError) -> Int in
            let written = LZ4F_compressFrame(
                room.baseAddress,
                room.count,
                input.baseAddress,
                input.count,
                &preferences
            )
            guard LZ4F_isError(written) == 0 else {
                throw .limitExceeded("LZ4 could not compress \(input.count) bytes: \(errorName(written))")
            }
            return written
        }
        return output.finish()
    }

    /// `input` as one frame that declares its size.
    ///
    /// - Throws: `limitExceeded` when the library cannot compress so much at once.
    package static func compress(_ input: ArrowBuffer) throws(LanceError) -> ArrowBuffer {
        try input.withUnsafeBytes { (bytes) throws(LanceError) in try compress(bytes) }
    }

    /// Decompresses `input` (one or more frames), which must fill `output` exactly.
    ///
    /// - Throws: `corrupt` for damaged, unfinished or other-sized frames.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        guard let source = input.baseAddress, input.count > 0 else {
            guard output.count == 0 else { throw .corrupt("LZ4 frame of no bytes") }
            return
        }
        var created: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))) == 0, let context = created
        else { throw .limitExceeded("no memory for an LZ4 context") }
        defer { _ = LZ4F_freeDecompressionContext(context) }
        // The output stays where it is, so the library need not keep its own copy of the window.
        var options = LZ4F_decompressOptions_t()
        options.stableDst = 1
        var read = 0
        var written = 0
        var hint = 1
        while read < input.count {
            var taken = input.count - read
            var made = output.count - written
            let target = output.baseAddress.map { $0 + written }
            hint = LZ4F_decompress(context, target, &made, source + read, &taken, &options)
            guard LZ4F_isError(hint) == 0 else {
                throw .corrupt("LZ4 frame of \(input.count) bytes: \(errorName(hint))")
            }
            // With the output full, an end mark is still taken, but more text is not.
            guard taken > 0 || made > 0 else { break }
            read += taken
            written += made
        }
        guard read == input.count, written == output.count, hint == 0 else {
            throw .corrupt(
                "LZ4 frame of \(input.count) bytes is unfinished or does not hold the \(output.count) bytes declared"
            )
        }
    }

    /// The `uncompressedSize` bytes that `input` (one or more frames) holds.
    ///
    /// - Throws: `corrupt` for damaged, unfinished or other-sized frames, or a size that the input cannot reach.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        uncompressedSize: Int
    ) throws(LanceError) -> ArrowBuffer {
        guard uncompressedSize >= 0, uncompressedSize / maximumExpansion <= input.count else {
            throw .corrupt("LZ4 frame of \(input.count) bytes cannot hold the declared \(uncompressedSize) bytes")
        }
        return try ArrowBuffer(count: uncompressedSize) { (room) throws(LanceError) in
            try decompress(input, into: room)
        }
    }

    /// The `uncompressedSize` bytes that `input` (one or more frames) holds.
    ///
    /// - Throws: as the same call on a pointer.
    package static func decompress(_ input: ArrowBuffer, uncompressedSize: Int) throws(LanceError) -> ArrowBuffer {
        try input.withUnsafeBytes { (bytes) throws(LanceError) in
            try decompress(bytes, uncompressedSize: uncompressedSize)
        }
    }

    private static func errorName(_ code: Int) -> String { String(cString: LZ4F_getErrorName(code)) }
}
