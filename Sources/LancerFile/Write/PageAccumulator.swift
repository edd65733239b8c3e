import LancerArrow
import LancerBytes

/// Rows of one leaf column on their way to become a page.
struct PageAccumulator {
    /// Rows that fill a page.
    struct Page: Sendable {
        var column: Int
        var arrays: [ArrowArray]
        var firstRow: Int
        var sizeInBytes: Int
    }

    let column: Int
    private(set) var arrays: [ArrowArray] = []
    private(set) var sizeInBytes = 0
    private var rows = 0
    private var firstRow = 0

    /// Pieces of fewer rows are joined, so that tiny batches do not cost more than their rows.
    private static let smallPieceRows = 1024

    init(column: Int) { self.column = column }

    /// Adds rows; complete pages are appended to `pages`.
    mutating func append(_ array: ArrowArray, pageBytes: Int, to pages: inout [Page]) throws(LanceError) {
        var rest = array
        while rest.length > 0 {
            let size = rest.sizeInBytes
            if sizeInBytes + size < pageBytes {
                try add(rest, size)
                return
            }
            // Cut at about a page; values of very different sizes make pages of different sizes, which is harmless.
            let perRow = Swift.max(1, size / rest.length)
            let count = Swift.min(rest.length, Swift.max(1, (pageBytes - sizeInBytes) / perRow))
            let piece = rest.slice(0..<count)
            try add(piece, piece.sizeInBytes)
            rest = rest.slice(count..<rest.length)
            if sizeInBytes >= pageBytes / 2 || rest.length > 0 { flush(to: &pages) }
        }
    }

    private mutating func add(_ array: ArrowArray, _ size: Int) throws(LanceError) {
        rows += array.length
        var array = array.withoutUnusedMemory()
        // Like counting in binary: every row is copied a few times at most. Dictionaries wait for the page.
        while let last = arrays.last, last.length <= array.length, last.length < Self.smallPieceRows,
            !array.type.containsDictionary
        {
            array = try ArrowArray.concatenating([arrays.removeLast(), array])
        }
        arrays.append(array)
        sizeInBytes += size
    }

    /// Makes a page of what is there.
    mutating func flush(to pages: inout [Page]) {
        guard rows > 0 else { return }
        pages.append(Page(column: column, arrays: arrays, firstRow: firstRow, sizeInBytes: sizeInBytes))
        firstRow += rows
        rows = 0
        arrays = []
        sizeInBytes = 0
    }
}

extension ArrowArray {
    /// The array itself, or a copy where its buffers are small parts of large memory that would be kept alive by them:
    /// a narrow column waits for its page much longer than the wide ones it came with.
    fileprivate func withoutUnusedMemory() -> ArrowArray {
        let storage: Storage =
            switch self.storage {
            case .null: .null
            case .boolean(let bits): .boolean(bits.withoutUnusedMemory())
            case .fixedWidth(let bytes): .fixedWidth(bytes.withoutUnusedMemory())
            case .variableWidth(let offsets, let data): trimmed(offsets, data)
            case .list(let offsets, let child):
                .list(offsets: offsets.withoutUnusedMemory(), child: child.withoutUnusedMemory())
            case .fixedSizeList(let child): .fixedSizeList(child: child.withoutUnusedMemory())
            case .structure(let children): .structure(children.map { $0.withoutUnusedMemory() })
            case .dictionary(let indices, let values):
                .dictionary(indices: indices.withoutUnusedMemory(), values: values)
            }
        return ArrowArray(type: type, length: length, validity: validity?.withoutUnusedMemory(), storage: storage)
    }

    private func trimmed(_ offsets: ArrowBuffer, _ data: ArrowBuffer) -> Storage {
        let range = offsetRange()
        guard range.lowerBound >= 0, range.upperBound <= data.count,
            data.slice(range).storage.capacity > 8 * range.count + 4096
        else { return .variableWidth(offsets: offsets.withoutUnusedMemory(), data: data) }
        // The bytes are copied without what lies before them, so the offsets move to 0.
        let bytes = data.slice(range).withUnsafeBytes { ArrowBuffer(copying: $0) }
        let width = type.offsetWidth ?? 4
        let moved = ArrowBuffer(count: (length + 1) * width) { target in
            for index in 0...length {
                let offset = (length == 0 ? 0 : offsets.offset(at: index, width: width)) - range.lowerBound
                if width == 4 {
                    target.storeBytes(of: Int32(truncatingIfNeeded: offset), toByteOffset: index * 4, as: Int32.self)
                } else {
                    target.storeBytes(of: Int64(offset), toByteOffset: index * 8, as: Int64.self)
                }
            }
        }
        return .variableWidth(offsets: moved, data: bytes)
    }
}

extension ArrowBuffer {
    fileprivate func withoutUnusedMemory() -> ArrowBuffer {
        storage.capacity > 8 * count + 4096 ? withUnsafeBytes { ArrowBuffer(copying: $0) } : self
    }
}

extension Bitmap {
    fileprivate func withoutUnusedMemory() -> Bitmap {
        buffer.storage.capacity > count + 4096 ? compacted() : self
    }
}

extension ArrowType {
    /// Whether a dictionary is in the type.
    fileprivate var containsDictionary: Bool {
        if case .dictionary = self { return true }
        return children.contains { $0.type.containsDictionary }
    }
}
