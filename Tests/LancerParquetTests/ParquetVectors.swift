import Foundation
import LancerArrow
import LancerBytes
import LancerParquet

/// Files of `Tests/Vectors/Parquet`, made by `make_vectors.py` there.
enum ParquetVectors {
    static let names = [
        "mixed-snappy", "mixed-gzip", "mixed-lz4", "mixed-zstd", "groups", "encodings", "fallback", "int96",
        "no-columns", "two-levels", "legacy-group", "unannotated",
        "mixes", "decimals", "empty-groups", "annotations", "bit-packed-levels", "lz4-hadoop", "lz4-frame",
        "converted-types", "old-map",
    ]
    /// All but the largest, of which every byte would take too long.
    static let small = names.filter { $0 != "mixes" }

    static func file(_ name: String) throws -> ArrowBuffer {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: tests.appendingPathComponent("Vectors/Parquet/\(name)"))
        return data.withUnsafeBytes { ArrowBuffer(copying: $0) }
    }

    /// What a file holds, by the Arrow stream beside it.
    static func expected(_ name: String) throws -> RecordBatch {
        var reader = try ArrowIPCStreamReader(BufferStream(try file("\(name).arrows")))
        return try reader.next() ?? RecordBatch(schema: reader.schema, columns: [], rowCount: 0)
    }

    /// All rows of a Parquet file, checked.
    static func read(
        _ bytes: ArrowBuffer,
        options: ParquetReadOptions = ParquetReadOptions()
    ) throws -> (schema: ArrowSchema, columns: [ArrowArray], rowCount: Int) {
        var reader = try ParquetReader(BufferSource(bytes), options: options)
        var batches: [RecordBatch] = []
        while let batch = try reader.next() {
            for column in batch.columns { try column.validate() }
            batches.append(batch)
        }
        let columns = try reader.schema.fields.indices.map { index in
            batches.isEmpty
                ? ArrowArray.empty(reader.schema.fields[index].type)
                : try ArrowArray.concatenating(batches.map { $0.columns[index] })
        }
        return (reader.schema, columns, batches.reduce(0) { $0 + $1.rowCount })
    }
}
