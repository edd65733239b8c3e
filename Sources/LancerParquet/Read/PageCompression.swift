import LancerBytes
import LancerCodecs

/// Compression and decompression of pages.
enum PageCompression {
    /// A large page that grows by more than this is refused: next to no data compresses so well, bombs do.
    private static let expansionLimit = 256

    /// Whether pages in a codec can be read.
    ///
    /// - Throws: `unsupported` with the codec's name.
    static func check(_ codec: ParquetCodec) throws(LanceError) {
        switch codec {
        case .uncompressed, .snappy, .gzip, .lz4, .zstd, .lz4Raw: break
        default:
            throw .unsupported(
                "Parquet pages compressed with \(codec); write the file again with zstd, snappy, gzip or lz4"
            )
        }
    }

    /// Bytes that a page may decompress to however few it has in the file, when so many columns are read at once.
    static func allowance(columns: Int) -> Int { min(max((512 << 20) / max(columns, 1), 4 << 20), 128 << 20) }

    /// The `size` bytes that `input` holds.
    ///
    /// - Parameter allowance: See ``allowance(columns:)``.
    static func decompress(
        _ input: ArrowBuffer,
        _ codec: ParquetCodec,
        size: Int,
        allowance: Int
    ) throws(LanceError) -> ArrowBuffer {
        if codec == .uncompressed {
            guard input.count == size else {
                throw .corrupt("an uncompressed page of \(input.count) bytes that declares \(size)")
            }
            return input
        }
        if size == 0 { return .empty }
        if size > allowance, size / expansionLimit > input.count {
            throw .limitExceeded("a page of \(input.count) bytes that declares \(size) bytes")
        }
        return try input.withUnsafeBytes { (bytes) throws(LanceError) in
            switch codec {
            case .snappy: try Snappy.decompress(bytes, uncompressedSize: size)
            case .gzip: try Gzip.decompress(bytes, uncompressedSize: size)
            case .zstd: try Zstd.decompress(bytes, uncompressedSize: size)
            case .lz4Raw: try LZ4Block.decompress(bytes, uncompressedSize: size)
            case .lz4: try lz4(bytes, size: size)
            default: throw .unsupported("Parquet pages compressed with \(codec)")
            }
        }
    }

    /// `input` compressed.
    ///
    /// - Parameter level: Level of zstd or gzip; nil for the usual one.
    static func compress(_ input: ArrowBuffer, _ codec: ParquetCodec, level: Int?) throws(LanceError) -> ArrowBuffer {
        if codec == .uncompressed { return input }
        return try input.withUnsafeBytes { (bytes) throws(LanceError) in
            switch codec {
            case .snappy: try Snappy.compress(bytes)
            case .gzip: try Gzip.compress(bytes, level: min(max(level ?? 6, 0), 9))
            case .zstd: try Zstd.compress(bytes, level: level ?? 1)
            case .lz4Raw: try LZ4Block.compress(bytes)
            default: throw .unsupported("writing Parquet compressed with \(codec)")
            }
        }
    }

    /// LZ4 as Hadoop frames it: blocks with both sizes before them, big-endian. Some writers used the number for a
    /// plain block or an LZ4 frame.
    private static func lz4(_ input: UnsafeRawBufferPointer, size: Int) throws(LanceError) -> ArrowBuffer {
        if isHadoop(input, size: size) {
            return try ArrowBuffer(count: size) { (room) throws(LanceError) in
                var cursor = 0
                var written = 0
                while cursor < input.count {
                    let (block, packed) = sizes(input, cursor)
                    let part = UnsafeMutableRawBufferPointer(rebasing: room[written..<(written + block)])
                    let bytes = UnsafeRawBufferPointer(rebasing: input[(cursor + 8)..<(cursor + 8 + packed)])
                    try LZ4Block.decompress(bytes, into: part)
                    cursor += 8 + packed
                    written += block
                }
            }
        }
        if input.count >= 4, input.loadUnaligned(as: UInt32.self).littleEndian == 0x184D_2204 {
            return try LZ4Frame.decompress(ArrowBuffer(copying: input), uncompressedSize: size)
        }
        return try LZ4Block.decompress(input, uncompressedSize: size)
    }

    private static func sizes(_ input: UnsafeRawBufferPointer, _ offset: Int) -> (block: Int, packed: Int) {
        (
            Int(input.loadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian),
            Int(input.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self).bigEndian)
        )
    }

    private static func isHadoop(_ input: UnsafeRawBufferPointer, size: Int) -> Bool {
        var cursor = 0
        var total = 0
        while input.count - cursor >= 8 {
            let (block, packed) = sizes(input, cursor)
            guard packed <= input.count - cursor - 8, block / 255 <= packed else { return false }
            total += block
            cursor += 8 + packed
        }
        return cursor == input.count && total == size
    }
}
