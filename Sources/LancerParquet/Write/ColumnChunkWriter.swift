import LancerArrow
import LancerBytes

/// A column chunk ready to be put in the file.
struct WrittenChunk: Sendable {
    /// Header and content of every page, the dictionary's first.
    var buffers: [ArrowBuffer]
    /// Metadata with offsets from the start of the chunk.
    var chunk: ColumnChunk
    var pages: [WrittenPage]
}

/// Encodes one column of the row group being written.
///
/// Holds one page as it comes in, and the finished pages compressed. Values go to a dictionary until that grows too
/// large; when it does not pay for the first page already, it is given up and that page written plainly.
final class ColumnChunkWriter {
    let leaf: WriteLeaf
    private let options: ParquetWriteOptions
    private let shredder: LevelShredder

    // The page being filled.
    private var definitions: [UInt8] = []
    private var repetitions: [UInt8] = []
    private var entries = 0
    private var rows = 0
    private var nulls = 0
    private var indices: [UInt32] = []
    private var plain = BufferBuilder()
    private var bits: [Bool] = []
    private var bounds: ValueBounds?

    // The chunk.
    private var dictionary: DictionaryBuilder?
    /// Chunks that are written without trying a dictionary, and how many it will be after the next failure.
    private var chunksToPass = 0
    private var nextPass = 2
    private var isDictionaryPage = false
    private var hasIndices = false
    private var pending: [PendingPage] = []
    private var dictionaryPage: PendingPage.Finished?
    private var settled = 0
    private var buffers: [ArrowBuffer] = []
    private var chunkBounds: ValueBounds?
    private var pages: [WrittenPage] = []
    private var counts: [PageCount] = []
    private var groupRows = 0
    private var valueCount = 0
    private var dataSize = 0
    private var uncompressedSize = 0

    init(_ leaf: WriteLeaf, _ options: ParquetWriteOptions) {
        self.leaf = leaf
        self.options = options
        shredder = LevelShredder(leaf: leaf)
        start()
    }

    private func start() {
        buffers = []
        pages = []
        counts = []
        groupRows = 0
        valueCount = 0
        dataSize = 0
        settled = 0
        dictionaryPage = nil
        hasIndices = false
        chunkBounds = nil
        uncompressedSize = 0
        let canRepeat = leaf.physicalType != .boolean && leaf.conversion != .nothing
        chunksToPass = max(chunksToPass - 1, 0)
        let isTried = options.usesDictionary && canRepeat && chunksToPass == 0
        dictionary = isTried ? DictionaryBuilder() : nil
        isDictionaryPage = dictionary != nil
    }

    /// Adds rows of the leaf's column.
    ///
    /// - Throws: `schemaMismatch` for nulls that may not be, `invalidArgument` for values Parquet has not.
    func append(_ column: ArrowArray, _ range: Range<Int>) throws(LanceError) {
        let step = max(options.pageBytes / 4, 1)
        var row = range.lowerBound
        while row < range.upperBound {
            var count = min(range.upperBound - row, options.pageRows - rows, 8192)
            while count > 1, shredder.size(column, row..<(row + count)) > step { count /= 2 }
            let part = try shredder.shred(column, row..<(row + count))
            try append(part)
            row += count
            if rows >= options.pageRows || pageSize >= options.pageBytes { try finishPage() }
        }
    }

    /// Bytes of the page so far, about.
    private var pageSize: Int {
        definitions.count / 4 + repetitions.count / 4 + plain.count + bits.count / 8 + indices.count * 2
    }

