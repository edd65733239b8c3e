import LancerArrow
import LancerBytes

/// Questions about many levels at once: one byte a level, eight of them in a word.
///
/// Adding 128 - n to a byte below 128 carries into its top bit exactly when it is at least n. Levels from 128 on, which
/// no real file has, are looked at one by one.
package enum LevelBytes {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The top bit of every byte of `word` that is at least `least`.
    @inline(__always)
    private static func atLeast(_ word: UInt64, _ least: UInt8) -> UInt64 {
        if word & tops == 0, least <= 128 { return (word &+ ones &* UInt64(128 &- least)) & tops }
        return slowAtLeast(word, least)
    }

    @inline(never)
    private static func slowAtLeast(_ word: UInt64, _ least: UInt8) -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 8)
        where UInt8(truncatingIfNeeded: word >> shift) >= least { result |= 0x80 << shift }
        return result
    }

    /// The top bits of the bytes as one byte.
    @inline(__always)
    private static func gathered(_ tops: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: ((tops &>> 7) &* 0x0102_0408_1020_4080) &>> 56)
    }

    @inline(__always)
    private static func word(_ levels: UnsafeRawPointer, _ index: Int) -> UInt64 {
        UInt64(littleEndian: levels.loadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// Up to seven bytes at the end, zeros behind them.
    private static func lastWord(_ levels: UnsafeRawPointer, _ range: Range<Int>) -> UInt64 {
        var result: UInt64 = 0
        for index in range {
            let byte = levels.load(fromByteOffset: index, as: UInt8.self)
            result |= UInt64(byte) << UInt64(8 * (index - range.lowerBound))
        }
        return result
    }

    /// How many of `count` levels are at least `least`.
    package static func count(_ levels: UnsafeRawPointer, _ count: Int, atLeast least: UInt8) -> Int {
        if least == 0 { return count }
        var total = 0
        let whole = count & ~7
        var index = 0
        while index < whole {
            // Each byte of the word counts its own; full ones are added up.
            var lanes: UInt64 = 0
            let end = min(whole, index &+ 8 &* 255)
            while index < end {
                lanes &+= atLeast(word(levels, index), least) &>> 7
                index &+= 8
            }
            let pairs = (lanes & 0x00FF_00FF_00FF_00FF) &+ (lanes &>> 8 & 0x00FF_00FF_00FF_00FF)
            total &+= Int(truncatingIfNeeded: (pairs &* 0x0001_0001_0001_0001) &>> 48)
        }
        if whole < count { total &+= atLeast(lastWord(levels, whole..<count), least).nonzeroBitCount }
        return total
    }

    /// A bit for each of `count` levels, set where it is at least `least`, and how many are set.
    package static func bits(_ levels: UnsafeRawPointer, _ count: Int, atLeast least: UInt8) -> (Bitmap, set: Int) {
        var set = 0
        let buffer = ArrowBuffer(count: (count + 7) / 8) { room in
            guard let target = room.baseAddress else { return }
            for byte in 0..<(count / 8) {
                let tops = atLeast(word(levels, byte &* 8), least)
                set &+= tops.nonzeroBitCount
                target.storeBytes(of: gathered(tops), toByteOffset: byte, as: UInt8.self)
            }
            guard count % 8 > 0 else { return }
            let rest = (count & ~7)..<count
            let last = gathered(atLeast(lastWord(levels, rest), least)) & (1 << UInt8(rest.count) - 1)
            set += last.nonzeroBitCount
            target.storeBytes(of: last, toByteOffset: count / 8, as: UInt8.self)
        }
        return (Bitmap(buffer, count: count), set)
    }

    /// Which entries stand for a value of a node: those of definition level `definition` at least whose repetition level
    /// is not above `repetition`.
    package struct Selection {
        var definition: UInt8
        var repetition: UInt8

        package init(definition: UInt8, repetition: UInt8) {
            self.definition = definition
            self.repetition = repetition
        }
    }

    /// How many entries are chosen.
    package static func count(
        _ definitions: UnsafeRawPointer,
        _ repetitions: UnsafeRawPointer?,
        _ count: Int,
        _ chosen: Selection
    )
        -> Int
    {
        guard let repetitions, chosen.repetition < .max else {
            return self.count(definitions, count, atLeast: chosen.definition)
        }
        if chosen.definition == 0 { return count - self.count(repetitions, count, atLeast: chosen.repetition + 1) }
        var total = 0
        eachEight(definitions, repetitions, count, chosen) { _, chosen in total &+= chosen.nonzeroBitCount }
        return total
    }

    /// A bit for each entry chosen, set where the definition level is at least `least`, and how many are set.
    package static func bits(
        _ definitions: UnsafeRawPointer,
        _ repetitions: UnsafeRawPointer?,
        _ count: Int,
        _ chosen: Selection,
        atLeast least: UInt8
    ) -> (Bitmap, set: Int) {
        if chosen.definition == 0, repetitions == nil { return bits(definitions, count, atLeast: least) }
        var builder = BitmapBuilder(capacity: count)
        var set = 0
        var pending: UInt64 = 0
        var held = 0
        eachEight(definitions, repetitions, count, chosen) { word, chosen in
            let values = gathered(atLeast(word, least)) & chosen
            let number = chosen.nonzeroBitCount
            set &+= values.nonzeroBitCount
            var packed = UInt64(values)
            if chosen != 0xFF {
                packed = 0
                var left = chosen
                var place: UInt64 = 0
                while left != 0 {
                    packed |= UInt64(values &>> UInt8(truncatingIfNeeded: left.trailingZeroBitCount) & 1) &<< place
                    place &+= 1
                    left &= left &- 1
                }
            }
            pending |= packed &<< UInt64(truncatingIfNeeded: held)
            held &+= number
            if held > 56 {
                builder.append(word: pending, bits: held)
                pending = 0
                held = 0
            }
        }
        if held > 0 { builder.append(word: pending, bits: held) }
        return (builder.finish(), set)
    }

    /// Calls `body` with eight definition levels at a time and a bit for each that is chosen.
    @inline(__always)
    private static func eachEight(
        _ definitions: UnsafeRawPointer,
        _ repetitions: UnsafeRawPointer?,
        _ count: Int,
        _ chosen: Selection,
        _ body: (UInt64, UInt8) -> Void
    ) {
        let isBelow = chosen.repetition < .max
        var index = 0
        while index < count {
            let now = min(8, count - index)
            let isWhole = now == 8
            let range = index..<(index + now)
            let levels = isWhole ? word(definitions, index) : lastWord(definitions, range)
            var kept = gathered(atLeast(levels, chosen.definition))
            if let repetitions, isBelow {
                let repeated = isWhole ? word(repetitions, index) : lastWord(repetitions, range)
                kept &= ~gathered(atLeast(repeated, chosen.repetition &+ 1))
            }
            if !isWhole { kept &= 1 << UInt8(now) - 1 }
            body(levels, kept)
            index += 8
        }
    }
}
