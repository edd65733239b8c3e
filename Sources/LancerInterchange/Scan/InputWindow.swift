import LancerBytes

/// The part of a byte stream that is being looked at: refilled at its end, forgotten at its start.
///
/// Holds about twice the refill size unless one record is longer; grows up to ``longestRecord`` for such a record.
/// Eight readable bytes follow the last valid one, so that scanning may load whole words.
final class InputWindow {
    /// The longest row or line that is read, in bytes.
    static let longestRecord = 1 << 28
    private static let slack = 16

    private var stream: any ByteStream
    private let refill: Int
    private var storage: BufferStorage
    /// Offset of the first byte not yet consumed.
    private(set) var start = 0
    /// Offset after the last byte read.
    private(set) var end = 0
    /// Whether the stream has ended, so that nothing follows ``end``.
    private(set) var atEnd = false
    /// Line ends before ``start``; the line at `start` has this number plus one.
    private(set) var linesBefore = 0
    /// Bytes of the stream before ``start``.
    private(set) var bytesBefore: UInt64 = 0

    /// A window that reads about `refill` bytes at a time.
    init(_ stream: any ByteStream, refill: Int) {
        self.stream = stream
        self.refill = Swift.max(refill, 64)
        storage = BufferStorage(capacity: self.refill + Self.slack)
        (storage.base + 0).initializeMemory(as: UInt8.self, repeating: 0, count: storage.capacity)
    }

    /// The bytes; valid until the next ``fill()``. Positions are offsets from here.
    var base: UnsafePointer<UInt8> { UnsafePointer(storage.base.assumingMemoryBound(to: UInt8.self)) }

    /// Reads more bytes behind those not consumed; when the window is full of one record it grows.
    ///
    /// - Throws: what the stream throws, `limitExceeded` for an endless record.
    func fill() throws(LanceError) {
        let kept = end - start
        if start > 0 {
            storage.base.copyMemory(from: storage.base + start, byteCount: kept)
            start = 0
            end = kept
        }
        if storage.capacity - Self.slack - kept < refill / 2 {
            guard kept <= Self.longestRecord else {
                throw .limitExceeded(
                    "line \(linesBefore + 1): a record of more than \(Self.longestRecord) bytes; is a quote not closed?"
                )
            }
            let larger = BufferStorage(capacity: Swift.max(storage.capacity * 2, kept + refill) + Self.slack)
            larger.base.copyMemory(from: storage.base, byteCount: kept)
            storage = larger
        }
        let room = storage.capacity - Self.slack
        while end < room, !atEnd {
            let bytes = try stream.read(upTo: room - end)
            if bytes.count == 0 {
                atEnd = true
            } else {
                guard bytes.count <= room - end else {
                    throw LanceError(.io, "a stream gave \(bytes.count) bytes where \(room - end) were asked")
                }
                let target = UnsafeMutableRawBufferPointer(start: storage.base + end, count: room - end)
                bytes.withUnsafeBytes { target.copyMemory(from: $0) }
                end += bytes.count
            }
        }
        (storage.base + end).initializeMemory(as: UInt8.self, repeating: 0, count: Self.slack)
    }

    /// Forgets the bytes before `position`.
    func consume(to position: Int) {
        precondition(position >= start && position <= end)
        linesBefore += ByteScan.lineEndCount(base + start, position - start, last: true)
        bytesBefore += UInt64(position - start)
        start = position
    }

    /// Number of the line, from 1, that holds the byte at `position`.
    func line(at position: Int) -> Int {
        linesBefore + ByteScan.lineEndCount(base + start, Swift.min(position, end) - start, last: false) + 1
    }

    /// Skips a UTF-8 byte order mark; refuses UTF-16 and UTF-32 by name. Call once, at the start of the stream.
    func skipByteOrderMark() throws(LanceError) {
        if start == end, !atEnd { try fill() }
        let bytes = TextBytes(start: base + start, count: end - start)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            start += 3
            bytesBefore += 3
        } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw .unsupported("the text is UTF-16 (or UTF-32); convert it to UTF-8 first")
        }
    }
}
