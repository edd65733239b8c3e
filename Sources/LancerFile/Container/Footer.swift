import LancerBytes

/// The last 40 bytes of every data file.
///
/// ```
///  0  u64  offset of the first column metadata message
///  8  u64  offset of the column metadata offset table (CMO)
/// 16  u64  offset of the global buffer offset table (GBO)
/// 24  u32  number of global buffers
/// 28  u32  number of columns
/// 32  u16  major version     34  u16  minor version
/// 36  4 B  "LANC"
/// ```
/// Spec: 01-file-container.md, "Footer".
package struct Footer: Sendable, Hashable {
    package var columnMetadataOffset: UInt64
    package var columnTableOffset: UInt64
    package var globalTableOffset: UInt64
    package var globalBufferCount: UInt32
    package var columnCount: UInt32
    package var version: FileVersion

    /// Bytes of the footer.
    package static let size = 40
    /// Bytes of one entry (position, size) in either offset table.
    package static let tableEntrySize = 16
    /// The last four bytes of data files and manifests.
    package static let magic: [UInt8] = [0x4C, 0x41, 0x4E, 0x43]
    /// What page buffers and global buffers start at a multiple of.
    package static let bufferAlignment = 64
    /// Fill byte between buffers ('H'); readers ignore it.
    package static let padding: UInt8 = 0x48

    package init(
        columnMetadataOffset: UInt64,
        columnTableOffset: UInt64,
        globalTableOffset: UInt64,
        globalBufferCount: UInt32,
        columnCount: UInt32,
        version: FileVersion
    ) {
        self.columnMetadataOffset = columnMetadataOffset
        self.columnTableOffset = columnTableOffset
        self.globalTableOffset = globalTableOffset
        self.globalBufferCount = globalBufferCount
        self.columnCount = columnCount
        self.version = version
    }

    /// Reads the footer from the last bytes of a file of `fileSize` bytes.
    ///
    /// - Throws: `truncated` when the file is too short, `corrupt` without the magic, `unsupported` for other versions,
    ///   `corrupt` when a table does not lie inside the file.
    package init(tail: ArrowBuffer, fileSize: UInt64) throws(LanceError) {
        guard tail.count >= 4 else { throw .truncated("a Lance file of \(fileSize) bytes") }
        guard tail.slice((tail.count - 4)..<tail.count).bytes == Self.magic else {
            throw .corrupt("no \"LANC\" at the end: not a Lance file, or cut short", offset: fileSize &- 4)
        }
        guard tail.count >= Self.size else { throw .truncated("a Lance file of \(fileSize) bytes has no footer") }
        var reader = ByteReader(tail, at: tail.count - Self.size, what: "footer")
        columnMetadataOffset = try reader.read()
        columnTableOffset = try reader.read()
        globalTableOffset = try reader.read()
        globalBufferCount = try reader.read()
        columnCount = try reader.read()
        let major: UInt16 = try reader.read()
        let minor: UInt16 = try reader.read()
        version = try FileVersion(major: major, minor: minor)
        let end = fileSize - UInt64(Self.size)
        guard columnMetadataOffset <= columnTableOffset else {
            throw .corrupt("column metadata at \(columnMetadataOffset) lies behind its table", part: "footer")
        }
        try Self.check("column", columnTableOffset, UInt64(columnCount), end)
        try Self.check("global buffer", globalTableOffset, UInt64(globalBufferCount), end)
    }

    private static func check(
        _ name: String,
        _ offset: UInt64,
        _ count: UInt64,
        _ end: UInt64
    ) throws(LanceError) {
        // The counts have 32 bits: the product cannot overflow.
        guard offset <= end, count * UInt64(tableEntrySize) <= end - offset else {
            throw .corrupt("the \(name) table (\(count) entries at \(offset)) does not fit the file", part: "footer")
        }
    }

    /// The 40 bytes.
    package var serialized: ArrowBuffer {
        var builder = BufferBuilder(capacity: Self.size)
        builder.append(columnMetadataOffset.littleEndian)
        builder.append(columnTableOffset.littleEndian)
        builder.append(globalTableOffset.littleEndian)
        builder.append(globalBufferCount.littleEndian)
        builder.append(columnCount.littleEndian)
        builder.append(version.numbers.major.littleEndian)
        builder.append(version.numbers.minor.littleEndian)
        builder.append(contentsOf: Self.magic)
        return builder.finish()
    }
}
