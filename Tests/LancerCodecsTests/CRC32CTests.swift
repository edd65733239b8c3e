import CChecksum
import LancerBytes
import LancerCodecs
import LancerTestSupport
import Testing

@Suite("CRC-32C")
struct CRC32CTests {
    @Test("known answers of RFC 3720")
    func knownAnswers() {
        func check(_ bytes: [UInt8], _ expected: UInt32) {
            #expect(bytes.withUnsafeBytes { CRC32C.checksum(of: $0) } == expected)
        }
        check(Array("123456789".utf8), 0xE306_9283)
        check([UInt8](repeating: 0, count: 32), 0x8A91_36AA)
        check([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43)
        check(Array(0..<32), 0x46DD_794E)
        check([], 0)
    }

    @Test("all ways give the same answer, for every length and alignment")
    func allWays() {
        var random = SplitMix64(seed: 32)
        let bytes = (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        for trial in 0..<3000 {
            let start = random.int(0...70)
            let count = trial < 2100 ? trial : random.int(0...200_000)
            let begin = UInt32.random(in: 0...UInt32.max, using: &random)
            bytes.withUnsafeBytes { all in
                let part = UnsafeRawBufferPointer(rebasing: all[start..<(start + count)])
                let slow = lancer_crc32c_in_way(0, begin, part.baseAddress, part.count)
                for way in 1...2 {
                    let fast = lancer_crc32c_in_way(Int32(way), begin, part.baseAddress, part.count)
                    if fast != slow { Issue.record("way \(way), \(count) bytes at \(start)") }
                }
            }
        }
    }

    @Test("parts one after the other give the checksum of the whole")
    func parts() {
        var random = SplitMix64(seed: 33)
        let buffer = ArrowBuffer((0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) })
        for _ in 0..<100 {
            let cut = random.int(0...buffer.count)
            let first = CRC32C.checksum(of: buffer.slice(0..<cut))
            #expect(CRC32C.checksum(of: buffer.slice(cut..<buffer.count), after: first) == CRC32C.checksum(of: buffer))
        }
    }
}
