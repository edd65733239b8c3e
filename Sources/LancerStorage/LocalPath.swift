import LancerBytes

/// Where a user or a manifest says a table is.
package enum LocalPath {
    /// The path of a directory: a plain path, or a `file://` URL.
    ///
    /// - Throws: `unsupported` for another kind of URL, `invalidArgument` for an empty path.
    package static func parse(_ text: String) throws(LanceError) -> String {
        guard !text.isEmpty, !text.utf8.contains(0) else { throw .invalidArgument("\"\(text)\" is no path") }
        guard let separator = text.firstRange(of: "://"), isScheme(text[..<separator.lowerBound]) else { return text }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "file" else {
            throw .unsupported("\(text): tables under \(scheme):// (only local paths and file:// are)")
        }
        let path = text[separator.upperBound...]
        // file:///path, or file://localhost/path
        let absolute = path.hasPrefix("localhost/") ? path.dropFirst("localhost".count) : path
        guard absolute.hasPrefix("/") else { throw .unsupported("\(text): files on another host") }
        return decodingPercents(absolute)
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func decodingPercents(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == 0x25, digits.utf8.count == 2, let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
