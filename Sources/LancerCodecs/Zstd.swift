import CZstd
import LancerBytes
import Synchronization

/// Zstandard frames.
///
/// Compression uses one thread and a given level, so equal input gives equal bytes (for one version of the library).
package enum Zstd {
    /// The level used when nobody asks for another.
    package static let defaultLevel = 3
    /// Largest declared size that is believed, in bytes.
    package static let maximumDeclaredSize = 1 << 32
    /// The densest block: three bytes of header and one repeated byte stand for 128 KiB.
    private static let maximumExpansion = (128 << 10) / 4

    /// Appends `input` to `output` as one frame that declares its size.
    ///
    /// - Parameter level: the library's levels, -131072...22; values beyond are clamped, 0 means the default.
    package static func compress(
        _ input: UnsafeRawBufferPointer,
        level: Int = defaultLevel,
        appendingTo output: inout BufferBuilder
    ) throws(LanceError) {
        let bound = ZSTD_compressBound(input.count)
        guard ZSTD_isError(bound) == 0 else {
            throw .limitExceeded("zstd cannot compress \(input.count) bytes at once")
        }
        let clamped = CInt(Swift.min(Swift.max(level, Int(ZSTD_minCLevel())), Int(ZSTD_maxCLevel())))
        let context = try ZstdContexts.compression.take()
        defer { ZstdContexts.compression.giveBack(context) }
        try output.append(upTo: bound) { (room) throws(LanceError) -> Int in
            let written = ZSTD_compressCCtx(
                context.pointer,
                room.baseAddress,
                room.count,
                input.baseAddress,
                input.count,
                clamped
            )
            guard ZSTD_isError(written) == 0 else {
                throw .limitExceeded("zstd could not compress \(input.count) bytes: \(errorName(written))")
            }
            return written
        }
    }

    /// `input` as one frame that declares its size.
    package static func compress(
        _ input: UnsafeRawBufferPointer,
        level: Int = defaultLevel
    ) throws(LanceError) -> ArrowBuffer {
        var output = BufferBuilder()
        try compress(input, level: level, appendingTo: &output)
        return output.finish()
    }

    /// `input` as one frame that declares its size.
    package static func compress(_ input: ArrowBuffer, level: Int = defaultLevel) throws(LanceError) -> ArrowBuffer {
        try input.withUnsafeBytes { (bytes) throws(LanceError) in try compress(bytes, level: level) }
    }

    /// Decompresses `input` (one or more frames), which must fill `output` exactly.
    ///
    /// - Throws: `corrupt` for damaged frames or frames of another size.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        let context = try ZstdContexts.decompression.take()
        defer { ZstdContexts.decompression.giveBack(context) }
        let written = ZSTD_decompressDCtx(
            context.pointer,
            output.baseAddress,
            output.count,
            input.baseAddress,
            input.count
        )
        guard ZSTD_isError(written) == 0 else {
            throw .corrupt("zstd frame of \(input.count) bytes: \(errorName(written))")
        }
        guard written == output.count else {
            throw .corrupt("zstd frame holds \(written) bytes where \(output.count) are declared")
        }
    }

    /// The `uncompressedSize` bytes that `input` (one or more frames) holds.
    ///
    /// The size is compared with what the frame itself declares and with the best possible compression before any
    /// memory is taken for it.
    ///
    /// - Throws: `corrupt` for damaged frames, frames of another size, or a size the input cannot reach;
    ///   `limitExceeded` for a size above ``maximumDeclaredSize``.
    package static func decompress(
        _ input: UnsafeRawBufferPointer,
        uncompressedSize: Int
    ) throws(LanceError) -> ArrowBuffer {
        guard uncompressedSize >= 0, uncompressedSize / maximumExpansion <= input.count else {
            throw .corrupt("zstd frame of \(input.count) bytes cannot hold the declared \(uncompressedSize) bytes")
        }
        guard uncompressedSize <= maximumDeclaredSize else {
            throw .limitExceeded("zstd frame with a declared size of \(uncompressedSize) bytes")
        }
        if let own = try declaredSize(input), own > UInt64(uncompressedSize) {
            throw .corrupt("zstd frame declares \(own) bytes where \(uncompressedSize) are expected")
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

    /// What the frames in `input` hold, when their size is not known from elsewhere.
    ///
    /// Memory grows with what is really decompressed, never with what a header claims.
    ///
    /// - Throws: `corrupt` for damaged frames, `truncated` for an unfinished one, `limitExceeded` for more than `limit`
    ///   bytes.
    package static func decompress(_ input: ArrowBuffer, limit: Int) throws(LanceError) -> ArrowBuffer {
        let context = try ZstdContexts.decompression.take()
        defer { ZstdContexts.decompression.giveBack(context) }
        _ = ZSTD_DCtx_reset(context.pointer, ZSTD_reset_session_only)
        var output = BufferBuilder()
        var consumed = 0
        var pending = input.count > 0
        while pending || consumed < input.count {
            guard output.count <= limit else { throw .limitExceeded("zstd frame of more than \(limit) bytes") }
            let step = Swift.max(ZSTD_DStreamOutSize(), Swift.min(output.count, 1 << 24))
            let before = (consumed, output.count)
            var hint = 0
            try output.append(upTo: step) { (room) throws(LanceError) -> Int in
                try input.withUnsafeBytes { (bytes) throws(LanceError) -> Int in
                    var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: consumed)
                    var target = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                    hint = ZSTD_decompressStream(context.pointer, &target, &source)
                    consumed = source.pos
                    return target.pos
                }
            }
            guard ZSTD_isError(hint) == 0 else {
                throw .corrupt("zstd frame of \(input.count) bytes: \(errorName(hint))")
            }
            pending = hint != 0
            if pending && before == (consumed, output.count) {
                throw .truncated("zstd frame ends after \(input.count) bytes")
            }
        }
        guard output.count <= limit else { throw .limitExceeded("zstd frame of more than \(limit) bytes") }
        return output.finish()
    }

    /// The size that the first frame declares, nil if it declares none.
    package static func declaredSize(_ input: UnsafeRawBufferPointer) throws(LanceError) -> UInt64? {
        let size = ZSTD_getFrameContentSize(input.baseAddress, input.count)
        // The library's two special values, -1 and -2, are macros that Swift does not import.
        if size == UInt64.max { return nil }
        if size == UInt64.max - 1 { throw .corrupt("no zstd frame header in \(input.count) bytes") }
        return size
    }

    private static func errorName(_ code: Int) -> String { String(cString: ZSTD_getErrorName(code)) }
}

