import LancerArrow
import LancerBytes
import LancerParquet
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
