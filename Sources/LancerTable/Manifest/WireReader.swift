import LancerBytes

/// Walks the fields of a protobuf message without making objects of them.
///
/// For messages of which there are thousands in one file: a manifest of 10,000 fragments was read in 25 ms by the general
/// decoder, most of it spent on memory for messages that were looked at once. Spec: protocol buffers, encoding.
struct WireReader {
    /// What a field holds; fixed-width fields do not occur in what is read this way.
    enum Value {
        case varint(UInt64)
        /// Where the bytes are in the buffer.
        case bytes(Range<Int>)
        case other
    }

    private let base: UnsafePointer<UInt8>
    private let end: Int
    /// Where the next field starts.
    private(set) var offset: Int

    /// Reads part of a buffer that must outlive the reader.
    init(_ base: UnsafePointer<UInt8>, _ range: Range<Int>) {
        self.base = base
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }

    /// The next field's number and value.
    ///
    /// - Throws: `corrupt`.
    mutating func next() throws(LanceError) -> (number: UInt64, value: Value) {
        let tag = try varint()
        guard tag >> 3 > 0 else { throw Self.broken }
        switch tag & 7 {
        case 0: return (tag >> 3, .varint(try varint()))
        case 2: return (tag >> 3, .bytes(try take(try varint())))
        case 1:
            _ = try take(8)
            return (tag >> 3, .other)
        case 5:
            _ = try take(4)
            return (tag >> 3, .other)
        default: throw Self.broken
        }
    }

    /// The next number of a packed list.
    @inline(__always)
    mutating func varint() throws(LanceError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end, shift < 64 {
            let byte = base[offset]
            offset += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        throw Self.broken
    }

    private mutating func take(_ count: UInt64) throws(LanceError) -> Range<Int> {
        guard count <= UInt64(end - offset) else { throw Self.broken }
        let start = offset
        offset += Int(count)
        return start..<offset
    }

    @inline(never)
    private static var broken: LanceError { .corrupt("the message cannot be decoded") }
}
