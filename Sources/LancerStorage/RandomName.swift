/// Names nobody else uses.
package enum RandomName {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Random bytes as lower-case hexadecimal digits.
    package static func hex(bytes count: Int) -> String { hex(randomBytes(count)) }

    /// `count` random bytes.
    package static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// A random 64-bit number.
    package static func number() -> UInt64 { UInt64.random(in: 0...UInt64.max) }

    /// Bytes as lower-case hexadecimal digits.
    package static func hex(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A random UUID (version 4) in its usual spelling.
    package static func uuid() -> String {
        var bytes = randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return spelled(bytes)
    }

    /// The usual spelling of the 16 bytes of a UUID; nil for another number of bytes.
    package static func uuid(_ bytes: [UInt8]) -> String? { bytes.count == 16 ? spelled(bytes) : nil }

    private static func spelled(_ bytes: [UInt8]) -> String {
        let text = hex(bytes)
        var parts: [Substring] = []
        var rest = Substring(text)
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
