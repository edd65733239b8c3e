import FoundationEssentials
import LancerArrow
import LancerBytes
import LancerCodecs
import LancerEncoding
import LancerProto
import SwiftProtobuf

/// Puts buffers and metadata of a file into a sink, in the order of the container.
///
/// `page and global buffers, each at a multiple of 64 · schema (global buffer 0) · checksums (the last global buffer) ·
/// column metadata · column table · global buffer table · footer`. Spec: 01-file-container.md, "Order of the parts".
struct FileAssembler {
    /// Position and size of something in the file.
    typealias Extent = (offset: UInt64, size: UInt64)

    private var sink: any ByteSink
    private(set) var position: UInt64 = 0
    private var pages: [[Lance_File_V2_ColumnMetadata.Page]]
    private var globalBuffers: [Extent] = []
    /// Checksums of what was written, if the file is to have them.
    private var hasher: BlockHasher?

    init(sink: any ByteSink, columnCount: Int, checksums: Bool) {
        self.sink = sink
        hasher = checksums ? BlockHasher() : nil
        pages = Array(repeating: [], count: columnCount)
    }

    /// Number of global buffers so far, without the schema.
    var globalBufferCount: Int { globalBuffers.count }

    private mutating func write(_ buffer: ArrowBuffer) throws(LanceError) {
        guard buffer.count > 0 else { return }
        try sink.write(buffer)
        hasher?.add(buffer)
        position += UInt64(buffer.count)
    }

    /// Writes a buffer at the next multiple of 64.
    @discardableResult
    mutating func writeAligned(_ buffer: ArrowBuffer) throws(LanceError) -> Extent {
        let alignment = UInt64(Footer.bufferAlignment)
        let gap = Int((alignment - position % alignment) % alignment)
        if gap > 0 {
            try write(ArrowBuffer(count: gap) { _ = $0.initializeMemory(as: UInt8.self, repeating: Footer.padding) })
        }
        let offset = position
        try write(buffer)
        return (offset, UInt64(buffer.count))
    }

    /// Writes a page of `column` whose first top-level row is `firstRow`.
    mutating func writePage(_ page: EncodedPage, column: Int, firstRow: Int) throws(LanceError) {
        var message = Lance_File_V2_ColumnMetadata.Page()
        for buffer in page.buffers {
            let extent = try writeAligned(buffer)
            message.bufferOffsets.append(extent.offset)
            message.bufferSizes.append(extent.size)
        }
        message.length = UInt64(page.length)
        message.priority = UInt64(firstRow)
        let layout = try serialize(page.layout.proto)
        message.encoding = try Self.direct(typeURL: PageLayout.typeURL, layout)
        pages[column].append(message)
    }

    /// Writes a global buffer.
    mutating func writeGlobalBuffer(_ buffer: ArrowBuffer) throws(LanceError) {
        globalBuffers.append(try writeAligned(buffer))
    }

    /// Writes everything behind the pages and returns the size of the file.
    mutating func finish(schema: LanceSchema, rowCount: Int, version: FileVersion) throws(LanceError) -> UInt64 {
        let descriptor = Lance_File_FileDescriptor.with {
            $0.schema = .with {
                $0.fields = schema.protoFields
                $0.metadata = schema.protoMetadata
            }
            $0.length = UInt64(rowCount)
        }
        let schemaBytes = buffer(try serialize(descriptor))
        let schemaExtent = try writeAligned(schemaBytes)
        var globals = [schemaExtent] + globalBuffers
        guard hasher != nil else {
            try write(try metadata(at: position, globals, version))
            return position
        }
        // The checksums stand before the metadata, which names them and is covered by one of them.
        try writeAligned(.empty)
        let covered = position
        let size = FileChecksums.serializedSize(coveredBytes: covered)
        globals.append((covered, size))
        let metadata = try metadata(at: covered + size, globals, version)
        let blocks = hasher?.finish() ?? []
        hasher = nil
        try write(
            FileChecksums.serialized(
                blocks: blocks,
                coveredBytes: covered,
                metadata: CRC32C.checksum(of: metadata, after: CRC32C.checksum(of: schemaBytes))
            )
        )
        try write(metadata)
        return position
    }

    /// Everything behind the buffers: column metadata, the two tables and the footer.
    private func metadata(
        at start: UInt64,
        _ globals: [Extent],
        _ version: FileVersion
    ) throws(LanceError) -> ArrowBuffer {
        var bytes = BufferBuilder()
        var columns = BufferBuilder(capacity: pages.count * Footer.tableEntrySize)
        for pages in pages {
            var metadata = Lance_File_V2_ColumnMetadata()
            metadata.encoding = try Self.direct(typeURL: Self.columnEncodingURL, Self.columnEncodingValue)
            metadata.pages = pages
            let message = buffer(try serialize(metadata))
            columns.append((start + UInt64(bytes.count)).littleEndian)
            columns.append(UInt64(message.count).littleEndian)
            bytes.append(contentsOf: message)
        }
        let columnTableOffset = start + UInt64(bytes.count)
        bytes.append(contentsOf: columns.finish())
        let globalTableOffset = start + UInt64(bytes.count)
        for extent in globals {
            bytes.append(extent.offset.littleEndian)
            bytes.append(extent.size.littleEndian)
        }
        let footer = Footer(
            columnMetadataOffset: start,
            columnTableOffset: columnTableOffset,
            globalTableOffset: globalTableOffset,
            globalBufferCount: UInt32(truncatingIfNeeded: globals.count),
            columnCount: UInt32(truncatingIfNeeded: pages.count),
            version: version
        )
        bytes.append(contentsOf: footer.serialized)
        return bytes.finish()
    }

    /// Every column says the same of itself: plain values. Carries nothing, but must be there.
    private static let columnEncodingURL = "/lance.encodings.ColumnEncoding"
    private static let columnEncodingValue = Data([0x0A, 0x00])

    private static func direct(typeURL: String, _ value: Data) throws(LanceError) -> Lance_File_V2_Encoding {
        let any = Google_Protobuf_Any.with {
            $0.typeURL = typeURL
            $0.value = value
        }
        let bytes = try serialize(any)
        return Lance_File_V2_Encoding.with { $0.direct.encoding = bytes }
    }

    private static func serialize(_ message: some SwiftProtobuf.Message) throws(LanceError) -> Data {
        // Equal input must give equal files, so maps are written sorted.
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        do {
            return try message.serializedBytes(options: options)
        } catch {
            throw LanceError(.invalidArgument, "metadata too large for a protobuf message", cause: error)
        }
    }

    private func serialize(_ message: some SwiftProtobuf.Message) throws(LanceError) -> Data {
        try Self.serialize(message)
    }

    private func buffer(_ data: Data) -> ArrowBuffer { data.withUnsafeBytes { ArrowBuffer(copying: $0) } }
}
