import LancerBytes
import LancerCodecs
import LancerTestSupport
import Testing

@Suite("Snappy and gzip")
struct SnappyGzipTests {
    /// Noise, text with repeats near and far, and runs, in sizes around the borders of the formats.
    private static func samples() -> [[UInt8]] {
        var random = SplitMix64(seed: 41)
        var result: [[UInt8]] = [[], [7], Array("abcabcabcabcabcabcabc".utf8)]
        for count in [15, 16, 17, 59, 60, 61, 64, 65, 255, 256, 257, 65535, 65536, 65537, 200_000] {
            result.append((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
            result.append([UInt8](repeating: 3, count: count))
            let words = (0..<50).map { Array("word\($0 * $0)".utf8) }
            var text: [UInt8] = []
            while text.count < count { text += words[Int.random(in: 0..<50, using: &random)] }
            result.append(Array(text.prefix(count)))
        }
        return result
    }

    @Test("what is compressed comes back")
    func roundTrip() throws {
        for sample in Self.samples() {
            let bytes = ArrowBuffer(sample)
            let snappy = try bytes.withUnsafeBytes { (bytes) throws(LanceError) in try Snappy.compress(bytes) }
            #expect(snappy.count <= sample.count + sample.count / 60 + 32)
            let back = try snappy.withUnsafeBytes { (bytes) throws(LanceError) in
                try Snappy.decompress(bytes, uncompressedSize: sample.count)
            }
            #expect(back.bytes == sample)
            let gzip = try bytes.withUnsafeBytes { (bytes) throws(LanceError) in try Gzip.compress(bytes) }
            let again = try gzip.withUnsafeBytes { (bytes) throws(LanceError) in
                try Gzip.decompress(bytes, uncompressedSize: sample.count)
            }
            #expect(again.bytes == sample)
        }
    }

    @Test("gzip members that follow each other are one")
    func members() throws {
        let part = ArrowBuffer(Array("hello, ".utf8))
        let member = try part.withUnsafeBytes { (bytes) throws(LanceError) in try Gzip.compress(bytes) }
        let two = ArrowBuffer(member.bytes + member.bytes)
        let back = try two.withUnsafeBytes { (bytes) throws(LanceError) in
            try Gzip.decompress(bytes, uncompressedSize: 14)
        }
        #expect(back.bytes == Array("hello, hello, ".utf8))
    }

    @Test("damaged Snappy data gives an error or other bytes, sizes that cannot be are refused")
    func damage() throws {
        var random = SplitMix64(seed: 42)
        let sample = ArrowBuffer(Array("the cat and the dog and the cat and the bird".utf8))
        let good = try sample.withUnsafeBytes { (bytes) throws(LanceError) in try Snappy.compress(bytes) }
        for _ in 0..<20_000 {
            var bytes = good.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            let length = Int.random(in: 0...bytes.count, using: &random)
            _ = try? ArrowBuffer(Array(bytes.prefix(length))).withUnsafeBytes { (bytes) throws(LanceError) in
                try Snappy.decompress(bytes, uncompressedSize: sample.count)
            }
        }
        #expect(throws: LanceError(.corrupt, "")) {
            try good.withUnsafeBytes { _ = try Snappy.decompress($0, uncompressedSize: 1 << 40) }
        }
        #expect(throws: LanceError(.corrupt, "")) {
            try good.withUnsafeBytes { _ = try Gzip.decompress($0, uncompressedSize: 1 << 40) }
        }
    }

    @Test("the checksum is that of gzip")
    func checksum() {
        #expect(Array("123456789".utf8).withUnsafeBytes { CRC32.of($0) } == 0xCBF4_3926)
    }
}
