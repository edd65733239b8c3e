import LancerBytes

/// Encapsulated messages out of a sequential stream.
struct IPCMessageStream {
    private var stream: any ByteStream
    private let limits: DecodeLimits
    /// Offset of the next byte, for messages.
    private(set) var offset: UInt64 = 0

    init(_ stream: any ByteStream, limits: DecodeLimits) {
        self.stream = stream
        self.limits = limits
    }

    /// The next message with its body, or nil at the end of the stream.
    mutating func next() throws(LanceError) -> (message: IPCMessage, body: ArrowBuffer)? {
        let start = offset
        do throws(LanceError) {
            guard let size = try metadataSize() else { return nil }
            let message = try IPCMessage(metadata: read(size))
            guard message.bodyLength <= limits.allocationBytes else {
                throw LanceError.limitExceeded("an Arrow message has a body of \(message.bodyLength) bytes")
            }
            return (message, try read(message.bodyLength))
        } catch {
            throw error.located(part: "Arrow message at byte \(start)")
        }
    }

    /// Reads the prefix of a message; nil at the end.
    private mutating func metadataSize() throws(LanceError) -> Int? {
        var prefix = try read(4, mayEnd: true)
        if prefix.count == 0 { return nil }
        var number: UInt32 = try prefix.number()
        if number == IPCFormat.continuation {
            prefix = try read(4)
            number = try prefix.number()
        } else if prefix.bytes == Array(IPCFormat.magic.prefix(4)) {
            throw .invalidArgument("this is an Arrow IPC file, not a stream: it has to be opened with random access")
        } else if prefix.bytes == Array("FEA1".utf8) {
            throw .unsupported("Feather version 1 files; version 2 is an Arrow IPC file and is read")
        }
        if number == 0 { return nil }
        let size = Int(Int32(bitPattern: number))
        guard size > 0 else { throw .corrupt("an Arrow message says its metadata has \(size) bytes") }
        guard size <= limits.metadataBytes else {
            throw .limitExceeded("an Arrow message says its metadata has \(size) bytes")
        }
        return size
    }

    /// Reads exactly `count` bytes; with `mayEnd` none at all are fine as well.
    private mutating func read(_ count: Int, mayEnd: Bool = false) throws(LanceError) -> ArrowBuffer {
        if count == 0 { return .empty }
        // Never more than twice what has come already is asked for at once: a wrong length must not reserve memory.
        let step = 1 << 26
        var piece = try stream.read(upTo: Swift.min(count, step))
        offset += UInt64(piece.count)
        if piece.count == count || (mayEnd && piece.count == 0) { return piece }
        var bytes = BufferBuilder()
        while true {
            guard piece.count > 0 else {
                throw .truncated("the Arrow stream ends \(count - bytes.count) bytes too early", offset: offset)
            }
            bytes.append(contentsOf: piece)
            if bytes.count == count { return bytes.finish() }
            piece = try stream.read(upTo: Swift.min(count - bytes.count, Swift.max(step, bytes.count)))
            offset += UInt64(piece.count)
        }
    }
}

extension ArrowBuffer {
    /// The little-endian number at the start.
    func number<T: FixedWidthInteger & BitwiseCopyable>() throws(LanceError) -> T {
        var reader = ByteReader(self, what: "an Arrow message")
        return try reader.read(T.self)
    }
}
