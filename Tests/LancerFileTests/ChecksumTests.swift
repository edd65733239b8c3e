import LancerArrow
import LancerBytes
import LancerFile
import LancerTestSupport
import Synchronization
import Testing

@Suite("Checksums of data files")
struct ChecksumTests {
    /// All columns, compared with the checksums.
    private static func readAll(_ bytes: ArrowBuffer, _ use: ChecksumUse) async throws -> [ArrowArray] {
        let reader = try await LanceFileReader.open(MemoryRangeSource(bytes)).comparing(use)
        return try await reader.read(
            reader.schema.fields,
            columnOf: RoundTripTests.columnOf(reader.schema),
            rows: 0..<reader.rowCount
        )
    }

    @Test("no flipped bit of a small file gives another answer", arguments: FileVersion.allCases)
    func everyBit(version: FileVersion) async throws {
        let whole = try await DamageTests.file(version)
        let expected = try await Self.readAll(whole, .allTouched)
        var bytes = whole.bytes
        var (refused, same) = (0, 0)
        for bit in 0..<(bytes.count * 8) {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            do {
                let arrays = try await Self.readAll(ArrowBuffer(bytes), .allTouched)
                same += 1
                let isSame =
                    arrays.count == expected.count && zip(arrays, expected).allSatisfy { $0.isEqual(to: $1) }
                if !isSame { Issue.record("bit \(bit % 8) of byte \(bit / 8) of \(bytes.count) changes the answer") }
            } catch is LanceError {
                refused += 1
            }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        print("ChecksumTests \(version): \(refused) flipped bits refused, \(same) without effect")
        #expect(refused > same * 100)
    }

    /// A source that notes what is read.
    private final class NotingSource: RangeSource {
        let base: MemoryRangeSource
        let ranges = Mutex<[Range<UInt64>]>([])

        init(_ bytes: ArrowBuffer) { base = MemoryRangeSource(bytes) }

        var path: String { "memory" }
        var size: UInt64 { base.size }

        func read(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer] {
            self.ranges.withLock { $0 += ranges }
            return try await base.read(ranges)
        }

        func taken() -> [Range<UInt64>] {
            ranges.withLock { ranges in
                defer { ranges = [] }
                return ranges
            }
        }
    }

    /// 100,000 random numbers in one page: 800 kB that cannot be packed.
    private static func numbers(_ options: FileWriteOptions = FileWriteOptions()) throws -> ArrowBuffer {
        var random = SplitMix64(seed: 5)
        let schema = ArrowSchema([ArrowField("n", .int64)])
        let values = (0..<100_000).map { _ in Int64.random(in: .min ... .max, using: &random) }
        let batch = try RecordBatch(schema: schema, columns: [.int64(values)])
        let sink = MemorySink()
        var writer = try LanceFileWriter(
            schema: try LanceSchema(arrow: schema),
            version: .v2_2,
            sink: sink,
            options: options
        )
        try writer.write(batch)
        _ = try writer.finish()
        return sink.buffer
    }

    @Test("a scan reads blocks as a whole, each end once; a take reads what it needs")
    func extent() async throws {
        let source = NotingSource(try Self.numbers())
        let reader = try await LanceFileReader.open(source)
        let columnOf = RoundTripTests.columnOf(reader.schema)
        let scan = reader.comparing(.allTouched)
        let take = reader.comparing(.wholeBlocks)
        _ = source.taken()
        _ = try await take.take(reader.schema.fields, columnOf: columnOf, rows: [50_000])
        #expect(source.taken().reduce(0) { $0 + $1.count } < 16384)
        _ = try await scan.read(reader.schema.fields, columnOf: columnOf, rows: 20_000..<40_000)
        #expect(source.taken().allSatisfy { $0.lowerBound % 65536 == 0 && $0.upperBound % 65536 == 0 })
        _ = try await scan.read(reader.schema.fields, columnOf: columnOf, rows: 20_000..<40_000)
        // Now its blocks are known to be good, so that nothing beside it is read.
        #expect(source.taken().reduce(0) { $0 + $1.count } < 20_000 * 8 + 16384)
    }

    @Test("damage is found where it is read, and by a check of the whole file")
    func damage() async throws {
        let whole = try Self.numbers()
        var bytes = whole.bytes
        bytes[400_000] ^= 1
        let reader = try await LanceFileReader.open(MemoryRangeSource(ArrowBuffer(bytes)))
        let columnOf = RoundTripTests.columnOf(reader.schema)
        let scan = reader.comparing(.allTouched)
        _ = try await scan.read(reader.schema.fields, columnOf: columnOf, rows: 0..<1000)
        await #expect(throws: LanceError(.corrupt, "")) {
            _ = try await scan.read(reader.schema.fields, columnOf: columnOf, rows: 0..<100_000)
        }
        let unchecked = reader.comparing(.off)
        _ = try await unchecked.read(reader.schema.fields, columnOf: columnOf, rows: 0..<100_000)
        var bad: [Range<UInt64>] = []
        try await reader.checksums?.checkAll { bad.append($0) }
        let block: Range<UInt64> = 393_216..<458_752
        #expect(bad == [block])
    }

    @Test("equal rows give equal bytes; a file without checksums is read all the same")
    func bytes() async throws {
        #expect(try Self.numbers().bytes == Self.numbers().bytes)
        var options = FileWriteOptions()
        options.checksums = false
        let reader = try await LanceFileReader.open(MemoryRangeSource(try Self.numbers(options)))
        #expect(reader.checksums == nil && reader.globalBuffers.count == 1)
        let columnOf = RoundTripTests.columnOf(reader.schema)
        let rows = try await reader.comparing(.allTouched)
            .read(reader.schema.fields, columnOf: columnOf, rows: 0..<reader.rowCount)
        #expect(rows[0].length == 100_000)
    }

    @Test("checksums come last among the global buffers")
    func globalBuffers() async throws {
        let schema = ArrowSchema([ArrowField("n", .int64)])
        let sink = MemorySink()
        var writer = try LanceFileWriter(schema: try LanceSchema(arrow: schema), version: .v2_1, sink: sink)
        try writer.write(try RecordBatch(schema: schema, columns: [.int64([1, 2, 3])]))
        #expect(try writer.addGlobalBuffer(ArrowBuffer(Array("extra".utf8))) == 1)
        _ = try writer.finish()
        let reader = try await LanceFileReader.open(MemoryRangeSource(sink.buffer))
        #expect(reader.globalBuffers.count == 3 && reader.checksums != nil)
        #expect(try await reader.globalBuffer(1).bytes == Array("extra".utf8))
    }
}
