import LancerArrow
import LancerBytes
import LancerParquet
import LancerTestSupport
import Testing

@Suite("Levels eight at a time")
struct LevelBytesTests {
    /// Levels of all kinds: few values, runs, and ones above 127, which no word holds a carry for.
    private static func levels(_ count: Int, _ highest: UInt8, _ random: inout SplitMix64) -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count {
            let level = UInt8.random(in: 0...highest, using: &random)
            let run = Bool.random(using: &random) ? 1 : Int.random(in: 1...40, using: &random)
            result += repeatElement(level, count: min(run, count - result.count))
        }
        return result
    }

    @Test("counts and bits are those found one by one", arguments: [1, 2, 3, 8, 127, 128, 255] as [UInt8])
    func sameAsOneByOne(highest: UInt8) {
        var random = SplitMix64(seed: UInt64(highest))
        for count in [0, 1, 7, 8, 9, 63, 64, 65, 1000, 8 * 255 * 3 + 5, 10_000] {
            let definitions = Self.levels(count, highest, &random)
            let repetitions = Self.levels(count, min(highest, 3), &random)
            let (deepBytes, againBytes) = (ArrowBuffer(definitions), ArrowBuffer(repetitions))
            let (deep, again) = (deepBytes.start, againBytes.start)
            for least in [0, 1, 2, highest / 2, highest, highest == .max ? highest : highest + 1] {
                #expect(LevelBytes.count(deep, count, atLeast: least) == definitions.count { $0 >= least })
                let (bits, set) = LevelBytes.bits(deep, count, atLeast: least)
                let expected = definitions.map { $0 >= least }
                #expect((0..<bits.count).map { bits[$0] } == expected)
                #expect(set == expected.count { $0 })
                for below in [0, 1, 3, 255] as [UInt8] {
                    let chosen = LevelBytes.Selection(definition: highest / 2, repetition: below)
                    let places = (0..<count).filter { definitions[$0] >= highest / 2 && repetitions[$0] <= below }
                    #expect(LevelBytes.count(deep, again, count, chosen) == places.count)
                    let (some, ones) = LevelBytes.bits(deep, again, count, chosen, atLeast: least)
                    let wanted = places.map { definitions[$0] >= least }
                    #expect((0..<some.count).map { some[$0] } == wanted)
                    #expect(ones == wanted.count { $0 })
                }
            }
            withExtendedLifetime((deepBytes, againBytes)) {}
        }
    }
}
