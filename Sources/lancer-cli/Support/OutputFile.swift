import Lancer

// The name of the unfinished output, for the signal handler: a handler may only touch memory that does not move.
private nonisolated(unsafe) var unfinishedOutput: UnsafeMutablePointer<CChar>?

private func removeUnfinishedOutputAndExit(_ signalNumber: Int32) {
    if let path = unfinishedOutput { unlink(path) }
    _exit(128 + signalNumber)
}

/// A file that appears under its name only when it is complete.
///
/// The bytes go to a temporary name in the same directory, which is renamed by ``commit()`` and removed when the value
/// goes away before that, also on an interrupt.
final class OutputFile {
    let path: String
    let sink: FileSink
    private let temporaryPath: String
    private let file: OpenFile
    private let overwrite: Bool
    private var isCommitted = false

    /// Starts a file; `alreadyExists` when there is one and `overwrite` is false.
    init(_ path: String, overwrite: Bool) throws(LanceError) {
        switch PathKind(path) {
        case .directory: throw LanceError(.invalidArgument, "\(path) is a directory; name an output file")
        case .file where !overwrite:
            throw LanceError(.alreadyExists, "\(path) exists already; choose another name or add --mode overwrite")
        case .file, .missing: temporaryPath = "\(path).lancer-\(getpid()).tmp"
        case .other: temporaryPath = path
        }
        self.path = path
        self.overwrite = overwrite
        let isDevice = temporaryPath == path
        let flags = O_WRONLY | O_CLOEXEC | (isDevice ? 0 : O_CREAT | O_EXCL)
        let descriptor = open(temporaryPath, flags, 0o666)
        guard descriptor >= 0 else {
            if errno == ENOENT {
                throw LanceError(.notFound, "cannot create \(path): its directory does not exist; make it first")
            }
            throw systemError("create", path)
        }
        file = OpenFile(descriptor: descriptor, path: path)
        sink = FileSink(file)
        isCommitted = isDevice
        if !isDevice {
            unfinishedOutput = strdup(temporaryPath)
            signal(SIGINT, removeUnfinishedOutputAndExit)
            signal(SIGTERM, removeUnfinishedOutputAndExit)
            signal(SIGHUP, removeUnfinishedOutputAndExit)
        }
    }

    deinit {
        if !isCommitted { unlink(temporaryPath) }
    }

    /// Makes the file appear under its name.
    func commit() throws(LanceError) {
        try sink.flush()
        guard !isCommitted else { return }
        // link(2) refuses an existing name, rename(2) replaces it: the choice is the promise made in `init`.
        if overwrite {
            guard rename(temporaryPath, path) == 0 else { throw systemError("rename a temporary file to", path) }
        } else if link(temporaryPath, path) == 0 {
            unlink(temporaryPath)
        } else if errno == EEXIST {
            throw LanceError(.alreadyExists, "\(path) appeared while it was written; choose another name")
        } else {
            // Some file systems have no hard links.
            guard rename(temporaryPath, path) == 0 else { throw systemError("rename a temporary file to", path) }
        }
        isCommitted = true
        unfinishedOutput = nil
    }
}

/// Standard output.
func standardOutput() -> FileSink {
    FileSink(OpenFile(descriptor: STDOUT_FILENO, path: "standard output", closes: false))
}
