import LancerBytes
import LancerCodecs

/// Reads the pages of a column chunk one after the other.
struct PageReader {
    private let source: any ByteSource
    private let chunk: ColumnChunk
    private let readAhead: Int
    private let allowance: Int
    private var position: UInt64
    private let end: UInt64
    /// Bytes of the file from `position` on that are there already.
    private var window = ArrowBuffer.empty
    private static let largestHeader = 16 << 20

    /// - Parameters:
    ///   - readAhead: Bytes to read at once when pages are smaller.
    ///   - allowance: Bytes that any page may decompress to.
    /// - Throws: `corrupt` when the chunk lies outside the file, `unsupported` for chunks that cannot be read.
    init(_ source: any ByteSource, _ chunk: ColumnChunk, readAhead: Int, allowance: Int) throws(LanceError) {
        if chunk.isEncrypted { throw .unsupported("the column is encrypted; Lancer cannot decrypt") }
        guard chunk.hasMetadata else { throw .corrupt("the column chunk has no metadata") }
        if let path = chunk.filePath, !path.isEmpty {
            throw .unsupported("the column is in another file, \(path)")
        }
        try PageCompression.check(chunk.codec)
        let size = source.size ?? 0
        guard let start = UInt64(exactly: chunk.start), let length = UInt64(exactly: chunk.compressedSize),
            start <= size, length <= size - start
        else {
            throw .corrupt("column chunk of \(chunk.compressedSize) bytes at \(chunk.start), the file has \(size)")
        }
        self.source = source
        self.chunk = chunk
        self.readAhead = readAhead
        self.allowance = allowance
        position = start
        end = start + length
    }

    /// Makes at least `count` bytes from `position` on available.
    private mutating func need(_ count: Int) throws(LanceError) {
        guard window.count < count else { return }
        guard UInt64(count) <= end - position else {
            throw .truncated("a page needs \(count) bytes, the column chunk has \(end - position) left")
        }
        let wanted = Int(min(end - position, UInt64(max(count, readAhead))))
        window = try source.read(offset: position, count: wanted)
    }

    private mutating func advance(_ count: Int) {
        // An empty rest would keep the memory of a large page.
        window = count == window.count ? .empty : window.slice(count..<window.count)
        position += UInt64(count)
    }

    /// The next page, its bytes as they are in the file; nil at the end of the chunk.
    mutating func next() throws(LanceError) -> (header: PageHeader, bytes: ArrowBuffer)? {
        while position < end {
            let header = try readHeader()
            try need(header.compressedSize)
            let bytes = window.slice(0..<header.compressedSize)
            if let expected = header.checksum {
                let actual = bytes.withUnsafeBytes { CRC32.of($0) }
                guard actual == expected else {
                    throw .corrupt("page checksum is \(actual), its header says \(expected)", offset: position)
                }
            }
            advance(header.compressedSize)
            if header.kind != .other { return (header, bytes) }
        }
        return nil
    }

    private mutating func readHeader() throws(LanceError) -> PageHeader {
        var wanted = Int(min(end - position, 256))
        while true {
            try need(wanted)
            var reader = ThriftReader(window)
            do throws(LanceError) {
                let header = try PageHeader(&reader)
                advance(reader.offset)
                return header
            } catch {
                let available = end - position
                guard error.code == .truncated, UInt64(window.count) < available, wanted < Self.largestHeader else {
                    throw error.located(part: "page header", offset: position)
                }
                wanted = Int(min(available, UInt64(max(wanted, window.count) * 4)))
            }
        }
    }

    /// Decompressed content of a page that is compressed as a whole.
    func content(_ header: PageHeader, _ bytes: ArrowBuffer) throws(LanceError) -> ArrowBuffer {
        try PageCompression.decompress(bytes, chunk.codec, size: header.uncompressedSize, allowance: allowance)
    }

    /// Decompressed values of a v2 page, whose levels stand before them as they are.
    func values(_ header: PageHeader, _ bytes: ArrowBuffer) throws(LanceError) -> ArrowBuffer {
        let levels = header.repetitionSize + header.definitionSize
        guard levels <= bytes.count, levels <= header.uncompressedSize else {
            throw .corrupt("page of \(bytes.count) bytes with levels of \(levels) bytes")
        }
        let values = bytes.slice(levels..<bytes.count)
        guard header.isCompressed, chunk.codec != .uncompressed else { return values }
        // Where all values are null there may be nothing, not even an empty frame.
        if values.count == 0, header.uncompressedSize == levels { return .empty }
        return try PageCompression.decompress(
            values,
            chunk.codec,
            size: header.uncompressedSize - levels,
            allowance: allowance
        )
    }
}
