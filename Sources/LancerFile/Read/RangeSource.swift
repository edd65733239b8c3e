import LancerBytes

/// A file that bytes are read from. `LancerFile` itself does no IO: storage implements this.
package protocol RangeSource: Sendable {
    /// Path or URL, for messages.
    var path: String { get }
    /// Bytes of the file.
    var size: UInt64 { get }
    /// Reads ranges that lie inside the file; the answer has one buffer of exactly the range's length for each.
    ///
    /// Neighbouring ranges may be read together. Local files answer without suspending.
    func read(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer]
    /// Reads one range and shows its bytes to `look` in order, cut at multiples of `step` in the file, or in one piece.
    func read(
        _ range: Range<UInt64>,
        step: Int,
        _ look: (_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(LanceError) -> Void
    ) async throws -> ArrowBuffer
    /// Opens a file of the directory that is named after this one, without its extension, and stands beside it.
    func sidecar(_ name: String) async throws -> any RangeSource
}

extension RangeSource {
    /// Refuses: a file alone has nothing beside it.
    package func sidecar(_ name: String) async throws -> any RangeSource {
        throw LanceError.unsupported("\"\(name)\", a file beside this one, is read only as part of a table").located(
            file: path
        )
    }

    package func read(
        _ range: Range<UInt64>,
        step: Int,
        _ look: (_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(LanceError) -> Void
    ) async throws -> ArrowBuffer {
        let buffer = try await read(range)
        try buffer.withUnsafeBytes { (bytes) throws(LanceError) in try look(range.lowerBound, bytes) }
        return buffer
    }

    /// Reads one range.
    package func read(_ range: Range<UInt64>) async throws -> ArrowBuffer {
        let buffers = try await read([range])
        guard buffers.count == 1, buffers[0].count == range.count else {
            throw LanceError.truncated("read \(buffers.first?.count ?? 0) of \(range.count) bytes").located(file: path)
        }
        return buffers[0]
    }
}

/// A file in memory.
package struct MemoryRangeSource: RangeSource {
    package let path: String
    package let bytes: ArrowBuffer

    package init(_ bytes: ArrowBuffer, path: String = "memory") {
        self.bytes = bytes
        self.path = path
    }

    package var size: UInt64 { UInt64(bytes.count) }

    package func read(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer] {
        try ranges.map { range in
            guard range.upperBound <= size else { throw LanceError.truncated("bytes \(range) of \(size)") }
            return bytes.slice(Int(range.lowerBound)..<Int(range.upperBound))
        }
    }
}
