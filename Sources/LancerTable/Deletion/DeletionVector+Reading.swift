import LancerArrow
import LancerBytes
import LancerCodecs

extension DeletionVector {
    /// Decodes the bytes of a deletion file.
    ///
    /// - Parameter rowCount: Rows of the fragment; every deleted offset must be below.
    /// - Throws: `corrupt`, `truncated`, `unsupported`.
    init(_ bytes: ArrowBuffer, kind: DeletionFile.Kind, rowCount: Int) throws(LanceError) {
        switch kind {
        case .arrow: self.init(sortedOffsets: try Self.offsets(inArrowFile: bytes))
        case .bitmap:
            let bitmap = try RoaringBitmap(serialized: bytes)
            guard bitmap.count <= rowCount else {
                throw .corrupt("the deletion file names \(bitmap.count) rows of \(rowCount)")
            }
            self.init(sortedOffsets: bitmap)
        }
        guard upperBound <= rowCount else {
            throw .corrupt("the deletion file names row \(upperBound - 1) of \(rowCount)")
        }
    }

    private static func offsets(inArrowFile bytes: ArrowBuffer) throws(LanceError) -> [UInt32] {
        var reader = try ArrowIPCFileReader(BufferSource(bytes))
        guard reader.schema.fields.count == 1, reader.schema.fields[0].type == .uint32 else {
            throw .corrupt("a deletion file has one uint32 column, this one: \(reader.schema)")
        }
        var offsets: [UInt32] = []
        while let batch = try reader.next() {
            let column = batch.columns[0]
            guard column.nullCount == 0, case .fixedWidth(let values) = column.storage else {
                throw .corrupt("a deletion file has nulls")
            }
            values.aligned(to: 4).withValues(of: UInt32.self) { offsets.append(contentsOf: $0) }
        }
        offsets.sort()
        return offsets
    }
}
