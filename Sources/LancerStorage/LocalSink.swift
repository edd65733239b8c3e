import LancerBytes

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A local file being written under a temporary name in the directory it will be in.
///
/// Small pieces are collected, so that a page's many short buffers do not cost a system call each.
package final class LocalSink: ObjectSink {
    private static let bufferSize = 1 << 20

    private let path: String
    private let temporary: String
    private let durable: Bool
    private var descriptor: Descriptor?
    private var pending = BufferBuilder()
    package private(set) var count: UInt64 = 0

    /// Begins the file that will be at `path`, making the directories it needs.
    package init(path: String, durable: Bool) throws(LanceError) {
        self.path = path
        self.durable = durable
        let directory = SystemCall.parent(of: path)
        let name = LocalStore.temporaryPrefix + RandomName.hex(bytes: 8)
        self.temporary = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
        let flags = O_WRONLY | O_CREAT | O_EXCL
        do throws(LanceError) {
            self.descriptor = Descriptor(try SystemCall.open(temporary, flags, action: "make a file for \(path)"))
        } catch  where error.code == .notFound {
            try SystemCall.makeDirectories(directory, durable: durable)
            self.descriptor = Descriptor(try SystemCall.open(temporary, flags, action: "make a file for \(path)"))
        }
    }

    deinit { cancel() }

    package func write(_ buffer: ArrowBuffer) throws(LanceError) {
        guard let descriptor else { throw LanceError(.io, "the file is closed", at: ByteLocation(file: path)) }
        if pending.count + buffer.count > Self.bufferSize { try flush(descriptor) }
        if buffer.count >= Self.bufferSize {
            try buffer.withUnsafeBytes { (bytes) throws(LanceError) in
                try SystemCall.write(descriptor.number, path, bytes)
            }
        } else {
            pending.append(contentsOf: buffer)
        }
        count += UInt64(buffer.count)
    }

    private func flush(_ descriptor: Descriptor) throws(LanceError) {
        guard pending.count > 0 else { return }
        try pending.withUnsafeBytes { (bytes) throws(LanceError) in
            try SystemCall.write(descriptor.number, path, bytes)
        }
        pending = BufferBuilder(capacity: Self.bufferSize)
    }

    /// Everything written and, if asked for, on the device; the descriptor is closed.
    private func seal() throws(LanceError) {
        guard let descriptor else { throw LanceError(.io, "the file is closed", at: ByteLocation(file: path)) }
        try flush(descriptor)
        if durable { try SystemCall.sync(descriptor.number, path) }
        self.descriptor = nil
        pending = BufferBuilder()
    }

    package func finish() throws(LanceError) {
        do throws(LanceError) {
            try seal()
            let (_, error) = SystemCall.repeating { rename(temporary, path) }
            if let error { throw SystemCall.failure("name a finished file", path, error) }
        } catch {
            discard()
            throw error
        }
        if durable { try SystemCall.syncDirectory(SystemCall.parent(of: path)) }
    }

    /// ``finish()``, but only if there is no file of that name.
    ///
    /// - Throws: `alreadyExists`, `io`; nothing is left behind then.
    package func finishIfAbsent() throws(LanceError) {
        do throws(LanceError) {
            try seal()
            let (_, error) = SystemCall.repeating { link(temporary, path) }
            switch error {
            case nil: _ = unlink(temporary)
            case EEXIST: throw alreadyThere
            case EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS, EMLINK: try moveIfAbsent()
            case let error?: throw SystemCall.failure("name a finished file", path, error)
            }
        } catch {
            discard()
            throw error
        }
        if durable { try SystemCall.syncDirectory(SystemCall.parent(of: path)) }
    }

    private var alreadyThere: LanceError {
        LanceError(.alreadyExists, "the file is there already", at: ByteLocation(file: path))
    }

    /// For file systems without hard links: the name is taken with an empty file first, then the finished one replaces
    /// it. A crash between the two leaves an empty file, which is why this is not the first choice.
    private func moveIfAbsent() throws(LanceError) {
        let (claim, error) = SystemCall.repeating { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        if error == EEXIST { throw alreadyThere }
        if let error { throw SystemCall.failure("make", path, error) }
        _ = close(claim)
        let (_, failed) = SystemCall.repeating { rename(temporary, path) }
        if let failed {
            _ = unlink(path)
            throw SystemCall.failure("name a finished file", path, failed)
        }
    }

    package func cancel() {
        if descriptor != nil { discard() }
    }

    private func discard() {
        descriptor = nil
        pending = BufferBuilder()
        _ = unlink(temporary)
    }
}
