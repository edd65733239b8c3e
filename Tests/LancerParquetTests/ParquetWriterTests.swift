import LancerArrow
import LancerBytes
import LancerParquet
import LancerTestSupport
import Testing

@Suite("Writing Parquet files")
struct ParquetWriterTests {
    /// The file that batches become.
    private static func file(_ batches: [RecordBatch], _ options: ParquetWriteOptions) throws -> ArrowBuffer {
        let sink = MemorySink()
        var writer = try ParquetWriter(schema: batches[0].schema, sink: sink, options: options)
        for batch in batches { try writer.write(batch) }
        try writer.finish()
        try writer.finish()
        #expect(writer.bytesWritten == sink.count)
        return sink.buffer
    }

    private static func options(_ random: inout SplitMix64) -> ParquetWriteOptions {
        var options = ParquetWriteOptions()
        options.compression = random.pick([.uncompressed, .snappy, .gzip, .zstd, .lz4Raw])
        options.pageVersion = random.pick([.v1, .v2])
        options.usesDictionary = random.chance(0.7)
        options.dictionaryBytes = random.pick([40, 300, 1 << 20])
        options.pageBytes = random.pick([1, 200, 1 << 20])
        options.pageRows = random.pick([1, 7, 1 << 15])
        options.rowGroupRows = random.pick([1, 13, 1 << 20])
        options.rowGroupBytes = random.pick([1, 5000, 128 << 20])
        options.writesStatistics = random.chance(0.8)
        options.writesChecksums = random.chance(0.8)
        options.isParallel = random.chance(0.5)
        return options
    }

    @Test("batches of any type come back equal, whatever the options", arguments: 0..<300)
    func roundTrip(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed) &+ 9000)
        var types = RandomTypes()
        types.depth = random.int(0...4)
        // Parquet has milliseconds instead: not all moments fit.
        types.leaves.removeAll { $0 == .timestamp(.second, timezone: nil) }
        let rows = random.pick([0, 1, 2, 9, 70, 300])
        let batch = try RandomArrays().batch(columns: random.int(1...4), rows: rows, types: types, &random)
        let options = Self.options(&random)
        let cut = random.int(0...rows)
        let bytes = try Self.file([batch.slice(0..<cut), batch.slice(cut..<rows)], options)
        var reading = ParquetReadOptions()
        reading.batchRows = random.pick([1, 17, 1 << 16])
        let read = try ParquetVectors.read(bytes, options: reading)
        #expect(read.schema == batch.schema, "seed \(seed)")
        #expect(read.rowCount == rows)
        for (field, (got, wanted)) in zip(batch.schema.fields, zip(read.columns, batch.columns)) {
            #expect(got.isEqual(to: wanted), "seed \(seed), column \(field)")
        }
    }
}
