import LancerArrow
import LancerBytes
import LancerEncoding

/// One leaf column of one read: which of its pages are touched, and which rows of them.
final class LeafRead {
    /// The part of a read that falls into one page; row ranges are numbered within the page.
    final class Part {
        let page: Int
        let ranges: [Range<Int>]
        var prepared: (any PreparedPage)?
        /// The page's keepable bytes, when they are in memory.
        var data: ArrowBuffer?

        init(page: Int, ranges: [Range<Int>]) {
            self.page = page
            self.ranges = ranges
        }
    }

    let field: LanceField
    /// The type of the column's values in the file: all children of a packed struct, whatever is wanted of it.
    let storedType: ArrowType
    let column: Int
    let parts: [Part]
    private let slotCount: Int

    init(
        _ leaf: LeafLayout,
        column: Int,
        ranges: [Range<Int>],
        of file: LanceFileReader
    ) throws(LanceError) {
        field = leaf.field
        self.column = column
        storedType = try Self.storedType(leaf.field, file)
        let info = file.columns[column]
        guard leaf.slotsPerRow > 0 || info.rowCount == 0 else {
            throw .unsupported("a fixed-size list of structs of size 0", part: "column \(column)")
        }
        guard info.rowCount == file.rowCount * leaf.slotsPerRow else {
            throw .corrupt("\(info.rowCount) rows in a file of \(file.rowCount)", part: "column \(column)")
        }
        var parts: [Part] = []
        // The page at hand; written to `parts` when it is done, so that a range costs no more than its place in an array.
        var number = -1
        var pageRows = 0..<0
        var local: [Range<Int>] = []
        var total = 0
        for (place, range) in ranges.enumerated() {
            var row = range.lowerBound * leaf.slotsPerRow
            let end = range.upperBound * leaf.slotsPerRow
            total += end - row
            while row < end {
                if !pageRows.contains(row) {
                    if number >= 0 { parts.append(Part(page: number, ranges: local)) }
                    number = info.page(of: row)
                    let page = info.pages[number]
                    pageRows = page.firstRow..<(page.firstRow + page.rowCount)
                    guard pageRows.contains(row) else {
                        throw .corrupt("no page holds row \(row)", part: "column \(column)")
                    }
                    local = []
                    local.reserveCapacity(min(ranges.count - place, pageRows.count))
                }
                let stop = min(end, pageRows.upperBound)
                local.append((row - pageRows.lowerBound)..<(stop - pageRows.lowerBound))
                row = stop
            }
        }
        if number >= 0 { parts.append(Part(page: number, ranges: local)) }
        self.parts = parts
        slotCount = total
    }

    private static func storedType(_ field: LanceField, _ file: LanceFileReader) throws(LanceError) -> ArrowType {
        if field.isBlobV2 { return BlobDescriptors.type }
        if field.isBlob {
            // What the page's inner layout stores for each blob.
            if case .largeBinary = field.type {
                return .structure([
                    ArrowField("position", .uint64, nullable: false), ArrowField("size", .uint64, nullable: false),
                ])
            }
            throw .unsupported("blob column \"\(field.name)\" of type \(field.type)")
        }
        if field.isPackedStruct,
            let stored = file.schema.fields.lazy.flatMap(\.subtree).first(where: { $0.id == field.id })
        {
            return stored.type
        }
        return field.type
    }

    /// Decodes what was read.
    func decode(index: [PageData], data: [PageData], in file: LanceFileReader) throws(LanceError) -> DecodedLeaf {
        var collector: LevelCollector?
        // Nested columns may need more; flat ones exactly this.
        let values = try ValueAccumulator(storedType, capacity: min(slotCount, 1 << 20))
        var blobLayers: [RepDefLayer]?
        for (number, part) in parts.enumerated() {
            guard let page = part.prepared else { continue }
            do throws(LanceError) {
                let levels = collector ?? LevelCollector(page.layers)
                collector = levels
                if let blob = page as? BlobPage { blobLayers = blob.blobLayers }
                try page.decode(part.ranges, data: data[number], index: index[number], levels: levels, values: values)
            } catch {
                throw error.located(part: "column \(column) \"\(field.name)\", page \(part.page)")
            }
        }
        return DecodedLeaf(self, values, collector?.finish(), blobLayers: blobLayers)
    }
}

/// A page that is touched but whose search structures are not in memory yet.
struct PendingPage {
    private let read: LeafRead
    private let number: Int
    private let layout: PageLayout
    private let shape: PageShape
    /// What to read before ``prepare(_:)``.
    let ranges: [Range<UInt64>]

    init(_ read: LeafRead, _ number: Int, _ file: LanceFileReader) throws(LanceError) {
        self.read = read
        self.number = number
        let page = file.columns[read.column].pages[number]
        let shape = PageShape(bufferSizes: page.buffers.map(\.count), rowCount: page.rowCount)
        self.shape = shape
        do throws(LanceError) {
            layout = try page.layout(file.version)
            let wanted: [Int] =
                switch layout {
                case .miniBlock(let layout), .blob(.miniBlock(let layout), _): MiniBlockPage.searchBuffers(layout)
                case .fullZip(let layout): FullZipPage.searchBuffers(layout, shape)
                case .constant, .blob: ConstantPage.searchBuffers(shape)
                }
            var ranges: [Range<UInt64>] = []
            for buffer in wanted {
                guard page.buffers.indices.contains(buffer) else {
                    throw LanceError.corrupt("the page has \(page.buffers.count) buffers, its layout needs more")
                }
                ranges.append(page.buffers[buffer])
            }
            self.ranges = ranges
        } catch {
            throw error.located(part: "column \(read.column) \"\(read.field.name)\", page \(number)")
        }
    }

    /// The page, from what ``ranges`` asked for.
    func prepare(_ buffers: [ArrowBuffer]) throws(LanceError) -> any PreparedPage {
        do throws(LanceError) {
            switch layout {
            case .miniBlock(let layout):
                guard !read.field.isBlob else { throw .corrupt("a blob column with a page of another layout") }
                return try MiniBlockPage(
                    layout: layout,
                    shape: shape,
                    type: read.storedType,
                    buffers: buffers,
                    dictionaryID: number
                )
            case .fullZip(let layout):
                guard !read.field.isBlob else { throw .corrupt("a blob column with a page of another layout") }
                return try FullZipPage(layout: layout, shape: shape, type: read.storedType, buffers: buffers)
            case .constant(let layout):
                return try ConstantPage(layout: layout, shape: shape, type: read.storedType, buffers: buffers)
            case .blob(.miniBlock(let inner), let layers):
                guard read.field.isBlob else { throw .corrupt("a blob page in a column that holds no blobs") }
                return try BlobPage(inner: inner, layers: layers, shape: shape, buffers: buffers)
            case .blob: throw .unsupported("a blob page whose positions are not in a mini-block layout")
            }
        } catch {
            throw error.located(part: "column \(read.column) \"\(read.field.name)\", page \(number)")
        }
    }
}
