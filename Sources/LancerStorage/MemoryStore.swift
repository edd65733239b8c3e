import LancerBytes
import Synchronization

/// Objects in memory, for tests.
package final class MemoryStore: ObjectStore {
    package let root: String
    private let objects = Mutex<[String: ArrowBuffer]>([:])
    /// Times of objects that are not as young as they are.
    private let age = Mutex<[String: Int64]>([:])

    /// An empty store.
    package init(root: String = "memory:") { self.root = root }

    /// The store with other objects; a copy, sharing nothing.
    package convenience init(_ objects: [String: ArrowBuffer]) {
        self.init()
        self.objects.withLock { $0 = objects }
    }

    /// All objects by path.
    package var snapshot: [String: ArrowBuffer] { objects.withLock { $0 } }

    private func object(_ path: String) throws(LanceError) -> ArrowBuffer {
        guard let bytes = objects.withLock({ $0[path] }) else {
            throw LanceError(.notFound, "no such object", at: ByteLocation(file: fullPath(path)))
        }
        return bytes
    }

    package func open(_ path: String) async throws(LanceError) -> any StoredObject {
        MemoryObject(path: fullPath(path), bytes: try object(path))
    }

    package func read(_ path: String, limit: Int) async throws(LanceError) -> ArrowBuffer {
        let bytes = try object(path)
        guard bytes.count <= limit else {
            throw .limitExceeded("the object has \(bytes.count) bytes, at most \(limit) are read at once")
                .located(file: fullPath(path))
        }
        return bytes
    }

    package func list(_ directory: String) async throws(LanceError) -> [String] {
        let prefix = directory.isEmpty || directory.hasSuffix("/") ? directory : directory + "/"
        return objects.withLock { objects in
            objects.keys.compactMap { path in
                guard path.hasPrefix(prefix) else { return nil }
                let name = path.dropFirst(prefix.count)
                return name.contains("/") ? nil : String(name)
            }
        }
    }

    package func entries(_ directory: String) async throws(LanceError) -> [StoredEntry] {
        let prefix = directory + "/"
        let modified = age.withLock { $0 }
        let all = snapshot.filter { $0.key.hasPrefix(prefix) }
        var directories: Set<String> = []
        var entries: [StoredEntry] = []
        for (path, bytes) in all {
            let rest = path.dropFirst(prefix.count)
            if let slash = rest.firstIndex(of: "/") {
                directories.insert(String(rest[..<slash]))
            } else {
                let size = UInt64(bytes.count)
                entries.append(
                    StoredEntry(
                        name: String(rest),
                        isDirectory: false,
                        size: size,
                        modified: modified[path] ?? WallClock.now().seconds
                    )
                )
            }
        }
        return entries + directories.map { StoredEntry(name: $0, isDirectory: true, size: 0, modified: 0) }
    }

    /// Makes an object look as if it had been written at another time, in seconds since 1970.
    package func setModified(_ path: String, _ seconds: Int64) { age.withLock { $0[path] = seconds } }

    package func exists(_ path: String) async throws(LanceError) -> Bool { objects.withLock { $0[path] != nil } }

    package func put(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) { store(path, bytes) }

    fileprivate func store(_ path: String, _ bytes: ArrowBuffer) { objects.withLock { $0[path] = bytes } }

    package func putIfAbsent(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        let done = objects.withLock { objects in
            if objects[path] != nil { return false }
            objects[path] = bytes
            return true
        }
        if !done {
            throw LanceError(.alreadyExists, "the object is there already", at: ByteLocation(file: fullPath(path)))
        }
    }

    package func delete(_ path: String) async throws(LanceError) {
        objects.withLock { _ = $0.removeValue(forKey: path) }
    }

    package func create(_ path: String) throws(LanceError) -> any ObjectSink { Sink(self, path) }

    private final class Sink: ObjectSink {
        private let store: MemoryStore
        private let path: String
        private let collected = MemorySink()

        init(_ store: MemoryStore, _ path: String) {
            self.store = store
            self.path = path
        }

        var count: UInt64 { UInt64(collected.count) }
        func write(_ buffer: ArrowBuffer) throws(LanceError) { try collected.write(buffer) }
        func finish() throws(LanceError) { store.store(path, collected.buffer) }
        func cancel() {}
    }
}

/// An object in memory.
package struct MemoryObject: StoredObject {
    package let path: String
    private let bytes: ArrowBuffer

    /// Bytes with a path for messages.
    package init(path: String, bytes: ArrowBuffer) {
        self.path = path
        self.bytes = bytes
    }

    package var size: UInt64 { UInt64(bytes.count) }

    package func read(_ ranges: [Range<UInt64>]) async throws(LanceError) -> [ArrowBuffer] {
        var results: [ArrowBuffer] = []
        for range in ranges {
            guard range.upperBound <= size else {
                throw .truncated("bytes \(range) are wanted, the object has \(size)").located(file: path)
            }
            results.append(bytes.slice(Int(range.lowerBound)..<Int(range.upperBound)))
        }
        return results
    }
}
