/// Reads little-endian values from bytes nobody vouches for; every read is checked against the end.
package struct ByteReader: Sendable {
    package let buffer: ArrowBuffer
    /// Offset of the next byte to read.
    package private(set) var offset: Int
    /// What is being read, for messages.
    package let what: String

    package init(_ buffer: ArrowBuffer, at offset: Int = 0, what: String) {
        self.buffer = buffer
        self.offset = offset
        self.what = what
    }

    /// Bytes not read yet.
    package var remaining: Int { buffer.count - offset }

    /// Reads one integer.
    package mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(LanceError) -> T
    {
        let size = MemoryLayout<T>.size
        guard remaining >= size else { throw short(size) }
        let value = (buffer.start + offset).loadUnaligned(as: T.self)
        offset += size
        return T(littleEndian: value)
    }

    /// Takes the next `count` bytes as a slice.
    package mutating func take(_ count: Int) throws(LanceError) -> ArrowBuffer {
        guard count >= 0, remaining >= count else { throw short(count) }
        defer { offset += count }
        return buffer.slice(offset..<(offset + count))
    }

    /// Moves forward by `count` bytes.
    package mutating func skip(_ count: Int) throws(LanceError) {
        guard count >= 0, remaining >= count else { throw short(count) }
        offset += count
    }

    /// Moves forward to the next multiple of `alignment` (a power of two).
    package mutating func align(to alignment: Int) throws(LanceError) {
        try skip(offset.rounded(upTo: alignment) - offset)
    }

    @inline(never)
    private func short(_ count: Int) -> LanceError {
        .truncated("\(what) needs \(count) more bytes, \(remaining) are left", part: nil, offset: UInt64(offset))
    }
}
