/// A small random generator that gives the same numbers for the same seed everywhere (Steele, Lea, Flood 2014).
package struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    /// A generator that starts at `seed`; print the seed where a test fails.
    package init(seed: UInt64) { state = seed }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A number from `range`.
    package mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True with the given probability.
    package mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }

    /// One of the elements, of which there must be one.
    package mutating func pick<T>(_ elements: [T]) -> T { elements[int(0...(elements.count - 1))] }
}
