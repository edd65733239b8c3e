/// Operations on single texts, which are UTF-8. A character is a Unicode scalar.
enum TextOperations {
    static func string(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    static func characterCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = 0
        for byte in bytes where byte & 0xC0 != 0x80 { count &+= 1 }
        return count
    }

    /// The bytes of `count` characters (nil: all that follow) from character `start` on, counted from 1; what lies
    /// before the text counts, but is not there.
    static func substring(_ bytes: UnsafeRawBufferPointer, _ start: Int64, _ count: Int64?) -> UnsafeRawBufferPointer {
        let first = Swift.max(start, 1)
        let end = count.map { start.addingReportingOverflow($0) }.map { $0.overflow ? Int64.max : $0.partialValue }
        var character: Int64 = 0
        var from = bytes.count
        var to = bytes.count
        for (index, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            character += 1
            if character == first { from = index }
            if let end, character == end {
                to = index
                break
            }
        }
        if let end, end <= first { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: bytes[from..<Swift.max(from, to)])
    }

    static func capitalized(_ text: String) -> String {
        var result = ""
        var isStart = true
        for character in text {
            let isWord = character.isLetter || character.isNumber
            result += isWord && isStart ? character.uppercased() : character.lowercased()
            isStart = !isWord
        }
        return result
    }

    static func replaced(
        _ text: UnsafeRawBufferPointer,
        _ part: UnsafeRawBufferPointer,
        _ other: UnsafeRawBufferPointer
    ) -> String {
        if part.isEmpty { return string(text) }
        var result: [UInt8] = []
        var start = 0
        while let index = text.firstIndex(of: part, from: start) {
            result.append(contentsOf: text[start..<index])
            result.append(contentsOf: other)
            start = index + part.count
        }
        result.append(contentsOf: text[start...])
        return String(decoding: result, as: UTF8.self)
    }

    static func split(
        _ text: UnsafeRawBufferPointer,
        _ separator: UnsafeRawBufferPointer
    ) -> [UnsafeRawBufferPointer] {
        if separator.isEmpty { return [text] }
        var parts: [UnsafeRawBufferPointer] = []
        var start = 0
        while let index = text.firstIndex(of: separator, from: start) {
            parts.append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            start = index + separator.count
        }
        parts.append(UnsafeRawBufferPointer(rebasing: text[start...]))
        return parts
    }
}
