import LancerArrow
import LancerBytes
import LancerEncoding

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
