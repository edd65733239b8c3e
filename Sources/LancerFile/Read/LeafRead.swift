import LancerArrow
import LancerBytes
import LancerEncoding

/// One leaf column of one read: which of its pages are touched, and which rows of them.
final class LeafRead {
    /// The part of a read that falls into one page.
    struct Part {
        let page: Int
        /// Which of the read's ranges, by place; their rows are numbered within the page.
        fileprivate(set) var ranges: Range<Int>
        var prepared: (any PreparedPage)?
        /// The page's keepable bytes, when they are in memory.
        var data: ArrowBuffer?
    }

    let leaf: LeafLayout
    /// The type of the column's values in the file: all children of a packed struct, whatever is wanted of it.
    let storedType: ArrowType
    let column: Int
    var parts: [Part] = []
    private var ranges: [Range<Int>] = []
    private var slotCount = 0

    var field: LanceField { leaf.field }

    init(
        _ leaf: LeafLayout,
        column: Int,
        ranges wanted: [Range<Int>],
        of file: LanceFileReader
    ) throws(LanceError) {
        self.leaf = leaf
        self.column = column
        storedType = try Self.storedType(leaf.field, file)
        let info = file.columns[column]
        guard leaf.slotsPerRow > 0 || info.rowCount == 0 else {
            throw .unsupported("a fixed-size list of structs of size 0", part: "column \(column)")
        }
        guard info.rowCount == file.rowCount * leaf.slotsPerRow else {
            throw .corrupt("\(info.rowCount) rows in a file of \(file.rowCount)", part: "column \(column)")
        }
        ranges.reserveCapacity(wanted.count)
        var pageRows = 0..<0
        for range in wanted {
            var row = range.lowerBound * leaf.slotsPerRow
            let end = range.upperBound * leaf.slotsPerRow
            slotCount += end - row
            while row < end {
                if !pageRows.contains(row) {
                    let number = info.page(of: row)
                    let page = info.pages[number]
                    pageRows = page.firstRow..<(page.firstRow + page.rowCount)
                    guard pageRows.contains(row) else {
                        throw .corrupt("no page holds row \(row)", part: "column \(column)")
                    }
                    closePart()
                    parts.append(Part(page: number, ranges: ranges.count..<ranges.count))
                }
                let stop = min(end, pageRows.upperBound)
                ranges.append((row - pageRows.lowerBound)..<(stop - pageRows.lowerBound))
                row = stop
            }
        }
        closePart()
    }

    /// The last part has all ranges up to here.
    private func closePart() {
        guard let last = parts.indices.last else { return }
        parts[last].ranges = parts[last].ranges.lowerBound..<ranges.count
    }

    /// The rows of a part.
    func rows(_ part: Int) -> ArraySlice<Range<Int>> { ranges[parts[part].ranges] }

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
    ///
    /// - Parameter first: Number of the read's first part among those of all reads.
    func decode(index: FetchedBytes, data: FetchedBytes, first: Int) throws(LanceError) -> DecodedLeaf {
        var collector: LevelCollector?
        // Nested columns may need more; flat ones exactly this.
        let values = try ValueAccumulator(storedType, capacity: min(slotCount, 1 << 20))
        var blobLayers: [RepDefLayer]?
        for number in parts.indices {
            guard let page = parts[number].prepared else { continue }
            do throws(LanceError) {
                let levels = collector ?? LevelCollector(page.layers)
                collector = levels
                if let blob = page as? BlobPage { blobLayers = blob.blobLayers }
                try page.decode(
                    rows(number),
                    data: data[first + number],
                    index: index[first + number],
                    levels: levels,
                    values: values
                )
            } catch {
                throw located(error, number)
            }
        }
        return DecodedLeaf(self, values, collector?.finish(), blobLayers: blobLayers)
    }

    /// An error met in a part, with column and page.
    func located(_ error: LanceError, _ part: Int) -> LanceError {
        error.located(part: "column \(column) \"\(field.name)\", page \(parts[part].page)")
    }
}
