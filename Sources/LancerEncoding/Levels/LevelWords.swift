/// Counts 16-bit levels four at a time, in the lanes of a word.
///
/// Levels are below 0x8000: adding 0x7FFF to a lane carries into its top bit, and not beyond, unless it is 0. A compiler
/// makes a branch a level of the plain loop, which took a tenth of the time to write lists.
package enum LevelWords {
    private static let tops: UInt64 = 0x8000_8000_8000_8000
    private static let rest: UInt64 = 0x7FFF_7FFF_7FFF_7FFF
    private static let ones: UInt64 = 0x0001_0001_0001_0001
    /// Words whose lanes can be counted before a lane is full.
    private static let block = 1 << 14

    /// How many lanes are not 0, summed over words; `word` gives four levels from an index on.
    @inline(__always)
    private static func nonzero(_ range: Range<Int>, _ word: (Int) -> UInt64, _ level: (Int) -> UInt16) -> Int {
        var total = 0
        var index = range.lowerBound
        let whole = range.lowerBound &+ range.count / 4 &* 4
        while index < whole {
            var lanes: UInt64 = 0
            let end = Swift.min(whole, index &+ 4 &* block)
            while index < end {
                lanes &+= ((word(index) &+ rest) & tops) &>> 15
                index &+= 4
            }
            total &+= Int(truncatingIfNeeded: lanes & 0xFFFF) &+ Int(truncatingIfNeeded: lanes &>> 16 & 0xFFFF)
            total &+= Int(truncatingIfNeeded: lanes &>> 32 & 0xFFFF) &+ Int(truncatingIfNeeded: lanes &>> 48)
        }
        while index < range.upperBound {
            total &+= level(index) == 0 ? 0 : 1
            index &+= 1
        }
        return total
    }

    @inline(__always)
    private static func four(_ levels: UnsafePointer<UInt16>, _ index: Int) -> UInt64 {
        UnsafeRawPointer(levels).loadUnaligned(fromByteOffset: index &* 2, as: UInt64.self)
    }

    /// How many of the levels in `range` are `value`.
    package static func count(_ levels: UnsafePointer<UInt16>, _ range: Range<Int>, equalTo value: UInt16) -> Int {
        let pattern = UInt64(value) &* ones
        return range.count
            - nonzero(range) {
                four(levels, $0) ^ pattern
            } _: {
                levels[$0] ^ value
            }
    }

    /// How many of the levels in `range` but the first differ from the one before.
    package static func changes(_ levels: UnsafePointer<UInt16>, _ range: Range<Int>) -> Int {
        guard range.count > 1 else { return 0 }
        return nonzero((range.lowerBound + 1)..<range.upperBound) {
            four(levels, $0) ^ four(levels, $0 &- 1)
        } _: {
            levels[$0] ^ levels[$0 &- 1]
        }
    }
}
