import LancerBytes

/// The buffers of a mini-block chunk, one after the other.
///
/// ```
/// u16 levels | [u16 rep bytes] | [u16 def bytes] | u16 or u32 bytes of each value buffer | pad to 8
/// rep, pad to 8 | def, pad to 8 | value buffer 0, pad to 8 | …
/// ```
/// Spec: 03-mini-block.md, "Chunks".
struct ChunkParts {
    private let bytes: UnsafeRawBufferPointer
    private let hasLargeSizes: Bool
    /// Where the size of the next buffer stands.
    private var sizeAt = 2
    /// Where the next buffer begins.
    private var position: Int

    /// Number of level entries, 0 when the page has no levels.
    let levelCount: Int

    /// - Parameters:
    ///   - levelBuffers: How many of repetition and definition levels the chunks have.
    ///   - hasLargeSizes: Whether value buffers have sizes of four bytes.
    /// - Returns: nil when the chunk does not hold even the sizes.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer, levelBuffers: Int, valueBuffers: Int, hasLargeSizes: Bool) {
        self.bytes = bytes
        self.hasLargeSizes = hasLargeSizes
        position = (2 + levelBuffers * 2 + valueBuffers * (hasLargeSizes ? 4 : 2)).rounded(upTo: 8)
        guard position <= bytes.count else { return nil }
        levelCount = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt16.self)))
    }

    /// The next buffer of levels; nil when it does not fit into the chunk.
    @inline(__always)
    mutating func nextLevels() -> UnsafeRawBufferPointer? { next(isLarge: false) }

    /// The next buffer of values, after those of levels; nil when it does not fit into the chunk.
    @inline(__always)
    mutating func nextValues() -> UnsafeRawBufferPointer? { next(isLarge: hasLargeSizes) }

    @inline(__always)
    private mutating func next(isLarge: Bool) -> UnsafeRawBufferPointer? {
        let size =
            isLarge
            ? Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: sizeAt, as: UInt32.self)))
            : Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: sizeAt, as: UInt16.self)))
        sizeAt += isLarge ? 4 : 2
        guard position <= bytes.count, size <= bytes.count - position else { return nil }
        let start = position
        position = (start + size).rounded(upTo: 8)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + size)])
    }
}
