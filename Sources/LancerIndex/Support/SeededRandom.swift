/// Random numbers that are the same for the same seed on every system (SplitMix64: Steele, Lea, Flood 2014).
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that starts at `seed`.
    package init(seed: UInt64) { state = seed }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in 0..<1.
    package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number in 0..<bound (bound > 0); the bias of the multiplication is far below what sampling can show.
    package mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// `count` different numbers of 0..<total, ascending.
    package mutating func sample(_ count: Int, of total: Int) -> [Int] {
        var chosen: [Int] = []
        chosen.reserveCapacity(min(count, total))
        var wanted = min(count, total)
        // Knuth's algorithm S: each number is taken with probability wanted / left.
        for i in 0..<total where wanted > 0 && below(total - i) < wanted {
            chosen.append(i)
            wanted -= 1
        }
        return chosen
    }

    /// 0..<count in random order.
    package mutating func permutation(_ count: Int) -> [UInt32] {
        var order = (0..<UInt32(count)).map { $0 }
        for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
        return order
    }
}
