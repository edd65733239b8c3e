import LancerBytes

extension ArrowText {
    /// Appends UTF-8 text as a JSON string, quotes included (RFC 8259: quote, backslash and control characters escaped).
    public static func append(jsonString utf8: UnsafeRawBufferPointer, to text: inout BufferBuilder) {
        text.append(UInt8(ascii: "\""))
        var start = 0
        var index = 0
        while index < utf8.count {
            if utf8.count - index >= 8, !needsEscape(utf8.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
                index += 8
                continue
            }
            let byte = utf8[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                index += 1
                continue
            }
            text.append(UnsafeRawBufferPointer(rebasing: utf8[start..<index]))
            appendEscape(byte, to: &text)
            index += 1
            start = index
        }
        if start < utf8.count { text.append(UnsafeRawBufferPointer(rebasing: utf8[start...])) }
        text.append(UInt8(ascii: "\""))
    }

    /// Appends text as a JSON string, quotes included.
    public static func append(jsonString string: String, to text: inout BufferBuilder) {
        var string = string
        string.withUTF8 { append(jsonString: UnsafeRawBufferPointer($0), to: &text) }
    }

    /// Text as a JSON string, quotes included.
    package static func json(quoting string: String) -> String {
        var text = BufferBuilder()
        append(jsonString: string, to: &text)
        return String(decoding: text.finish().bytes, as: UTF8.self)
    }

    /// Whether one of eight bytes is a control character, a quote or a backslash (may say yes too often).
    @inline(__always)
    private static func needsEscape(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let quotes = word ^ (ones &* 0x22)
        let slashes = word ^ (ones &* 0x5C)
        let control = (word &- ones &* 0x20) & ~word
        let found = control | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)
        return found & highs != 0
    }

    private static func appendEscape(_ byte: UInt8, to text: inout BufferBuilder) {
        text.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case 0x08: text.append(UInt8(ascii: "b"))
        case 0x09: text.append(UInt8(ascii: "t"))
        case 0x0A: text.append(UInt8(ascii: "n"))
        case 0x0C: text.append(UInt8(ascii: "f"))
        case 0x0D: text.append(UInt8(ascii: "r"))
        default:
            append("u00", to: &text)
            text.append(hexDigits[Int(byte >> 4)])
            text.append(hexDigits[Int(byte & 15)])
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
    private static let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Appends bytes in base64 (RFC 4648, section 4, with padding).
    public static func append(base64 bytes: UnsafeRawBufferPointer, to text: inout BufferBuilder) {
        text.append(upTo: (bytes.count + 2) / 3 * 4) { target in
            var position = 0
            base64Digits.withUnsafeBufferPointer { digits in
                var index = 0
                while index < bytes.count {
                    let left = bytes.count - index
                    let first = UInt32(bytes[index]) << 16
                    let second = left > 1 ? UInt32(bytes[index + 1]) << 8 : 0
                    let group = first | second | (left > 2 ? UInt32(bytes[index + 2]) : 0)
                    target[position] = digits[Int(group >> 18)]
                    target[position + 1] = digits[Int(group >> 12 & 63)]
                    target[position + 2] = left > 1 ? digits[Int(group >> 6 & 63)] : UInt8(ascii: "=")
                    target[position + 3] = left > 2 ? digits[Int(group & 63)] : UInt8(ascii: "=")
                    position += 4
                    index += 3
                }
            }
            return position
        }
    }

    /// Bytes from base64, padded or not; nil when there is anything else in the text.
    public static func parseBase64(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var count = text.count
        var padding = 0
        while padding < 2, count > 0, text[count - 1] == UInt8(ascii: "=") {
            count -= 1
            padding += 1
        }
        guard count % 4 != 1, padding == 0 || (count + padding) % 4 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(count / 4 * 3 + 2)
        var group: UInt32 = 0
        for index in 0..<count {
            guard let digit = base64Value(text[index]) else { return nil }
            group = group << 6 | digit
            if index % 4 == 3 {
                result.append(UInt8(truncatingIfNeeded: group >> 16))
                result.append(UInt8(truncatingIfNeeded: group >> 8))
                result.append(UInt8(truncatingIfNeeded: group))
                group = 0
            }
        }
        switch count % 4 {
        case 2: result.append(UInt8(truncatingIfNeeded: group >> 4))
        case 3:
            result.append(UInt8(truncatingIfNeeded: group >> 10))
            result.append(UInt8(truncatingIfNeeded: group >> 2))
        default: break
        }
        return result
    }

    private static func base64Value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
