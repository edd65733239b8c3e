import FoundationEssentials
import LancerArrow
import LancerBytes
import LancerEncoding
import LancerProto
import SwiftProtobuf
import Synchronization

/// An open data file: its schema and page tables in memory, pages read when asked for.
///
/// Safe to use from many tasks at once. Search structures of pages that were read are kept up to a byte limit.
/// Spec: 01-file-container.md, "Opening a file".
package final class LanceFileReader: Sendable {
    /// Where the bytes come from.
    package let source: any RangeSource
    /// Version of the file format.
    package let version: FileVersion
    /// The schema stored in the file.
    package let schema: LanceSchema
    /// Rows of the file.
    package let rowCount: Int
    /// Leaf columns, in file order.
    package let columns: [ColumnInfo]
    /// File ranges of the global buffers; number 0 is the schema.
    package let globalBuffers: [Range<UInt64>]
    /// The footer as stored.
    package let footer: Footer
    /// Checksums of the file, if its writer gave it some.
    package let checksums: FileChecksums?
    let pageCache: PageCache

    /// What is read from the end of a file at once: enough for the metadata of most files.
    private static let tailBytes: UInt64 = 64 << 10

    /// Reads footer, schema and page tables.
    ///
    /// - Parameter cache: limits of what is kept of pages in memory, shared with other files.
    /// - Throws: `truncated`, `corrupt`, or `unsupported` naming another file version.
    package static func open(
        _ source: any RangeSource,
        cache: PageCacheBudget = .standard
    ) async throws -> LanceFileReader {
        do {
            let size = source.size
            let tailStart = size > tailBytes ? size - tailBytes : 0
            let tail = try await source.read(tailStart..<size)
            let footer = try Footer(tail: tail, fileSize: size)
            // From the column metadata on everything lies together in files of all known writers.
            var metadataStart = min(footer.columnMetadataOffset, footer.columnTableOffset, footer.globalTableOffset)
            var metadata = tail
            if metadataStart < tailStart {
                guard size - metadataStart <= UInt64(DecodeLimits.standard.metadataBytes) else {
                    throw LanceError.limitExceeded("\(size - metadataStart) bytes of metadata")
                }
                metadata = try await source.read(metadataStart..<size)
            } else {
                metadataStart = tailStart
            }
            let window = FileWindow(bytes: metadata, start: metadataStart, fileSize: size)
            let globals = try Self.offsetTable(
                window,
                footer.globalTableOffset,
                footer.globalBufferCount,
                "global buffer"
            )
            for (index, range) in globals.enumerated() where range.lowerBound % UInt64(Footer.bufferAlignment) != 0 {
                throw LanceError.corrupt("global buffer \(index) at \(range.lowerBound) is not aligned to 64 bytes")
            }
            guard let schemaRange = globals.first else { throw LanceError.corrupt("no global buffer holds the schema") }
            let schemaBytes = window.slice(schemaRange)
            let descriptor = if let schemaBytes { schemaBytes } else { try await source.read(schemaRange) }
            let checksums =
                globals.count > 1
                ? try await FileChecksums.find(globals[globals.count - 1], descriptor, window, source) : nil
            return try LanceFileReader(source, footer, window, globals, checksums, descriptor: descriptor, cache: cache)
        } catch let error as LanceError {
            throw error.located(file: source.path)
        }
    }

    private init(
        _ source: any RangeSource,
        _ footer: Footer,
        _ window: FileWindow,
        _ globals: [Range<UInt64>],
        _ checksums: FileChecksums?,
        descriptor: ArrowBuffer,
        cache: PageCacheBudget
    ) throws(LanceError) {
        self.source = source
        self.footer = footer
        self.checksums = checksums
        version = footer.version
        globalBuffers = globals
        let message: Lance_File_FileDescriptor
        do {
            message = try Lance_File_FileDescriptor(serializedBytes: descriptor.bytes)
        } catch {
            throw LanceError(.corrupt, "global buffer 0 is not a valid file descriptor", cause: error)
        }
        schema = try LanceSchema(proto: message.schema.fields, metadata: message.schema.metadata)
        let ranges = try Self.offsetTable(window, footer.columnTableOffset, footer.columnCount, "column metadata")
        var columns: [ColumnInfo] = []
        columns.reserveCapacity(ranges.count)
        for (index, range) in ranges.enumerated() {
            guard let bytes = window.slice(range) else {
                throw .corrupt("column metadata \(index) lies outside the metadata region", offset: range.lowerBound)
            }
            do {
                columns.append(try ColumnInfo(serialized: bytes, fileSize: window.fileSize))
            } catch {
                throw error.located(part: "column \(index)")
            }
        }
        self.columns = columns
        rowCount = try Self.checkedRowCount(message.length, schema, columns)
        pageCache = PageCache(columns.map(\.pages.count), budget: cache)
    }

    /// The same file, whose pages are compared with their checksums when they are read.
    ///
    /// It has search structures of its own, so that none comes in that was not compared. The file itself when it has no
    /// checksums.
    package func comparing(_ use: ChecksumUse) -> LanceFileReader {
        guard use != .off, let checksums else { return self }
        return LanceFileReader(self, ChecksummedSource(source: source, checksums: checksums, use: use))
    }

    private init(_ other: LanceFileReader, _ source: any RangeSource) {
        self.source = source
        footer = other.footer
        checksums = other.checksums
        version = other.version
        globalBuffers = other.globalBuffers
        schema = other.schema
        columns = other.columns
        rowCount = other.rowCount
        pageCache = PageCache(columns.map(\.pages.count), budget: other.pageCache.budget)
    }

    /// (position, size) pairs, each inside the file.
    private static func offsetTable(
        _ window: FileWindow,
        _ offset: UInt64,
        _ count: UInt32,
        _ name: String
    ) throws(LanceError) -> [Range<UInt64>] {
        guard let bytes = window.slice(offset..<(offset + UInt64(count) * UInt64(Footer.tableEntrySize))) else {
            throw .corrupt("the \(name) table is not inside the file", offset: offset)
        }
        var reader = ByteReader(bytes, what: "\(name) table")
        var result: [Range<UInt64>] = []
        result.reserveCapacity(Int(count))
        for index in 0..<count {
            let position: UInt64 = try reader.read()
            let size: UInt64 = try reader.read()
            guard position <= window.fileSize, size <= window.fileSize - position else {
                throw .truncated("\(name) \(index) (\(size) bytes at \(position)) is not inside the file")
            }
            result.append(position..<(position + size))
        }
        return result
    }

    /// The number of rows; all columns whose place in the schema is known must agree on it.
    private static func checkedRowCount(
        _ length: UInt64,
        _ schema: LanceSchema,
        _ columns: [ColumnInfo]
    ) throws(LanceError) -> Int {
        let stored = try Int(checked: length, "number of rows")
        let leaves = schema.leafLayouts
        guard leaves.count == columns.count else { return stored }
        var rows: Int?
        for (index, (leaf, column)) in zip(leaves, columns).enumerated() {
            guard leaf.slotsPerRow > 0 else { continue }
            let (count, rest) = column.rowCount.quotientAndRemainder(dividingBy: leaf.slotsPerRow)
            guard rest == 0, rows == nil || rows == count else {
                throw .corrupt("columns of different lengths: \(rows ?? 0) and \(count) rows", part: "column \(index)")
            }
            rows = count
        }
        guard let rows else { return stored }
        // Some writers leave the descriptor's length out.
        guard stored == 0 || stored == rows else {
            throw .corrupt("the file descriptor says \(stored) rows, the columns have \(rows)")
        }
        return rows
    }

    /// The bytes of a global buffer.
    ///
    /// - Throws: `notFound` when there is no such buffer.
    package func globalBuffer(_ index: Int) async throws -> ArrowBuffer {
        guard globalBuffers.indices.contains(index) else {
            throw LanceError(.notFound, "global buffer \(index)", at: ByteLocation(file: source.path))
        }
        return try await source.read(globalBuffers[index])
    }
}

/// A region of the file that is in memory.
struct FileWindow {
    let bytes: ArrowBuffer
    let start: UInt64
    let fileSize: UInt64

    /// The bytes of a file range, or nil when it is not all there.
    func slice(_ range: Range<UInt64>) -> ArrowBuffer? {
        guard range.lowerBound >= start, range.upperBound <= start + UInt64(bytes.count) else { return nil }
        return bytes.slice(Int(range.lowerBound - start)..<Int(range.upperBound - start))
    }
}
