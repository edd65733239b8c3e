import LancerBytes
import Synchronization

/// Objects in memory, for tests.
package final class MemoryStore: ObjectStore {
    package let root: String
    private let objects = Mutex<[String: ArrowBuffer]>([:])

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
