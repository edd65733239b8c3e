import LancerBytes
import LancerCodecs

/// A page that is encoded and not yet compressed.
struct PendingPage: Sendable {
    var header: PageHeader
    let levels: ArrowBuffer
    let values: ArrowBuffer
    let nullCount: Int
    let rowCount: Int

    /// Header and content as they stand in the file.
    struct Finished: Sendable {
        let header: PageHeader
        let headerBytes: ArrowBuffer
        let content: ArrowBuffer

        var size: Int { headerBytes.count + content.count }
    }

    /// Compresses the page.
    ///
    /// - Throws: `limitExceeded` from 2 GiB on.
    func finished(_ options: ParquetWriteOptions) throws(LanceError) -> Finished {
        var header = header
        header.uncompressedSize = levels.count + values.count
        guard header.uncompressedSize < Int(Int32.max) else {
            throw .limitExceeded("a Parquet page of \(header.uncompressedSize) bytes")
        }
        let content: ArrowBuffer
        if header.kind == .dataV2 {
            let packed = try PageCompression.compress(values, options.compression, level: options.compressionLevel)
            header.isCompressed = options.compression != .uncompressed && packed.count < values.count
            content = Self.joined(levels, header.isCompressed ? packed : values)
        } else {
            content = try PageCompression.compress(
                Self.joined(levels, values),
                options.compression,
                level: options.compressionLevel
            )
        }
        guard content.count < Int(Int32.max) else {
            throw .limitExceeded("a Parquet page of \(content.count) bytes")
        }
        header.compressedSize = content.count
        if options.writesChecksums { header.checksum = content.withUnsafeBytes { CRC32.of($0) } }
        return Finished(
            header: header,
            headerBytes: header.bytes(nullCount: nullCount, rowCount: rowCount),
            content: content
        )
    }

    private static func joined(_ first: ArrowBuffer, _ second: ArrowBuffer) -> ArrowBuffer {
        if first.count == 0 { return second }
        if second.count == 0 { return first }
        var builder = BufferBuilder(capacity: first.count + second.count)
        builder.append(contentsOf: first)
        builder.append(contentsOf: second)
        return builder.finish()
    }
}