    private func append(_ part: ShreddedRows) throws(LanceError) {
        rows += part.rows
        entries += part.count
        definitions.append(contentsOf: part.definitions)
        repetitions.append(contentsOf: part.repetitions)
        let values = try LeafValues(part, leaf)
        if leaf.conversion == .nothing {
            nulls += part.count
            return
        }
        nulls += part.count - values.count
        if values.count == 0 { return }
        if options.writesStatistics { addBounds(values) }
        if isDictionaryPage {
            dictionary?.append(values, to: &indices)
            // An index takes 32 bits, a page 31.
            if dictionary?.sizeInBytes ?? 0 > options.dictionaryBytes { try finishPage() }
            return
        }
        switch values {
        case .bits(let more): bits.append(contentsOf: more)
        case .fixed(let buffer, _): plain.append(contentsOf: buffer)
        case .bytes(let ranges, let data):
            data.withUnsafeBytes { all in
                for range in ranges {
                    plain.append(UInt32(truncatingIfNeeded: range.count))
                    plain.append(UnsafeRawBufferPointer(rebasing: all[range]))
                }
            }
        }
    }

    private func addBounds(_ values: LeafValues) {
        guard let more = ValueBounds(values, leaf.order) else { return }
        if bounds == nil { bounds = more } else { bounds?.formUnion(more, leaf.order) }
    }

    /// Gives the dictionary up where it takes more than the values do, and where it is full.
    private func judgeDictionary() {
        guard let size = dictionary?.sizeInBytes, let count = dictionary?.count else { return }
        if pages.isEmpty {
            let width = RunLengthEncoder.width(max(count - 1, 1))
            let plainSize = dictionary?.plainSize(indices) ?? 0
            if size + indices.count * width / 8 >= plainSize, count > 0 {
                dictionary?.decode(indices, into: &plain)
                // Most columns stay what they are.
                chunksToPass = nextPass
                nextPass = min(nextPass * 2, 32)
                indices.removeAll(keepingCapacity: true)
                dictionary = nil
                isDictionaryPage = false
                return
            }
        }
        nextPass = 2
        if size > options.dictionaryBytes { dictionaryIsFull = true }
    }

    private var dictionaryIsFull = false

    private func finishPage() throws(LanceError) {
        guard rows > 0 else { return }
        if isDictionaryPage { judgeDictionary() }
        var header = PageHeader(
            options.pageVersion == .v2 ? .dataV2 : .data,
            encoding: isDictionaryPage && !indices.isEmpty ? .rleDictionary : .plain,
            valueCount: entries
        )
        if header.encoding == .rleDictionary { hasIndices = true }
        var levels = BufferBuilder()
        appendLevels(repetitions, leaf.maximumRepetition, to: &levels)
        header.repetitionSize = levels.count
        appendLevels(definitions, leaf.maximumDefinition, to: &levels)
        header.definitionSize = levels.count - header.repetitionSize
        pending.append(
            PendingPage(
                header: header,
                levels: levels.finish(),
                values: takeValues(),
                nullCount: nulls,
                rowCount: rows
            )
        )
        pages.append(
            WrittenPage(
                offset: 0,
                size: 0,
                firstRow: groupRows,
                nullCount: nulls,
                presentCount: entries - nulls,
                bounds: bounds?.shortened(to: PageIndexWriter.boundLength, leaf.order)
            )
        )
        if let bounds {
            if chunkBounds == nil { chunkBounds = bounds } else { chunkBounds?.formUnion(bounds, leaf.order) }
        }
        groupRows += rows
        valueCount += entries
        startPage()
    }

    private func startPage() {
        definitions.removeAll(keepingCapacity: true)
        repetitions.removeAll(keepingCapacity: true)
        indices.removeAll(keepingCapacity: true)
        bits.removeAll(keepingCapacity: true)
        entries = 0
        rows = 0
        nulls = 0
        bounds = nil
        if dictionaryIsFull {
            dictionaryIsFull = false
            isDictionaryPage = false
        }
    }

    private func appendLevels(_ levels: [UInt8], _ maximum: Int, to output: inout BufferBuilder) {
        guard maximum > 0 else { return }
        let start = output.count
        if options.pageVersion == .v1 { output.append(UInt32(0)) }
        levels.withUnsafeBufferPointer {
            RunLengthEncoder.append($0, width: RunLengthEncoder.width(maximum), to: &output)
        }
        if options.pageVersion == .v1 {
            output.overwrite(UInt32(truncatingIfNeeded: output.count - start - 4), at: start)
        }
    }

