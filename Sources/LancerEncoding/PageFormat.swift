/// The generation of page layouts: 2.2 adds to 2.1 and changes the width of a few words.
package enum PageFormat: Sendable, Hashable {
    /// File version 2.1.
    case v2_1
    /// File version 2.2.
    case v2_2

    /// Chunk words and value sizes of 32 bits instead of 16.
    package var hasLargeChunks: Bool { self == .v2_2 }
    /// Most bytes of a mini-block chunk: the word has 12 or 28 bits for its size in units of 8 bytes.
    package var maxChunkBytes: Int { self == .v2_1 ? 1 << 15 : 1 << 31 }
}
