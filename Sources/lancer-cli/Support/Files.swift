import Lancer

/// An open file descriptor, closed with the last reference.
final class OpenFile: Sendable {
    let descriptor: Int32
    /// Name for messages.
    let path: String
    private let closes: Bool

    /// Opens `path` for reading.
    init(reading path: String) throws(LanceError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        closes = true
        guard descriptor >= 0 else { throw systemError("open", path) }
        if case .directory = PathKind(path) {
            throw LanceError(.invalidArgument, "\(path) is a directory but not a Lance dataset; name a file")
        }
    }

    /// Takes over a descriptor that is open already.
    init(descriptor: Int32, path: String, closes: Bool = true) {
        self.descriptor = descriptor
        self.path = path
        self.closes = closes
    }

    deinit {
        if closes, descriptor >= 0 { close(descriptor) }
    }

    /// Number of bytes if this is a regular file.
    var size: UInt64? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return UInt64(status.st_size)
    }
}

/// Reads a regular file at any place.
struct FileSource: ByteSource {
    let file: OpenFile
    let size: UInt64?

    init(_ path: String) throws(LanceError) { self.init(try OpenFile(reading: path)) }

    init(_ file: OpenFile) {
        self.file = file
        self.size = file.size
    }

    func read(offset: UInt64, count: Int) throws(LanceError) -> ArrowBuffer {
        guard count >= 0, let size, offset <= size, UInt64(count) <= size - offset, let start = Int64(exactly: offset)
        else {
            throw LanceError(.truncated, "\(file.path): \(count) bytes at \(offset) are wanted, it has \(size ?? 0)")
        }
        return try ArrowBuffer(count: count) { (bytes: UnsafeMutableRawBufferPointer) throws(LanceError) in
            var done = 0
            while done < count {
                let got = pread(
                    file.descriptor,
                    bytes.baseAddress.map { $0 + done },
                    count - done,
                    off_t(start) + off_t(done)
                )
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw systemError("read", file.path) }
                guard got > 0 else { throw LanceError(.truncated, "\(file.path) ended while it was read") }
                done += got
            }
        }
    }
}

/// Reads a regular file from start to end without moving the position that other readers of it share.
struct PositionedStream: ByteStream {
    private let file: OpenFile
    private var offset: off_t = 0

    init(_ file: OpenFile) { self.file = file }

    mutating func read(upTo limit: Int) throws(LanceError) -> ArrowBuffer {
        var builder = BufferBuilder()
        try builder.append(upTo: limit) { (bytes: UnsafeMutableRawBufferPointer) throws(LanceError) -> Int in
            while true {
                let got = pread(file.descriptor, bytes.baseAddress, bytes.count, offset)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw systemError("read", file.path) }
                offset += off_t(got)
                return got
            }
        }
        return builder.finish()
    }
}

/// Reads a file, a pipe or standard input from start to end.
struct FileStream: ByteStream {
    let file: OpenFile

    init(_ path: String) throws(LanceError) { file = try OpenFile(reading: path) }

    init(_ file: OpenFile) { self.file = file }

    mutating func read(upTo limit: Int) throws(LanceError) -> ArrowBuffer {
        var builder = BufferBuilder()
        try builder.append(upTo: limit) { (bytes: UnsafeMutableRawBufferPointer) throws(LanceError) -> Int in
            while true {
                let got = readOnce(file.descriptor, bytes)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw systemError("read", file.path) }
                return got
            }
        }
        return builder.finish()
    }
}

// Outside the types above, whose methods hide the system calls of the same name.
private func readOnce(_ descriptor: Int32, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, bytes.baseAddress, bytes.count)
}

private func writeOnce(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}

/// Thrown when whoever reads our standard output has gone: nothing is wrong, there is just no one to write for.
struct OutputClosed: Error {}

/// Writes to a descriptor through a buffer of 256 KiB.
///
/// A class, because writers keep a copy of their sink and the command flushes at the end.
final class FileSink: ByteSink {
    private let file: OpenFile
    private var pending: [UInt8] = []
    private static let capacity = 1 << 18
    /// Bytes handed over so far.
    private(set) var count = 0

    init(_ file: OpenFile) {
        self.file = file
        pending.reserveCapacity(Self.capacity)
    }

    func write(_ buffer: ArrowBuffer) throws(LanceError) {
        try buffer.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) throws(LanceError) in try write(bytes) }
    }

    func write(_ text: String) throws(LanceError) {
        pending.append(contentsOf: text.utf8)
        count += text.utf8.count
        if pending.count >= Self.capacity { try flush() }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(LanceError) {
        count += bytes.count
        if bytes.count < Self.capacity - pending.count {
            pending.append(contentsOf: bytes)
        } else {
            try flush()
            if bytes.count < Self.capacity {
                pending.append(contentsOf: bytes)
            } else {
                try put(bytes)
            }
        }
    }

    /// Whether the start can be written again.
    var isSeekable: Bool { file.size != nil }

    /// Writes other bytes over those at the start.
    func rewriteStart(_ bytes: ArrowBuffer) throws(LanceError) {
        try flush()
        let wrote = bytes.withUnsafeBytes { pwrite(file.descriptor, $0.baseAddress, $0.count, 0) }
        guard wrote == bytes.count else { throw systemError("write", file.path) }
    }

    /// Hands everything to the system.
    func flush() throws(LanceError) {
        guard !pending.isEmpty else { return }
        defer { pending.removeAll(keepingCapacity: true) }
        // Array's withUnsafeBytes does not carry a typed error.
        let result: Result<Void, LanceError> = pending.withUnsafeBytes { bytes in
            do throws(LanceError) { return .success(try put(bytes)) } catch { return .failure(error) }
        }
        try result.get()
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(LanceError) {
        var done = 0
        while done < bytes.count {
            let wrote = writeOnce(file.descriptor, UnsafeRawBufferPointer(rebasing: bytes[done...]))
            if wrote < 0, errno == EINTR { continue }
            if wrote < 0, errno == EPIPE {
                throw LanceError(.io, "nobody reads \(file.path)", cause: OutputClosed())
            }
            guard wrote >= 0 else { throw systemError("write", file.path) }
            done += wrote
        }
    }
}
