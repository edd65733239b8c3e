import LancerBytes

/// Where the files of a table are: a directory, memory, later an object store.
///
/// Paths are relative to the store's root, with `/` between parts. Objects are whole: a reader sees an object with all
/// its bytes or not at all, and nobody changes one that is there (a new one under the same name replaces it at once).
package protocol ObjectStore: Sendable {
    /// The root as people know it, for messages.
    var root: String { get }

    /// Opens an object to read parts of it.
    ///
    /// - Throws: `notFound`, `io`.
    func open(_ path: String) async throws(LanceError) -> any StoredObject

    /// All bytes of an object.
    ///
    /// - Throws: `notFound`, `io`, `limitExceeded` when it has more than `limit` bytes.
    func read(_ path: String, limit: Int) async throws(LanceError) -> ArrowBuffer

    /// Names of the objects directly in a directory, in no order. A directory that does not exist has none.
    ///
    /// - Throws: `io`.
    func list(_ directory: String) async throws(LanceError) -> [String]

    /// Objects and directories directly in a directory, in no order. A directory that does not exist has none.
    ///
    /// - Throws: `io`.
    func entries(_ directory: String) async throws(LanceError) -> [StoredEntry]

    /// Whether an object is there.
    ///
    /// - Throws: `io`.
    func exists(_ path: String) async throws(LanceError) -> Bool

    /// Stores an object, replacing one of that name.
    ///
    /// - Throws: `io`.
    func put(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError)

    /// Stores an object that may be lost or damaged when the machine stops: a courtesy to readers.
    ///
    /// - Throws: `io`.
    func putBestEffort(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError)

    /// Stores an object if there is none of that name; of several callers at most one succeeds.
    ///
    /// - Throws: `alreadyExists`, `io`.
    func putIfAbsent(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError)

    /// Makes sure that an object that is there stays, after a write of it reported an error.
    ///
    /// - Throws: `io` when that is not certain.
    func secure(_ path: String) async throws(LanceError)

    /// Removes an object; one that is not there is no error.
    ///
    /// - Throws: `io`.
    func delete(_ path: String) async throws(LanceError)

    /// Removes a directory if nothing is in it. Best effort: an empty directory does no harm.
    func removeEmptyDirectory(_ path: String) async

    /// Begins an object that is written piece by piece. It appears when it is finished.
    ///
    /// - Throws: `io`.
    func create(_ path: String) throws(LanceError) -> any ObjectSink

    /// Makes an empty file for work that does not fit in memory, in a directory of the store. Nobody else sees it, and it is
    /// gone when its last reference is, however the process ends.
    ///
    /// - Throws: `io`.
    func makeScratch(in directory: String) throws(LanceError) -> any ScratchObject
}

/// Bytes that are appended, then read anywhere, and never kept.
package protocol ScratchObject: AnyObject, Sendable {
    /// Adds bytes at the end.
    ///
    /// - Throws: `io`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(LanceError)
    /// Reads bytes that were appended before.
    ///
    /// - Throws: `truncated`, `io`.
    func read(offset: Int, count: Int) throws(LanceError) -> ArrowBuffer
    /// Gives the space back.
    func remove()
}

/// An object opened for reading.
package protocol StoredObject: Sendable {
    /// Full path, for messages.
    var path: String { get }
    /// Number of bytes.
    var size: UInt64 { get }

    /// Reads ranges of bytes; the results are in the order asked. Ranges near each other are read in one go.
    ///
    /// A local read completes without suspending.
    ///
    /// - Throws: `truncated` for a range that is not inside the object, `io`.
    func read(_ ranges: [Range<UInt64>]) async throws(LanceError) -> [ArrowBuffer]

    /// Reads one range and shows its bytes to `look` in order, in steps of `step` of the object's bytes, while they are
    /// still in the processor's cache.
    ///
    /// - Throws: as ``read(_:)``, and what `look` throws.
    func read(
        _ range: Range<UInt64>,
        step: Int,
        _ look: (_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(LanceError) -> Void
    ) async throws(LanceError) -> ArrowBuffer
}

extension StoredObject {
    package func read(
        _ range: Range<UInt64>,
        step: Int,
        _ look: (_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) throws(LanceError) -> Void
    ) async throws(LanceError) -> ArrowBuffer {
        let buffers = try await read([range])
        guard let buffer = buffers.first else { return .empty }
        try buffer.withUnsafeBytes { (bytes) throws(LanceError) in try look(range.lowerBound, bytes) }
        return buffer
    }
}

/// An object being written. One of ``finish()`` and ``cancel()`` must be called; only after `finish` the object is there.
package protocol ObjectSink: AnyObject, ByteSink {
    /// Number of bytes taken so far.
    var count: UInt64 { get }
    /// Makes the object appear under its name.
    ///
    /// - Throws: `io`; nothing is left behind then.
    func finish() throws(LanceError)
    /// Throws away what was written.
    func cancel()
}

extension ObjectStore {
    package func makeScratch(in directory: String) throws(LanceError) -> any ScratchObject { MemoryScratch() }

    package func removeEmptyDirectory(_ path: String) async {}

    package func secure(_ path: String) async throws(LanceError) {}

    package func putBestEffort(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        try await put(path, bytes)
    }

    /// All bytes of an object of at most 1 GiB (``DecodeLimits/metadataBytes``).
    package func read(_ path: String) async throws(LanceError) -> ArrowBuffer {
        try await read(path, limit: DecodeLimits.standard.metadataBytes)
    }

    /// Root and path in one, for messages.
    package func fullPath(_ path: String) -> String {
        root.hasSuffix("/") ? root + path : "\(root)/\(path)"
    }
}
