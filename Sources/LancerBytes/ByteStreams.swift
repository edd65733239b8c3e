/// Bytes that can be read at any place: a file, a range of an object, memory.
public protocol ByteSource {
    /// Number of bytes, or nil when it is not known before the end is met.
    var size: UInt64? { get }

    /// Reads exactly `count` bytes starting at `offset`.
    ///
    /// - Throws: `truncated` when the source ends before, `io` when the system refuses.
    func read(offset: UInt64, count: Int) throws(LanceError) -> ArrowBuffer
}

/// Bytes that come one after the other: a pipe, a socket, a file read once.
public protocol ByteStream {
    /// Reads between 1 and `limit` bytes, as many as are conveniently there; an empty buffer means the end.
    ///
    /// `limit` must be above 0. After the end every further call returns an empty buffer again.
    ///
    /// - Throws: `io` when the system refuses.
    mutating func read(upTo limit: Int) throws(LanceError) -> ArrowBuffer
}

/// A place that takes bytes one after the other: a file being made, a pipe, memory.
public protocol ByteSink {
    /// Takes all bytes of `buffer`.
    ///
    /// - Throws: `io` when the system refuses.
    mutating func write(_ buffer: ArrowBuffer) throws(LanceError)
}

/// A ``ByteSource`` over memory; reads are slices without a copy.
public struct BufferSource: ByteSource, Sendable {
    /// All the bytes.
    public let buffer: ArrowBuffer

    /// Reads from `buffer`.
    public init(_ buffer: ArrowBuffer) { self.buffer = buffer }

    /// Number of bytes.
    public var size: UInt64? { UInt64(buffer.count) }

    /// A slice of the buffer; throws `truncated` when it is not inside.
    public func read(offset: UInt64, count: Int) throws(LanceError) -> ArrowBuffer {
        guard let start = Int(exactly: offset), count >= 0, start <= buffer.count, count <= buffer.count - start else {
            throw .truncated("\(count) bytes at \(offset) are wanted, the memory holds \(buffer.count)")
        }
        return buffer.slice(start..<(start + count))
    }
}

/// A ``ByteStream`` over memory; reads are slices without a copy.
public struct BufferStream: ByteStream, Sendable {
    private var rest: ArrowBuffer

    /// Reads `buffer` from its start.
    public init(_ buffer: ArrowBuffer) { rest = buffer }

    /// The next bytes as a slice of the buffer.
    public mutating func read(upTo limit: Int) throws(LanceError) -> ArrowBuffer {
        let count = Swift.min(Swift.max(limit, 0), rest.count)
        defer { rest = rest.slice(count..<rest.count) }
        return rest.slice(0..<count)
    }
}

/// A ``ByteSink`` that collects everything in memory.
///
/// A class, so that whoever handed it to a writer can look at ``buffer`` afterwards. Not safe to share between tasks.
public final class MemorySink: ByteSink {
    private var pieces: [ArrowBuffer] = []
    /// Number of bytes written.
    public private(set) var count = 0

    /// An empty sink.
    public init() {}

    /// Keeps `buffer` (not a copy).
    public func write(_ buffer: ArrowBuffer) throws(LanceError) {
        pieces.append(buffer)
        count += buffer.count
    }

    /// Everything written so far, in one piece.
    public var buffer: ArrowBuffer {
        if pieces.count != 1 {
            var joined = BufferBuilder(capacity: count)
            for piece in pieces { joined.append(contentsOf: piece) }
            pieces = [joined.finish()]
        }
        return pieces[0]
    }
}
