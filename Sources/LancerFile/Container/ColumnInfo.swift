import FoundationEssentials
import LancerBytes
import LancerEncoding
import LancerProto
import SwiftProtobuf

/// One page of a column: where its buffers are and how they are encoded, not yet parsed.
package struct PageInfo: Sendable {
    /// Absolute file ranges of the page's buffers.
    package let buffers: [Range<UInt64>]
    /// Rows of this leaf column.
    package let rowCount: Int
    /// Rows of this leaf column in the pages before.
    package let firstRow: Int
    /// A serialized `Any` around a page layout.
    let encoding: Data

    /// Bytes of all buffers.
    package var sizeInBytes: UInt64 { buffers.reduce(0) { $0 + UInt64($1.count) } }

    /// The page's layout.
    ///
    /// - Throws: `corrupt`, or `unsupported` naming a layout that is not known.
    package func layout(_ version: FileVersion) throws(LanceError) -> PageLayout {
        let layout: PageLayout
        do {
            let any = try Google_Protobuf_Any(serializedBytes: encoding)
            // What stands before the last slash is a host, which says nothing.
            guard any.typeURL.split(separator: "/").last == PageLayout.typeURL.dropFirst() else {
                throw LanceError.unsupported("page encoding of type \"\(any.typeURL.prefix(200))\"")
            }
            layout = try PageLayout(try Lance_Encodings21_PageLayout(serializedBytes: any.value))
        } catch let error as LanceError {
            throw error
        } catch {
            throw LanceError(.corrupt, "the page's encoding is not a valid message", cause: error)
        }
        try Self.check(layout, buffers.count, version)
        return layout
    }

    /// Checks that a layout belongs to the file's version: nothing in the bytes of a page says so.
    ///
    /// Spec: 16-versions.md, "2.1 and 2.2".
    private static func check(
        _ layout: PageLayout,
        _ bufferCount: Int,
        _ version: FileVersion
    ) throws(LanceError) {
        switch layout {
        case .miniBlock(let chunks), .blob(.miniBlock(let chunks), _):
            guard chunks.hasLargeChunks == (version == .v2_2) else {
                throw .corrupt("chunk words of \(chunks.hasLargeChunks ? 32 : 16) bits in a file of version \(version)")
            }
        case .constant(let constant) where version == .v2_1:
            guard constant.inlineValue == nil, bufferCount == 0 || bufferCount == 2 else {
                throw .corrupt("a constant page with a value in a file of version 2.1")
            }
            guard constant.repetition == nil, constant.definition == nil else {
                throw .corrupt("a constant page with compressed levels in a file of version 2.1")
            }
        case .constant, .fullZip, .blob: break
        }
    }
}

/// The pages of one leaf column.
package struct ColumnInfo: Sendable {
    package let pages: [PageInfo]
    /// Rows of this leaf column.
    package let rowCount: Int
    /// Bytes of all pages, divided by the rows.
    package let storedBytesPerRow: Double

    /// Checks a column metadata message: every buffer must be aligned and lie inside the file.
    ///
    /// Spec: 01-file-container.md, "Pages".
    init(serialized: ArrowBuffer, fileSize: UInt64) throws(LanceError) {
        let message: Lance_File_V2_ColumnMetadata
        do {
            message = try Lance_File_V2_ColumnMetadata(serializedBytes: serialized.bytes)
        } catch {
            throw LanceError(.corrupt, "the column's metadata is not a valid message", cause: error)
        }
        guard message.hasEncoding else { throw .corrupt("the column has no encoding") }
        guard message.pages.count <= DecodeLimits.standard.pagesPerColumn else {
            throw .limitExceeded("\(message.pages.count) pages")
        }
        var pages: [PageInfo] = []
        pages.reserveCapacity(message.pages.count)
        var firstRow = 0
        for (index, page) in message.pages.enumerated() {
            do throws(LanceError) {
                let info = try Self.page(page, firstRow, fileSize)
                pages.append(info)
                firstRow = try firstRow.adding(info.rowCount, "number of rows")
            } catch {
                throw error.located(part: "page \(index)")
            }
        }
        storedBytesPerRow = pages.reduce(0) { $0 + Double($1.sizeInBytes) } / Double(Swift.max(firstRow, 1))
        self.pages = pages
        rowCount = firstRow
    }

    private static func page(
        _ page: Lance_File_V2_ColumnMetadata.Page,
        _ firstRow: Int,
        _ fileSize: UInt64
    ) throws(LanceError) -> PageInfo {
        guard page.bufferOffsets.count == page.bufferSizes.count else {
            throw .corrupt("\(page.bufferOffsets.count) buffer offsets and \(page.bufferSizes.count) sizes")
        }
        var buffers: [Range<UInt64>] = []
        for (offset, size) in zip(page.bufferOffsets, page.bufferSizes) {
            guard offset % UInt64(Footer.bufferAlignment) == 0 else {
                throw .corrupt("a page buffer at \(offset) is not aligned to \(Footer.bufferAlignment) bytes")
            }
            guard offset <= fileSize, size <= fileSize - offset else {
                throw .truncated("a page buffer of \(size) bytes at \(offset) is not inside \(fileSize) bytes")
            }
            buffers.append(offset..<(offset + size))
        }
        guard case .direct(let direct)? = page.encoding.location else {
            throw .unsupported("a page whose encoding is not stored with it")
        }
        let rows = try Int(checked: page.length, "rows of a page")
        guard rows <= 1 << 48 else { throw .corrupt("a page of \(rows) rows") }
        return PageInfo(buffers: buffers, rowCount: rows, firstRow: firstRow, encoding: direct.encoding)
    }

    /// Number of the page that holds a row of the leaf column (inside the column).
    package func page(of row: Int) -> Int {
        var low = 0
        var high = pages.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if pages[middle].firstRow <= row { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
