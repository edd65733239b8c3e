import CZlib
import LancerBytes

/// gzip members, by the system's zlib.
package enum Gzip {
    /// Deflate makes at most this many bytes out of one.
    private static let maximumExpansion = 1040

    /// The `uncompressedSize` bytes that `input` (one or more members, or a zlib stream) holds.
    ///
    /// - Throws: `corrupt` for damaged data, data of another size, or a size that the input cannot reach.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        uncompressedSize: Int
    ) throws(LanceError) -> ArrowBuffer {
        guard uncompressedSize >= 0, uncompressedSize / maximumExpansion <= input.count else {
            throw .corrupt("gzip data of \(input.count) bytes cannot hold the declared \(uncompressedSize) bytes")
        }
        return try ArrowBuffer(count: uncompressedSize) { (room) throws(LanceError) in
            try inflateAll(input, into: room)
        }
    }

    private static func inflateAll(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        guard let inputCount = UInt32(exactly: input.count), let outputCount = UInt32(exactly: output.count) else {
            throw .limitExceeded("gzip data of \(input.count) bytes for \(output.count) bytes")
        }
        var stream = z_stream()
        // 32 above the window bits: find out whether the header is gzip's or zlib's.
        guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .limitExceeded("no memory for zlib")
        }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = inputCount
        stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = outputCount
        while true {
            let status = inflate(&stream, Z_FINISH)
            guard status == Z_STREAM_END else {
                throw .corrupt("gzip data of \(input.count) bytes is damaged or not \(output.count) bytes")
            }
            if stream.avail_in == 0 { break }
            guard inflateReset(&stream) == Z_OK else { throw .corrupt("gzip data is damaged") }
        }
        guard stream.avail_out == 0 else {
            throw .corrupt("gzip data holds less than the declared \(output.count) bytes")
        }
    }

    /// Compresses `input` into one member.
    ///
    /// - Throws: `limitExceeded` for 4 GiB and more.
    package static func compress(_ input: UnsafeRawBufferPointer, level: Int = 6) throws(LanceError) -> ArrowBuffer {
        guard let inputCount = UInt32(exactly: input.count) else {
            throw .limitExceeded("gzip of \(input.count) bytes at once")
        }
        var stream = z_stream()
        let size = CInt(MemoryLayout<z_stream>.size)
        guard
            deflateInit2_(
                &stream,
                CInt(level),
                Z_DEFLATED,
                15 + 16,
                8,
                Z_DEFAULT_STRATEGY,
                ZLIB_VERSION,
                size
            ) == Z_OK
        else { throw .limitExceeded("no memory for zlib") }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, uLong(input.count)))
        guard let room = UInt32(exactly: bound) else { throw .limitExceeded("gzip of \(input.count) bytes at once") }
        var output = BufferBuilder(capacity: bound)
        try output.append(upTo: bound) { (bytes) throws(LanceError) -> Int in
            stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
            stream.avail_in = inputCount
            stream.next_out = bytes.bindMemory(to: UInt8.self).baseAddress
            stream.avail_out = room
            guard deflate(&stream, Z_FINISH) == Z_STREAM_END else { throw .corrupt("gzip failed") }
            return bound - Int(stream.avail_out)
        }
        return output.finish()
    }
}

/// CRC-32 as gzip and Parquet pages use it.
package enum CRC32 {
    /// The checksum of `bytes`.
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var result = crc32(0, nil, 0)
        var start = 0
        while start < bytes.count {
            let end = Swift.min(start + (1 << 30), bytes.count)
            let part = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            result = crc32(result, part.bindMemory(to: UInt8.self).baseAddress, UInt32(end - start))
            start = end
        }
        return UInt32(truncatingIfNeeded: result)
    }
}
