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
    /// - Throws: `corrupt` for damaged frames or frames of another size, `truncated` for an unfinished one.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        guard let source = input.baseAddress, input.count > 0 else {
            guard output.count == 0 else { throw .truncated("LZ4 frame of no bytes") }
            return
        }
        var created: OpaquePointer?
        guard LZ4F_isError(LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))) == 0, let context = created
        else { throw .limitExceeded("no memory for an LZ4 context") }
        defer { _ = LZ4F_freeDecompressionContext(context) }
        // The output stays where it is, so the library need not keep its own copy of the window.
        var options = LZ4F_decompressOptions_t()
        options.stableDst = 1
        var spare: UInt8 = 0
        var read = 0
        var written = 0
        var hint = 1
        while read < input.count {
            var taken = input.count - read
            var made = output.count - written
            if made > 0, let target = output.baseAddress {
                hint = LZ4F_decompress(context, target + written, &made, source + read, &taken, &options)
            } else {
                // Full: only an end mark may follow. One spare byte tells whether more text does.
                made = 1
                options.stableDst = 0
                hint = LZ4F_decompress(context, &spare, &made, source + read, &taken, &options)
                guard LZ4F_isError(hint) != 0 || made == 0 else {
                    throw .corrupt("LZ4 frame holds more than the \(output.count) bytes that are declared")
                }
            }
            guard LZ4F_isError(hint) == 0 else {
                throw .corrupt("LZ4 frame of \(input.count) bytes: \(errorName(hint))")
            }
            guard taken > 0 || made > 0 else { break }
            read += taken
            written += made
        }
        guard hint == 0 else { throw .truncated("LZ4 frame ends after \(input.count) bytes") }
        guard read == input.count, written == output.count else {
            throw .corrupt("LZ4 frame holds \(written) bytes where \(output.count) are declared")
        }
    }

    /// The `uncompressedSize` bytes that `input` (one or more frames) holds.
    ///
    /// - Throws: `corrupt` for damaged frames, frames of another size, or a size that the input cannot reach;
    ///   `truncated` for an unfinished one.
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
