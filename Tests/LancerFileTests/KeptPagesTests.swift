import LancerArrow
import LancerBytes
import LancerFile
import LancerTestSupport
import Synchronization
import Testing

/// Pages that takes come back to stay in memory, within the budget, and answer as the file does.
@Suite("Kept pages")
struct KeptPagesTests {
    /// Bytes in memory that count what is read of them.
    private final class CountingSource: RangeSource {
        let base: MemoryRangeSource
        let bytesRead = Atomic(0)

        init(_ bytes: ArrowBuffer) { base = MemoryRangeSource(bytes) }

        var path: String { "memory" }
        var size: UInt64 { base.size }

        func read(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer] {
            bytesRead.wrappingAdd(ranges.reduce(0) { $0 + $1.count }, ordering: .relaxed)
            return try await base.read(ranges)
        }
    }

    /// Numbers, numbers with nulls, text and lists in pages of some 32 kB.
    private static func file(_ rows: Int, _ version: FileVersion) throws -> (batch: RecordBatch, bytes: ArrowBuffer) {
        var random = SplitMix64(seed: 0xCAFE)
        let arrays = RandomArrays()
        let types: [ArrowType] = [.int64, .int32, .utf8, .list(ArrowField("item", .int16))]
        let fields = types.enumerated().map { ArrowField("c\($0)", $1, nullable: $0 > 0) }
        let columns = fields.map { arrays.array($0, length: rows, &random) }
        let batch = try RecordBatch(schema: ArrowSchema(fields), columns: columns, rowCount: rows)
        let sink = MemorySink()
        var options = FileWriteOptions()
        options.pageBytes = 32 << 10
        var writer = try LanceFileWriter(
            schema: try LanceSchema(arrow: batch.schema),
            version: version,
            sink: sink,
            options: options
        )
        try writer.write(batch)
        _ = try writer.finish()
        return (batch, sink.buffer)
    }

    @Test(
        "takes answer the same before, while and after pages are kept, whatever the budget",
        arguments: FileVersion.allCases,
        [0, 100 << 10, 64 << 20]
    )
    func takes(version: FileVersion, dataByteLimit: Int) async throws {
        let rows = 20_000
        let (batch, bytes) = try Self.file(rows, version)
        let source = CountingSource(bytes)
        let budget = PageCacheBudget(byteLimit: 64 << 20, dataByteLimit: dataByteLimit)
        let reader = try await LanceFileReader.open(source, cache: budget)
        let fields = reader.schema.fields
        let columnOf = RoundTripTests.columnOf(reader.schema)
        var random = SplitMix64(seed: 7)
        for round in 0..<60 {
            let count = [1, 3, 50, 700][round % 4]
            let wanted = (0..<count).map { _ in random.int(0...(rows - 1)) }
            let taken = try await reader.take(fields, columnOf: columnOf, rows: wanted)
            for (index, array) in taken.enumerated() {
                RoundTripTests.check(try batch.columns[index].gather(wanted), array, "round \(round), column \(index)")
            }
        }
        source.bytesRead.store(0, ordering: .relaxed)
        _ = try await reader.take(fields, columnOf: columnOf, rows: [5, 19_999, 777])
        let read = source.bytesRead.load(ordering: .relaxed)
        if dataByteLimit >= bytes.count {
            #expect(read == 0, "everything was taken from often enough to be kept")
        } else if dataByteLimit == 0 {
            #expect(read > 0, "nothing may be kept")
        }
    }
}
