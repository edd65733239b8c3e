import LancerArrow
import LancerBytes
import LancerCodecs

extension DeletionVector {
    /// Most rows that are written one by one; more become a bitmap. The reference's border.
    static let mostRowsInArrowFile = 5000

    /// The kind of file that fits the number of rows.
    var kind: DeletionFile.Kind { count <= Self.mostRowsInArrowFile ? .arrow : .bitmap }

    /// The bytes of a deletion file. Spec: 10-table.md, "Deletion files".
    ///
    /// - Throws: what writing to memory can: `limitExceeded`.
    func serialized(_ kind: DeletionFile.Kind) throws(LanceError) -> ArrowBuffer {
        switch kind {
        case .bitmap: return RoaringBitmap(sortedValues: offsets).serialized()
        case .arrow:
            let schema = ArrowSchema([ArrowField("row_id", .uint32, nullable: false)])
            let sink = MemorySink()
            var writer = try ArrowIPCFileWriter(schema: schema, sink: sink)
            try writer.write(try RecordBatch(schema: schema, columns: [.uint32(offsets)]))
            try writer.finish()
            return sink.buffer
        }
    }
}
