/// Walks through text that is being parsed; every step is checked against the end.
struct TextCursor {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// The next byte, or nil at the end.
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Steps over `byte` if it is next.
    mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard let next, next == UInt8(truncatingIfNeeded: byte.value) else { return false }
        position += 1
        return true
    }

    /// The value of the next byte if it is a digit, stepping over it.
    @inline(__always)
    mutating func digit() -> UInt8? {
        guard position < bytes.count else { return nil }
        let value = bytes[position] &- UInt8(ascii: "0")
        guard value <= 9 else { return nil }
        position += 1
        return value
    }

    /// The power of ten behind an `e`; 0 when there is none, nil when no digits follow it. Capped at a billion.
    mutating func exponent() -> Int? {
        guard take("e") || take("E") else { return 0 }
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        var value = 0
        var count = 0
        while let digit = digit() {
            value = Swift.min(value * 10 + Int(digit), 1_000_000_000)
            count += 1
        }
        guard count > 0 else { return nil }
        return isNegative ? -value : value
    }

    /// A number of exactly `count` digits.
    mutating func number(digits count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// `Z`, `+HH`, `+HHMM` or `+HH:MM` as minutes east of UTC.
    mutating func zoneOffset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign: Int
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = number(digits: 2), hours < 24 else { return nil }
        var minutes = 0
        if take(":") {
            guard let number = number(digits: 2) else { return nil }
            minutes = number
        } else if next != nil {
            guard let number = number(digits: 2) else { return nil }
            minutes = number
        }
        return minutes < 60 ? sign * (hours * 60 + minutes) : nil
    }
}
