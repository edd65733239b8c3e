import LancerBytes
import LancerEncoding
import LancerTestSupport
import Testing

@Suite("Levels four at a time")
struct LevelWordsTests {
    @Test("counts are those found one by one")
    func sameAsOneByOne() {
        var random = SplitMix64(seed: 20_261_121)
        for count in [1, 2, 4, 5, 63, 64, 1000, 70_000, 300_003] {
            let highest = UInt16([1, 2, 9, 0x7FFF].randomElement(using: &random) ?? 1)
            let levels = (0..<count).map { _ in UInt16.random(in: 0...highest, using: &random) }
            let bytes = ArrowBuffer(levels)
            let base = bytes.start.assumingMemoryBound(to: UInt16.self)
            for begin in [0, 1, count / 3] where begin <= count {
                let part = levels[begin...]
                for value in [0, 1, highest] {
                    #expect(LevelWords.count(base, begin..<count, equalTo: value) == part.count { $0 == value })
                }
                let changes = zip(part.dropFirst(), part).count { $0 != $1 }
                #expect(LevelWords.changes(base, begin..<count) == changes)
            }
            withExtendedLifetime(bytes) {}
        }
    }
}
