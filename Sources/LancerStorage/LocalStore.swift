import LancerBytes

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A directory of the local file system.
///
/// Objects are written under a temporary name in their directory, synced, and then given their name: by `rename(2)`
/// where one may be replaced, by `link(2)` (which fails when the name is taken) where none may.
package struct LocalStore: ObjectStore {
    package let root: String
    /// Whether every write is brought to the device, with the directory that names it, before a call returns.
    package let durable: Bool

    /// Begin of the names of unfinished files; readers of a table skip them.
    package static let temporaryPrefix = ".tmp"

    /// The store in a directory, which need not exist yet.
    package init(root: String, durable: Bool = true) {
        var trimmed = root
        while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.root = trimmed.isEmpty ? "." : trimmed
        self.durable = durable
    }

    package func open(_ path: String) async throws(LanceError) -> any StoredObject {
        try LocalObject(path: fullPath(path))
    }

    package func read(_ path: String, limit: Int) async throws(LanceError) -> ArrowBuffer {
        let full = fullPath(path)
        let descriptor = Descriptor(try SystemCall.open(full, O_RDONLY, action: "open"))
        let size = try SystemCall.size(descriptor.number, full)
        guard size <= UInt64(Swift.max(limit, 0)), let count = Int(exactly: size) else {
            throw .limitExceeded("the file has \(size) bytes, at most \(limit) are read at once").located(file: full)
        }
        return try ArrowBuffer(count: count) { (target) throws(LanceError) in
            try SystemCall.read(descriptor.number, full, offset: 0, into: target)
        }
    }

    package func list(_ directory: String) async throws(LanceError) -> [String] {
        try SystemCall.names(in: fullPath(directory)) ?? []
    }

    package func entries(_ directory: String) async throws(LanceError) -> [StoredEntry] {
        let root = fullPath(directory)
        var entries: [StoredEntry] = []
        for name in try SystemCall.names(in: root) ?? [] {
            // Removed since the listing: left out.
            if let entry = try SystemCall.entry(name, in: root) { entries.append(entry) }
        }
        return entries
    }

    package func removeEmptyDirectory(_ path: String) async { _ = rmdir(fullPath(path)) }

    package func exists(_ path: String) async throws(LanceError) -> Bool {
        let full = fullPath(path)
        var status = stat()
        let (_, error) = SystemCall.repeating { stat(full, &status) }
        switch error {
        case nil: return true
        case ENOENT, ENOTDIR: return false
        case let error?: throw SystemCall.failure("look at", full, error)
        }
    }

    package func put(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        let sink = try LocalSink(path: fullPath(path), durable: durable)
        do throws(LanceError) {
            try sink.write(bytes)
        } catch {
            sink.cancel()
            throw error
        }
        try sink.finish()
    }

    package func putBestEffort(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        try await LocalStore(root: root, durable: false).put(path, bytes)
    }

    package func putIfAbsent(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        let sink = try LocalSink(path: fullPath(path), durable: durable)
        do throws(LanceError) {
            try sink.write(bytes)
        } catch {
            sink.cancel()
            throw error
        }
        try sink.finishIfAbsent()
    }

    package func secure(_ path: String) async throws(LanceError) {
        if durable { try SystemCall.syncDirectory(SystemCall.parent(of: fullPath(path))) }
    }

    package func delete(_ path: String) async throws(LanceError) {
        let full = fullPath(path)
        let (_, error) = SystemCall.repeating { unlink(full) }
        if let error, error != ENOENT { throw SystemCall.failure("remove", full, error) }
    }

    package func makeScratch(in directory: String) throws(LanceError) -> any ScratchObject {
        try LocalScratch(directory: fullPath(directory))
    }

    package func create(_ path: String) throws(LanceError) -> any ObjectSink {
        try LocalSink(path: fullPath(path), durable: durable)
    }
}