/// One context of the library; creating one costs more than decompressing a small frame.
struct ZstdContext: @unchecked Sendable {
    // Safe to send: a context is used by whoever took it out of the pool, by nobody else.
    let pointer: OpaquePointer
}

/// Contexts that are not in use.
final class ZstdContexts: Sendable {
    static let compression = ZstdContexts(make: { ZSTD_createCCtx() }, free: { _ = ZSTD_freeCCtx($0) })
    static let decompression = ZstdContexts(make: { ZSTD_createDCtx() }, free: { _ = ZSTD_freeDCtx($0) })

    /// Most contexts kept for later; more threads than this create their own each time.
    private static let kept = 16

    private let make: @Sendable () -> OpaquePointer?
    private let free: @Sendable (OpaquePointer) -> Void
    private let idle = Mutex<[ZstdContext]>([])

    init(make: @escaping @Sendable () -> OpaquePointer?, free: @escaping @Sendable (OpaquePointer) -> Void) {
        self.make = make
        self.free = free
    }

    func take() throws(LanceError) -> ZstdContext {
        if let context = idle.withLock({ $0.popLast() }) { return context }
        guard let made = make() else { throw .limitExceeded("no memory for a zstd context") }
        return ZstdContext(pointer: made)
    }

    func giveBack(_ context: ZstdContext) {
        let isKept = idle.withLock { idle in
            guard idle.count < Self.kept else { return false }
            idle.append(context)
            return true
        }
        if !isKept { free(context.pointer) }
    }
}
