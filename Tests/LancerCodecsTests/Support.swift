import LancerBytes
import LancerCodecs

/// A small repeatable random generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func bytes(_ count: Int, alphabet: ClosedRange<UInt8> = 0...255) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: alphabet, using: &self) }
    }
}

/// The bytes that a string of hexadecimal digits (blanks allowed) stands for.
func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text where !character.isWhitespace {
        guard let digit = character.hexDigitValue else { continue }
        if let first = high {
            bytes.append(first << 4 | UInt8(digit))
            high = nil
        } else {
            high = UInt8(digit)
        }
    }
    return bytes
}

/// Calls `body` with every proper prefix of `bytes` and with `flips` copies that have one to three damaged bytes.
func withDamaged(_ bytes: [UInt8], flips: Int, seed: UInt64, _ body: (ArrowBuffer) -> Void) {
    for count in 0..<bytes.count { body(ArrowBuffer(Array(bytes[..<count]))) }
    guard !bytes.isEmpty else { return }
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<flips {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            damaged[Int.random(in: 0..<damaged.count, using: &generator)] ^=
                UInt8.random(in: 1...255, using: &generator)
        }
        body(ArrowBuffer(damaged))
    }
}

/// Strings as offsets that start at 0 and bytes.
func variable(_ values: [[UInt8]]) -> (offsets: [Int32], data: [UInt8]) {
    var offsets: [Int32] = [0]
    var data: [UInt8] = []
    for value in values {
        data += value
        offsets.append(Int32(data.count))
    }
    return (offsets, data)
}

/// FNV-1a, 64 bits: a checksum of bytes too many to write down.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
