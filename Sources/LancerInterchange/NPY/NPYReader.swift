import LancerArrow
import LancerBytes

/// Reads a NumPy `.npy` file as one column: an array of one dimension as plain values, of two as fixed-size lists.
///
/// Read are bool, integers and floats of 1 to 8 bytes in either byte order, C order and Fortran order (transposed while
/// it is read). The item field of a matrix is called `item` and nullable, as Lance and pyarrow have it.
package struct NPYReader: RecordBatchReader {
    /// The one column.
    package let schema: ArrowSchema
    /// What the file says of itself.
    package let header: NPYHeader
    /// Number of rows.
    package let rowCount: Int
    /// Bytes of one row in the file.
    package let rowBytes: Int

    private let source: any ByteSource
    private let batchBytes: Int
    private var nextRow = 0

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - source: The whole file.
    ///   - name: Name of the column.
    ///   - batchBytes: About how many bytes of values a batch has.
    /// - Throws: what ``NPYHeader`` throws; `unsupported` for other than one or two dimensions or for empty rows.
    package init(_ source: any ByteSource, name: String, batchBytes: Int = 8 << 20) throws(LanceError) {
        header = try NPYHeader(source)
        self.source = source
        self.batchBytes = Swift.max(batchBytes, 1)
        switch header.shape.count {
        case 1:
            schema = ArrowSchema([ArrowField(name, header.type)])
            rowBytes = header.valueWidth
        case 2:
            let size = header.shape[1]
            guard size > 0, size <= Int(Int32.max) else {
                throw .unsupported("an NPY matrix with rows of \(size) values")
            }
            schema = ArrowSchema([ArrowField(name, .fixedSizeList(ArrowField("item", header.type), size))])
            rowBytes = try size.multiplied(by: header.valueWidth, "NPY row size")
        default:
            throw .unsupported(
                "an NPY array of \(header.shape.count) dimensions; one (a column) or two (vectors) are read"
            )
        }
        rowCount = header.shape[0]
    }

    /// The next batch, or nil at the end.
    package mutating func next() throws(LanceError) -> RecordBatch? {
        guard nextRow < rowCount else { return nil }
        let rows = Swift.min(Swift.max(batchBytes / rowBytes, 1), rowCount - nextRow)
        let column = try read(rows: nextRow..<(nextRow + rows))
        nextRow += rows
        return try RecordBatch(schema: schema, columns: [column], rowCount: rows)
    }

    /// Some of the rows, at any place.
    ///
    /// - Throws: `truncated` when the file ends early, what the source throws.
    package func read(rows: Range<Int>) throws(LanceError) -> ArrowArray {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= rowCount, "rows outside the file")
        var bytes = try header.isFortranOrder ? transposed(rows) : contiguous(rows)
        if header.isBigEndian { bytes = swapped(bytes) }
        let valueCount = bytes.count / header.valueWidth
        let storage: ArrowArray.Storage
        if case .bool = header.type {
            let flags = bytes
            storage = .boolean(flags.withUnsafeBytes { flags in Bitmap(count: valueCount) { flags[$0] != 0 } })
        } else {
            storage = .fixedWidth(bytes.aligned(to: header.valueWidth))
        }
        let values = ArrowArray(type: header.type, length: valueCount, storage: storage)
        if header.shape.count == 1 { return values }
        return ArrowArray(type: schema.fields[0].type, length: rows.count, storage: .fixedSizeList(child: values))
    }

    private func contiguous(_ rows: Range<Int>) throws(LanceError) -> ArrowBuffer {
        // No overflow: the header's check has multiplied all of this.
        try source.read(offset: UInt64(header.dataOffset + rows.lowerBound * rowBytes), count: rows.count * rowBytes)
    }

    /// Rows of a matrix whose columns lie back to back.
    private func transposed(_ rows: Range<Int>) throws(LanceError) -> ArrowBuffer {
        let width = header.valueWidth
        let columns = header.shape[1]
        let rowBytes = self.rowBytes
        return try ArrowBuffer(count: rows.count * rowBytes) { (target) throws(LanceError) in
            guard let start = target.baseAddress else { return }
            for column in 0..<columns {
                let offset = header.dataOffset + (column * rowCount + rows.lowerBound) * width
                let piece = try source.read(offset: UInt64(offset), count: rows.count * width)
                piece.withUnsafeBytes { values in
                    guard let from = values.baseAddress else { return }
                    for row in 0..<rows.count {
                        (start + row * rowBytes + column * width).copyMemory(from: from + row * width, byteCount: width)
                    }
                }
            }
        }
    }

    private func swapped(_ buffer: ArrowBuffer) -> ArrowBuffer {
        func swap<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> ArrowBuffer {
            ArrowBuffer(count: buffer.count) { target in
                buffer.withUnsafeBytes { source in
                    for offset in stride(from: 0, to: source.count, by: MemoryLayout<T>.size) {
                        let value = source.loadUnaligned(fromByteOffset: offset, as: T.self)
                        target.storeBytes(of: value.byteSwapped, toByteOffset: offset, as: T.self)
                    }
                }
            }
        }
        switch header.valueWidth {
        case 2: return swap(UInt16.self)
        case 4: return swap(UInt32.self)
        default: return swap(UInt64.self)
        }
    }
}
