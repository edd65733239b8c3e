import LancerBytes

/// JSON written as text.
enum JSONText {
    static let null = [UInt8]("null".utf8)
    static let yes = [UInt8]("true".utf8)
    static let no = [UInt8]("false".utf8)

    private static let digits = [UInt8]("0123456789abcdef".utf8)

    /// Appends a string in quotes; quotes, backslashes and controls are escaped, all else stays UTF-8.
    static func append(_ text: TextBytes, into output: inout BufferBuilder) {
        output.reserve(text.count + 2)
        output.append(UInt8(0x22))
        var start = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte >= 0x20, byte != 0x22, byte != 0x5C { continue }
            output.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[start..<index]))
            start = index + 1
            output.append(UInt8(0x5C))
            switch byte {
            case 0x22, 0x5C: output.append(byte)
            case 0x08: output.append(UInt8(0x62))
            case 0x09: output.append(UInt8(0x74))
            case 0x0A: output.append(UInt8(0x6E))
            case 0x0C: output.append(UInt8(0x66))
            case 0x0D: output.append(UInt8(0x72))
            default:
                output.append(contentsOf: [0x75, 0x30, 0x30])
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            }
        }
        output.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(text)[start..<text.count]))
        output.append(UInt8(0x22))
    }

    /// Appends a string in quotes.
    static func append(_ text: [UInt8], into output: inout BufferBuilder) {
        text.withUnsafeBufferPointer { append($0, into: &output) }
    }
}
