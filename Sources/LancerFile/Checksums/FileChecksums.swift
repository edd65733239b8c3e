import LancerBytes
import LancerCodecs
import Synchronization

/// Checksums of a data file, in its last global buffer. Other readers ignore it; files without it cannot be checked.
///
/// ```
///  0  8 B   8F "LNCRCK" 0A
///  8  u32   1: version of this layout
/// 12  u32   65536: bytes of a block
/// 16  u64   position of this buffer: the blocks cover all bytes before
/// 24  u32   CRC-32C of global buffer 0 (the schema) and all bytes behind this buffer, to the end of the file
/// 28  u32   CRC-32C of bytes 0 ..< 28
/// 32  u32   CRC-32C of each block; the last block may be short
///  .  u32   CRC-32C of the blocks' checksums
/// ```
/// Every byte of the file is covered by one of the four. Spec: 14-checksums.md, "Checksums of a data file".
package final class FileChecksums: Sendable {
    /// Bytes of a block.
    package static let blockSize: UInt64 = 65536

    private static let magic: [UInt8] = [0x8F, 0x4C, 0x4E, 0x43, 0x52, 0x43, 0x4B, 0x0A]
    private static let layoutVersion: UInt32 = 1
    private static let headerSize = 32
    /// Bytes of the table for one file that are worth checking: 1 GiB stands for a file of 16 TiB.
    private static let tableLimit = DecodeLimits.standard.metadataBytes

    /// Where the bytes come from.
    private let source: any RangeSource
    /// Where the table of blocks is in the file.
    private let tableRange: Range<UInt64>
    /// Bytes that blocks cover.
    package let coveredBytes: UInt64
    private let table = Mutex<ArrowBuffer?>(nil)
    /// One bit a block that was found good before.
    private let good: Mutex<[UInt64]>

    /// Number of blocks.
    package var blockCount: Int { Int((coveredBytes + Self.blockSize - 1) / Self.blockSize) }

    // MARK: Writing

    /// Size of the buffer for a file with `coveredBytes` bytes before it.
    static func serializedSize(coveredBytes: UInt64) -> UInt64 {
        UInt64(headerSize) + 4 * ((coveredBytes + blockSize - 1) / blockSize) + 4
    }

    /// The bytes of the buffer.
    ///
    /// - Parameters:
    ///   - blocks: Checksums of the blocks of all `coveredBytes` bytes before.
    ///   - metadata: Checksum of the schema and the bytes behind.
    static func serialized(blocks: [UInt32], coveredBytes: UInt64, metadata: UInt32) -> ArrowBuffer {
        var builder = BufferBuilder(capacity: headerSize + 4 * blocks.count + 4)
        builder.append(contentsOf: magic)
        builder.append(layoutVersion.littleEndian)
        builder.append(UInt32(blockSize).littleEndian)
        builder.append(coveredBytes.littleEndian)
        builder.append(metadata.littleEndian)
        builder.append(builder.withUnsafeBytes { CRC32C.checksum(of: $0) }.littleEndian)
        for block in blocks { builder.append(block.littleEndian) }
        let table = builder.withUnsafeBytes { CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: $0[headerSize...])) }
        builder.append(table.littleEndian)
        return builder.finish()
    }

    // MARK: Reading

    /// Finds the checksums of a file that is being opened and checks its metadata against them.
    ///
    /// - Parameters:
    ///   - buffer: The file's last global buffer.
    ///   - descriptor: Global buffer 0.
    ///   - window: The end of the file, from the metadata on at least.
    /// - Returns: nil for a file without checksums, or with ones of a later layout.
    /// - Throws: `corrupt` when metadata or the checksums themselves are damaged.
    static func find(
        _ buffer: Range<UInt64>,
        _ descriptor: ArrowBuffer,
        _ window: FileWindow,
        _ source: any RangeSource
    ) async throws -> FileChecksums? {
        guard buffer.upperBound - buffer.lowerBound >= UInt64(headerSize) + 4 else { return nil }
        let range = buffer.lowerBound..<(buffer.lowerBound + UInt64(headerSize))
        let inWindow = window.slice(range)
        let header = if let inWindow { inWindow } else { try await source.read(range) }
        guard header.slice(0..<8).bytes == magic else { return nil }
        var reader = ByteReader(header, at: 8, what: "checksums")
        let version: UInt32 = try reader.read()
        let blockSize: UInt32 = try reader.read()
        let covered: UInt64 = try reader.read()
        let metadata: UInt32 = try reader.read()
        let own: UInt32 = try reader.read()
        guard CRC32C.checksum(of: header.slice(0..<28)) == own else {
            throw LanceError.corrupt("the header of the checksums is damaged", offset: buffer.lowerBound)
        }
        guard version == layoutVersion else { return nil }
        guard UInt64(blockSize) == Self.blockSize, covered == buffer.lowerBound,
            serializedSize(coveredBytes: covered) == buffer.upperBound - buffer.lowerBound
        else {
            throw LanceError.corrupt("the checksums do not belong to this file", offset: buffer.lowerBound)
        }
        guard let behind = window.slice(buffer.upperBound..<window.fileSize) else {
            throw LanceError.corrupt("the checksums do not stand before the metadata", offset: buffer.lowerBound)
        }
        guard CRC32C.checksum(of: behind, after: CRC32C.checksum(of: descriptor)) == metadata else {
            throw LanceError.corrupt("the metadata does not have its checksum", offset: buffer.upperBound)
        }
        let table = (buffer.lowerBound + UInt64(headerSize))..<buffer.upperBound
        guard table.count <= tableLimit else { throw LanceError.limitExceeded("\(table.count) bytes of checksums") }
        let checksums = FileChecksums(source, table, covered)
        if let bytes = window.slice(table) { try checksums.keep(bytes) }
        return checksums
    }

    private init(_ source: any RangeSource, _ table: Range<UInt64>, _ coveredBytes: UInt64) {
        self.source = source
        self.tableRange = table
        self.coveredBytes = coveredBytes
        let blocks = (coveredBytes + Self.blockSize - 1) / Self.blockSize
        good = Mutex([UInt64](repeating: 0, count: Int((blocks + 63) / 64)))
    }

    private func keep(_ bytes: ArrowBuffer) throws(LanceError) {
        let blocks = bytes.slice(0..<(bytes.count - 4))
        var reader = ByteReader(bytes, at: bytes.count - 4, what: "checksums")
        let own: UInt32 = try reader.read()
        guard CRC32C.checksum(of: blocks) == own else {
            throw .corrupt("the table of checksums is damaged", offset: tableRange.lowerBound)
        }
        // A copy of its own: the window it was cut from is larger.
        let copy = blocks.withUnsafeBytes { ArrowBuffer(copying: $0) }
        table.withLock { $0 = copy }
    }

    /// Checksums of the blocks, read from the file when they are wanted first.
    func blockChecksums() async throws -> ArrowBuffer {
        if let kept = table.withLock({ $0 }) { return kept }
        try keep(try await source.read(tableRange))
        return table.withLock { $0 } ?? .empty
    }

    /// The bytes of a block in the file; empty behind the last one.
    func range(ofBlock block: UInt64) -> Range<UInt64> {
        let start = Swift.min(block * Self.blockSize, coveredBytes)
        return start..<Swift.min(start + Self.blockSize, coveredBytes)
    }

    /// Whether a block was found good before.
    func isKnownGood(_ block: UInt64) -> Bool {
        good.withLock { $0[Int(block / 64)] >> (block % 64) & 1 == 1 }
    }

    /// Compares all blocks that lie whole in bytes just read with their checksums.
    ///
    /// - Parameters:
    ///   - bytes: What was read.
    ///   - start: Where in the file it begins.
    /// - Throws: `corrupt` naming the block.
    func check(_ bytes: ArrowBuffer, at start: UInt64, _ table: ArrowBuffer) throws(LanceError) {
        try bytes.withUnsafeBytes { (bytes) throws(LanceError) in try check(bytes, at: start, table) }
    }

    func check(_ bytes: UnsafeRawBufferPointer, at start: UInt64, _ table: ArrowBuffer) throws(LanceError) {
        var block = (start + Self.blockSize - 1) / Self.blockSize
        let end = start + UInt64(bytes.count)
        while true {
            let range = self.range(ofBlock: block)
            guard !range.isEmpty, range.upperBound <= end else { return }
            let part = bytes[Int(range.lowerBound - start)..<Int(range.upperBound - start)]
            let expected = table.start.loadUnaligned(fromByteOffset: Int(block) * 4, as: UInt32.self)
            guard CRC32C.checksum(of: UnsafeRawBufferPointer(rebasing: part)) == UInt32(littleEndian: expected) else {
                throw .corrupt(
                    "bytes \(range.lowerBound) to \(range.upperBound) do not have their checksum: the file was damaged "
                        + "after it was written",
                    offset: range.lowerBound
                )
            }
            good.withLock { $0[Int(block / 64)] |= 1 << (block % 64) }
            block += 1
        }
    }

    /// Reads the whole file up to the checksums and compares every block.
    ///
    /// - Parameter isBad: Called for each block that does not have its checksum.
    /// - Throws: what reading throws.
    package func checkAll(_ isBad: (Range<UInt64>) -> Void) async throws {
        let table = try await blockChecksums()
        let step = Self.blockSize * 64
        var start: UInt64 = 0
        while start < coveredBytes {
            let end = Swift.min(start + step, coveredBytes)
            let bytes = try await source.read(start..<end)
            var block = start / Self.blockSize
            while block * Self.blockSize < end {
                let range = self.range(ofBlock: block)
                do throws(LanceError) {
                    try check(
                        bytes.slice(Int(range.lowerBound - start)..<Int(range.upperBound - start)),
                        at: range.lowerBound,
                        table
                    )
                } catch {
                    isBad(range)
                }
                block += 1
            }
            start = end
        }
    }
}
