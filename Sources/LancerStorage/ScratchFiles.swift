import LancerBytes
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A local file without a name: the system frees it when it is closed, also after a crash.
package final class LocalScratch: ScratchObject {
    private let path: String
    private let state: Mutex<(descriptor: Descriptor?, size: Int)>

    /// Makes the file in a directory, which is made if it is missing.
    ///
    /// - Throws: `io`.
    init(directory: String) throws(LanceError) {
        path = "\(directory)/\(LocalStore.temporaryPrefix)\(RandomName.hex(bytes: 8))"
        let flags = O_RDWR | O_CREAT | O_EXCL
        let descriptor: Descriptor
        do throws(LanceError) {
            descriptor = Descriptor(try SystemCall.open(path, flags, action: "make a scratch file"))
        } catch  where error.code == .notFound {
            try SystemCall.makeDirectories(directory, durable: false)
            descriptor = Descriptor(try SystemCall.open(path, flags, action: "make a scratch file"))
        }
        _ = unlink(path)
        state = Mutex((descriptor, 0))
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(LanceError) {
        let failure: LanceError? = state.withLock { state in
            guard let descriptor = state.descriptor else { return closed }
            do throws(LanceError) {
                try SystemCall.write(descriptor.number, path, bytes)
                state.size += bytes.count
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    package func read(offset: Int, count: Int) throws(LanceError) -> ArrowBuffer {
        let (descriptor, size) = state.withLock { ($0.descriptor, $0.size) }
        guard let descriptor else { throw closed }
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw .truncated("\(count) bytes at \(offset) are wanted, the file has \(size)").located(file: path)
        }
        return try ArrowBuffer(count: count) { (target) throws(LanceError) in
            try SystemCall.read(descriptor.number, path, offset: UInt64(offset), into: target)
        }
    }

    package func remove() { state.withLock { $0.descriptor = nil } }

    private var closed: LanceError { LanceError(.io, "the scratch file is closed", at: ByteLocation(file: path)) }
}

/// Scratch space of stores that have no files.
final class MemoryScratch: ScratchObject {
    private let bytes = Mutex<[UInt8]>([])

    func append(_ new: UnsafeRawBufferPointer) { bytes.withLock { $0.append(contentsOf: new) } }

    func read(offset: Int, count: Int) throws(LanceError) -> ArrowBuffer {
        let part: [UInt8]? = bytes.withLock { all in
            guard offset >= 0, count >= 0, offset <= all.count, count <= all.count - offset else { return nil }
            return Array(all[offset..<(offset + count)])
        }
        guard let part else { throw .truncated("\(count) bytes at \(offset) of the scratch file are wanted") }
        return ArrowBuffer(part)
    }

    func remove() { bytes.withLock { $0 = [] } }
}
