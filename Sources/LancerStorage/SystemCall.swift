import CPlatform
import LancerBytes

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The operating system's file calls with their errors as ``LanceError`` and interrupted calls repeated.
enum SystemCall {
    /// What an errno value means.
    static func text(of error: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { words in
            guard let start = words.baseAddress else { return "error \(error)" }
            lancer_error_text(error, start, words.count)
            return String(cString: start)
        }
    }

    /// The error for a failed call: `notFound` for a missing file, else `io` with the system's words.
    static func failure(_ action: String, _ path: String, _ error: Int32) -> LanceError {
        LanceError(
            error == ENOENT || error == ENOTDIR ? .notFound : .io,
            "cannot \(action): \(text(of: error))",
            at: ByteLocation(file: path)
        )
    }

    /// Calls until the call is not interrupted; nil when it worked, else errno.
    static func repeating(_ call: () -> Int32) -> (result: Int32, error: Int32?) {
        while true {
            let result = call()
            if result >= 0 { return (result, nil) }
            let error = errno
            if error != EINTR { return (result, error) }
        }
    }

    static func open(_ path: String, _ flags: Int32, action: String) throws(LanceError) -> Int32 {
        let (descriptor, error) = repeating { lancerOpen(path, flags | O_CLOEXEC, 0o666) }
        if let error { throw failure(action, path, error) }
        return descriptor
    }

    static func sync(_ descriptor: Int32, _ path: String) throws(LanceError) {
        let error = lancer_sync_file(descriptor)
        // EINVAL: the file system (a pipe, some network mounts) has nothing to sync.
        if error != 0, error != EINVAL { throw failure("sync", path, error) }
    }

    /// Syncs a directory, so that names made in it survive a loss of power.
    static func syncDirectory(_ path: String) throws(LanceError) {
        let descriptor = try open(path, O_RDONLY, action: "open the directory")
        defer { _ = close(descriptor) }
        try sync(descriptor, path)
    }

    /// Size of an open regular file.
    static func size(_ descriptor: Int32, _ path: String) throws(LanceError) -> UInt64 {
        var status = stat()
        let (_, error) = repeating { fstat(descriptor, &status) }
        if let error { throw failure("look at", path, error) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw LanceError(.io, "not a regular file", at: ByteLocation(file: path))
        }
        return UInt64(clamping: status.st_size)
    }

    /// Fills `target` from `offset` of the file; a file that ends before is `truncated`.
    static func read(
        _ descriptor: Int32,
        _ path: String,
        offset: UInt64,
        into target: UnsafeMutableRawBufferPointer
    ) throws(LanceError) {
        var done = 0
        while done < target.count {
            guard let start = target.baseAddress, let place = off_t(exactly: offset + UInt64(done)) else {
                throw .truncated("offset \(offset) is beyond any file").located(file: path)
            }
            let count = pread(descriptor, start + done, target.count - done, place)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("read \(target.count - done) bytes at \(offset + UInt64(done))", path, errno)
            }
            if count == 0 {
                throw .truncated(
                    "the file ended at byte \(offset + UInt64(done)), \(target.count - done) more bytes were expected"
                ).located(file: path, offset: offset)
            }
            done += count
        }
    }

    /// Writes all of `bytes` at the descriptor's position.
    static func write(_ descriptor: Int32, _ path: String, _ bytes: UnsafeRawBufferPointer) throws(LanceError) {
        var done = 0
        while done < bytes.count {
            guard let start = bytes.baseAddress else { return }
            #if canImport(Darwin)
            // One call takes at most INT_MAX bytes there.
            let count = Darwin.write(descriptor, start + done, Swift.min(bytes.count - done, 1 << 30))
            #elseif canImport(Musl)
            let count = Musl.write(descriptor, start + done, bytes.count - done)
            #else
            let count = Glibc.write(descriptor, start + done, bytes.count - done)
            #endif
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write", path, errno)
            }
            done += count
        }
    }

    /// Makes a directory and what is missing above it. With `durable`, the new names are synced.
    static func makeDirectories(_ path: String, durable: Bool) throws(LanceError) {
        let (_, error) = repeating { mkdir(path, 0o777) }
        switch error {
        case nil:
            if durable { try syncDirectory(parent(of: path)) }
        case EEXIST: return
        case ENOENT where parent(of: path) != path:
            try makeDirectories(parent(of: path), durable: durable)
            let (_, second) = repeating { mkdir(path, 0o777) }
            if let second, second != EEXIST { throw failure("make the directory", path, second) }
            if durable { try syncDirectory(parent(of: path)) }
        case let error?: throw failure("make the directory", path, error)
        }
    }

    /// The directory a path is in.
    static func parent(of path: String) -> String {
        var bytes = Substring(path)
        while bytes.count > 1, bytes.last == "/" { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: "/") else { return "." }
        return slash == bytes.startIndex ? "/" : String(bytes[..<slash])
    }

    /// Facts about a name in a directory, links not followed; nil when it is not there or neither file nor directory.
    static func entry(_ name: String, in directory: String) throws(LanceError) -> StoredEntry? {
        let path = directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
        var status = stat()
        let (_, error) = repeating { lstat(path, &status) }
        if error == ENOENT { return nil }
        if let error { throw failure("look at", path, error) }
        #if canImport(Darwin)
        let modified = Int64(status.st_mtimespec.tv_sec)
        #else
        let modified = Int64(status.st_mtim.tv_sec)
        #endif
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return StoredEntry(name: name, isDirectory: true, size: 0, modified: modified)
        case S_IFREG:
            let size = UInt64(clamping: status.st_size)
            return StoredEntry(name: name, isDirectory: false, size: size, modified: modified)
        default: return nil
        }
    }

    /// Names in a directory; nil when there is no directory.
    static func names(in path: String) throws(LanceError) -> [String]? {
        guard let directory = opendir(path) else {
            let error = errno
            if error == ENOENT { return nil }
            if error == ENOTDIR { return nil }
            throw failure("list the directory", path, error)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                let error = errno
                if error == 0 || error == ENOENT { return names }
                if error == EINTR { continue }
                throw failure("list the directory", path, error)
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: start.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }
}

/// `open` with a mode; a name of its own because `SystemCall.open` hides the C function.
private func lancerOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
