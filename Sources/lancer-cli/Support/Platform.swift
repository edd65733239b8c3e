import Lancer

#if canImport(Darwin)
@_exported import Darwin
#elseif canImport(Musl)
@_exported import Musl
#else
@_exported import Glibc
#endif

/// What the operating system says about the last failed call, in words.
func systemMessage(_ code: Int32 = errno) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}

/// An error for a failed system call on `path`: a missing path is the caller's mistake, the rest is input/output.
func systemError(_ what: String, _ path: String, _ code: Int32 = errno) -> LanceError {
    switch code {
    case ENOENT, ENOTDIR: LanceError(.notFound, "\(path): no such file or directory; check the path")
    case EEXIST: LanceError(.alreadyExists, "\(path) exists already; choose another name or use --mode overwrite")
    case EISDIR: LanceError(.invalidArgument, "\(path) is a directory; name a file")
    default: LanceError(.io, "cannot \(what) \(path): \(systemMessage(code))")
    }
}

/// What kind of thing is at a path.
enum PathKind {
    case missing
    case file
    case directory
    /// A pipe, a device, a socket.
    case other

    /// Follows symbolic links.
    init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = .missing
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .directory
        default: self = .other
        }
    }
}

/// Seconds since an arbitrary moment; only differences mean something.
func monotonicSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}

/// The value of an environment variable.
func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// Names of the entries of a directory, sorted, without `.` and `..`; empty when it cannot be read.
func directoryEntries(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                String(cString: $0)
            }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}