    /// The values of the page, encoded.
    private func takeValues() -> ArrowBuffer {
        if isDictionaryPage {
            guard !indices.isEmpty, let count = dictionary?.count else { return .empty }
            // One bit at least: some readers do not expect indices without any.
            let width = RunLengthEncoder.width(max(count - 1, 1))
            var output = BufferBuilder(capacity: indices.count * width / 8 + 16)
            output.append(UInt8(width))
            indices.withUnsafeBufferPointer { RunLengthEncoder.append($0, width: width, to: &output) }
            return output.finish()
        }
        if leaf.conversion == .bits { return Bitmap(bits).buffer }
        var taken = BufferBuilder()
        swap(&taken, &plain)
        return taken.finish()
    }

    /// Takes the pages that wait to be compressed; ``settle(_:)`` wants them back in the same order.
    func takePending() -> [PendingPage] {
        defer { pending = [] }
        return pending
    }

    /// Puts compressed pages behind the others.
    func settle(_ finished: some Sequence<PendingPage.Finished>) {
        for page in finished {
            if page.header.kind == .dictionary {
                // Made last, it stands first.
                dictionaryPage = page
            } else {
                pages[settled].offset = Int64(dataSize)
                pages[settled].size = page.size
                settled += 1
                buffers.append(page.headerBytes)
                buffers.append(page.content)
                dataSize += page.size
            }
            uncompressedSize += page.headerBytes.count + page.header.uncompressedSize
            count(page.header)
        }
    }

    private func count(_ header: PageHeader) {
        let kind: Int32 = header.kind == .dictionary ? 2 : header.kind == .dataV2 ? 3 : 0
        if let index = counts.firstIndex(where: { $0.kind == kind && $0.encoding == header.encoding }) {
            counts[index].count += 1
        } else {
            counts.append(PageCount(kind: kind, encoding: header.encoding, count: 1))
        }
    }

    /// Ends the chunk's last page and its dictionary, which then wait to be compressed.
    func flush() throws(LanceError) {
        try finishPage()
        let isUsed = hasIndices
        if let taken = dictionary.take(), isUsed {
            let header = PageHeader(.dictionary, encoding: .plain, valueCount: taken.count)
            pending.append(
                PendingPage(header: header, levels: .empty, values: taken.finish(), nullCount: 0, rowCount: 0)
            )
        }
    }

    /// The column chunk, all its pages being settled; the writer goes on with the next row group.
    func finish() -> WrittenChunk {
        var chunk = ColumnChunk()
        chunk.hasMetadata = true
        chunk.physicalType = leaf.physicalType
        chunk.names = leaf.names
        chunk.codec = options.compression
        chunk.valueCount = Int64(valueCount)
        let shift = dictionaryPage?.size ?? 0
        if dictionaryPage != nil { chunk.dictionaryPageOffset = 0 }
        chunk.dataPageOffset = Int64(shift)
        chunk.compressedSize = Int64(shift + dataSize)
        chunk.uncompressedSize = Int64(uncompressedSize)
        chunk.pageCounts = counts
        var encodings = leaf.maximumDefinition > 0 || leaf.maximumRepetition > 0 ? [ParquetEncoding.rle] : []
        for page in counts where !encodings.contains(page.encoding) { encodings.append(page.encoding) }
        chunk.encodings = encodings
        chunk.statistics = statistics()
        let shifted = pages.map { page in
            var copy = page
            copy.offset += Int64(shift)
            return copy
        }
        let all = (dictionaryPage.map { [$0.headerBytes, $0.content] } ?? []) + buffers
        start()
        return WrittenChunk(buffers: all, chunk: chunk, pages: shifted)
    }

    /// Longer bounds are left out: a footer is no place for documents.
    private static let longestBound = 4096

    private func statistics() -> ColumnStatistics {
        var result = ColumnStatistics(nullCount: Int64(pages.reduce(0) { $0 + $1.nullCount }))
        guard options.writesStatistics else { return result }
        if let all = chunkBounds, all.minimum.count <= Self.longestBound, all.maximum.count <= Self.longestBound {
            result.minimum = all.minimum
            result.maximum = all.maximum
        }
        return result
    }
}
