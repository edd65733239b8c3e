import LancerArrow
import LancerBytes
import LancerParquet
import LancerTestSupport
import Testing

/// Damaged files give errors or other values, never a trap, and a file cut short is always refused.
@Suite("Damaged Parquet files")
struct DamageTests {
    /// Opens and reads at most a few thousand rows; returns whether that succeeded.
    private static func read(_ bytes: ArrowBuffer) -> Bool {
        do throws(LanceError) {
            var options = ParquetReadOptions()
            options.isParallel = false
            var reader = try ParquetReader(BufferSource(bytes), options: options)
            var rows = 0
            while rows < 1 << 18, let batch = try reader.next() {
                for column in batch.columns { try column.validate() }
                rows += max(batch.rowCount, 1)
            }
            return true
        } catch {
            return false
        }
    }

    @Test("every truncation is refused", arguments: ParquetVectors.small)
    func truncations(name: String) throws {
        let whole = try ParquetVectors.file("\(name).parquet")
        #expect(Self.read(whole))
        for length in 0..<whole.count where Self.read(whole.slice(0..<length)) {
            Issue.record("\(name) of \(whole.count) bytes cut to \(length) was read")
        }
    }

    @Test("random damage to files of random types never traps", arguments: 0..<400)
    func randomDamage(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed) &+ 31_000)
        var types = RandomTypes()
        types.depth = random.int(0...3)
        types.leaves.removeAll { $0 == .timestamp(.second, timezone: nil) }
        let batch = try RandomArrays().batch(
            columns: random.int(1...3),
            rows: random.int(0...60),
            types: types,
            &random
        )
        var options = ParquetWriterTests.options(&random)
        // Checksums would find most of it first.
        options.writesChecksums = false
        let bytes = try ParquetWriterTests.file([batch], options).bytes
        for _ in 0..<12 {
            var damaged = bytes
            for _ in 0..<random.int(1...6) {
                let place = random.int(0...(damaged.count - 1))
                damaged[place] =
                    random.chance(0.5) ? UInt8(random.int(0...255)) : damaged[place] ^ (1 << random.int(0...7))
            }
            if random.chance(0.2) { damaged.removeSubrange(0..<random.int(0...(damaged.count / 2))) }
            _ = Self.read(ArrowBuffer(damaged))
        }
    }

    @Test("no changed byte traps, hangs or takes much memory", arguments: ParquetVectors.small)
    func inversions(name: String) throws {
        let whole = try ParquetVectors.file("\(name).parquet")
        for change: UInt8 in [0xFF, 0x01, 0x80, 0x10] {
            var bytes = whole.bytes
            for position in 0..<whole.count {
                bytes[position] ^= change
                _ = Self.read(ArrowBuffer(bytes))
                bytes[position] ^= change
            }
        }
    }
}
