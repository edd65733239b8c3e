/// Where in which file something was met.
public struct ByteLocation: Sendable, Hashable, CustomStringConvertible {
    /// Path of the file, if known.
    public var file: String?
    /// Part of the file in words: `column 3, page 0, buffer 1, chunk 7`.
    public var part: String?
    /// Byte offset, in the file when ``part`` is nil, else in the part.
    public var offset: UInt64?

    /// Makes a location of what is known.
    public init(file: String? = nil, part: String? = nil, offset: UInt64? = nil) {
        self.file = file
        self.part = part
        self.offset = offset
    }

    /// `file: part, byte offset`, leaving out what is unknown.
    public var description: String {
        var words: [String] = []
        if let file { words.append(file) }
        if let part { words.append(part) }
        if let offset { words.append("byte \(offset)") }
        return words.joined(separator: ", ")
    }
}
