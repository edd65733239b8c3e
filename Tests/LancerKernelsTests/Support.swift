import LancerKernels
import Testing

/// Runs `body` at every level this machine has; a level chosen is the calling thread's only, so tests may run side by side.
func atEveryLevel(_ body: (SIMDLevel) throws -> Void) rethrows {
    let before = SIMDLevel.current
    defer { _ = before.use() }
    for level in SIMDLevel.allCases where level.use() { try body(level) }
}

/// Random numbers, the same for the same seed.
struct Random: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func float() -> Float { Float.random(in: -2...2, using: &self) }
    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in float() } }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
}

/// Bytes that start `shift` bytes behind an aligned address, with nothing readable promised behind their end.
final class Shifted {
    let raw: UnsafeMutableRawPointer
    let start: UnsafeMutableRawPointer

    init(_ bytes: [UInt8], shift: Int) {
        raw = .allocate(byteCount: bytes.count + shift, alignment: 64)
        start = raw + shift
        start.copyMemory(from: bytes, byteCount: bytes.count)
    }

    convenience init(_ floats: [Float], shift: Int) {
        self.init(floats.withUnsafeBytes { Array($0) }, shift: shift)
    }

    convenience init(halves: [UInt16], shift: Int) {
        self.init(halves.withUnsafeBytes { Array($0) }, shift: shift)
    }

    deinit { raw.deallocate() }
}

/// What the kernels should give, in doubles and one thing at a time.
enum Twin {
    static func l2(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> (value: Double, scale: Double) {
        var sum = 0.0
        for (x, y) in zip(a, b) { sum += (Double(x) - Double(y)) * (Double(x) - Double(y)) }
        return (sum, sum)
    }

    static func dot(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> (value: Double, scale: Double) {
        var sum = 0.0
        var scale = 0.0
        for (x, y) in zip(a, b) {
            sum += Double(x) * Double(y)
            scale += abs(Double(x) * Double(y))
        }
        return (sum, scale)
    }

    static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        1 - dot(a, b).value / (dot(a, a).value.squareRoot() * dot(b, b).value.squareRoot())
    }

    /// Bits of a half as a float, by the definition of the format.
    static func widen(_ half: UInt16) -> Float {
        let sign: Float = half >> 15 == 1 ? -1 : 1
        let exponent = Int(half >> 10 & 31)
        let fraction = Float(half & 1023)
        if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
        if exponent == 0 { return sign * fraction * 0x1p-24 }
        return sign * (1 + fraction / 1024) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
}

/// Whether a float is a double to within rounding of a sum of `count` terms of together `scale`.
func isClose(_ value: Float, _ expected: Double, scale: Double, count: Int) -> Bool {
    if expected.isNaN || value.isNaN { return expected.isNaN && value.isNaN }
    if expected.isInfinite || value.isInfinite { return Float(expected) == value }
    return abs(Double(value) - expected) <= scale * Double(count + 8) * 0x1p-24 + 1e-30
}

/// A copy of numbers that stays where it is until the tests end, for views that outlive a call.
func kept<T: BitwiseCopyable>(_ values: [T]) -> UnsafePointer<T> {
    let copy = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
    for (i, value) in values.enumerated() { (copy + i).initialize(to: value) }
    return UnsafePointer(copy)
}
