import LancerArrow
import LancerBytes
import LancerParquet
import LancerTestSupport
import Testing

@Suite("Writing Parquet files")
struct ParquetWriterTests {
    /// The file that batches become.
    static func file(_ batches: [RecordBatch], _ options: ParquetWriteOptions) throws -> ArrowBuffer {
        let sink = MemorySink()
        var writer = try ParquetWriter(schema: batches[0].schema, sink: sink, options: options)
        for batch in batches { try writer.write(batch) }
        try writer.finish()
        try writer.finish()
        #expect(writer.bytesWritten == sink.count)
        return sink.buffer
    }

    static func options(_ random: inout SplitMix64) -> ParquetWriteOptions {
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

    @Test("what Parquet cannot hold is refused by name")
    func refusals() throws {
        func write(_ array: ArrowArray, nullable: Bool = true) throws {
            let schema = ArrowSchema([ArrowField("c", array.type, nullable: nullable)])
            _ = try Self.file([try RecordBatch(schema: schema, columns: [array])], ParquetWriteOptions())
        }
        func fixed(_ type: ArrowType, _ values: [some BitwiseCopyable]) -> ArrowArray {
            ArrowArray(type: type, length: values.count, storage: .fixedWidth(ArrowBuffer(values)))
        }
        let empty = ArrowArray(type: .structure([]), length: 2, storage: .structure([]))
        #expect(throws: LanceError(.unsupported, "")) { try write(empty) }
        #expect(throws: LanceError(.unsupported, "")) { try write(fixed(.fixedSizeBinary(0), [UInt8]())) }
        #expect(throws: LanceError(.schemaMismatch, "")) { try write(.int32([1, nil]), nullable: false) }
        #expect(throws: LanceError(.invalidArgument, "")) {
            try write(fixed(.timestamp(.second, timezone: nil), [Int64.max]))
        }
        #expect(throws: LanceError(.invalidArgument, "")) { try write(fixed(.date64, [Int64(1)])) }
        #expect(throws: LanceError(.invalidArgument, "")) {
            try write(fixed(.decimal128(precision: 2, scale: 0), [Int64(1000), Int64(0)]))
        }
        try write(fixed(.timestamp(.second, timezone: nil), [Int64.max / 1000]))
        try write(fixed(.date64, [Int64(-86_400_000)]))
    }

    @Test("bounds hold for all values, however they are cut", arguments: 0..<60)
    func bounds(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed) &+ 500)
        var texts: [String?] = []
        for _ in 0..<40 {
            let letters = ["a", "\u{7F}", "\u{D7FF}", "\u{10FFFF}", "é", "\u{0}"]
            texts.append(random.chance(0.1) ? nil : (0..<random.int(0...90)).map { _ in random.pick(letters) }.joined())
        }
        let batch = try RecordBatch(
            schema: ArrowSchema([ArrowField("t", .utf8)]),
            columns: [.utf8(texts)]
        )
        var options = ParquetWriteOptions()
        options.pageRows = random.int(1...15)
        let bytes = try Self.file([batch], options)
        let chunk = try ParquetMetadata.read(BufferSource(bytes)).rowGroups[0].columns[0]
        let values = texts.compactMap { $0.map { Array($0.utf8) } }
        func isBelow(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }
        #expect(chunk.statistics?.minimum == values.min(by: isBelow), "seed \(seed)")
        #expect(chunk.statistics?.maximum == values.max(by: isBelow), "seed \(seed)")
        #expect(chunk.statistics?.nullCount == Int64(texts.count - values.count), "seed \(seed)")
        #expect(chunk.columnIndex != nil && chunk.offsetIndex != nil)
    }
}
