import LancerBytes
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// An open file descriptor, closed with its last user.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { _ = close(number) }
}

/// Keeps the descriptors of files that are read again and again, so that a small read costs one system call; at most
/// ``capacity`` of the whole process stay open, whoever opened them. A file pushed out is opened again when it is read.
final class DescriptorCache: Sendable {
    private struct Entry {
        let descriptor: Descriptor
        var lastUse: UInt64
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var clock: UInt64 = 0
        var nextKey: UInt64 = 0
    }

    /// The cache every local store uses. Well below the usual limit of 256 (macOS) or 1024 (Linux) open files.
    static let shared = DescriptorCache(capacity: 128)

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = capacity }

    /// A key for one file.
    func makeKey() -> UInt64 {
        state.withLock { state in
            state.nextKey += 1
            return state.nextKey
        }
    }

    /// The descriptor kept under `key`.
    func descriptor(_ key: UInt64) -> Descriptor? {
        state.withLock { state in
            state.clock += 1
            state.entries[key]?.lastUse = state.clock
            return state.entries[key]?.descriptor
        }
    }

    /// Keeps a descriptor, giving up the one not used for longest when there are too many.
    func keep(_ descriptor: Descriptor, _ key: UInt64) {
        // The descriptor that falls out is closed after the lock is released.
        let dropped: Descriptor? = state.withLock { state in
            state.clock += 1
            state.entries[key] = Entry(descriptor: descriptor, lastUse: state.clock)
            guard state.entries.count > capacity else { return nil }
            let oldest = state.entries.min { $0.value.lastUse < $1.value.lastUse }
            return oldest.flatMap { state.entries.removeValue(forKey: $0.key)?.descriptor }
        }
        withExtendedLifetime(dropped) {}
    }

    /// Gives up the descriptor kept under `key`.
    func forget(_ key: UInt64) {
        let dropped = state.withLock { $0.entries.removeValue(forKey: key)?.descriptor }
        withExtendedLifetime(dropped) {}
    }
}
