import Synchronization

/// Keeps the values used last. Safe to share; values may be made twice when two callers miss at the same time.
final class RecentlyUsed<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var value: Value
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var clock: UInt64 = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: Most values kept.
    init(capacity: Int) { self.capacity = capacity }

    /// The value kept under `key`.
    func value(_ key: Key) -> Value? {
        state.withLock { state in
            state.clock += 1
            state.entries[key]?.lastUse = state.clock
            return state.entries[key]?.value
        }
    }

    /// Keeps a value, giving up the quarter not used for longest when there are too many.
    func keep(_ value: Value, _ key: Key) {
        // What falls out is released after the lock.
        let dropped: [Value] = state.withLock { state in
            state.clock += 1
            state.entries[key] = Entry(value: value, lastUse: state.clock)
            guard state.entries.count > capacity else { return [] }
            let oldest = state.entries.sorted { $0.value.lastUse < $1.value.lastUse }.prefix(capacity / 4 + 1)
            return oldest.compactMap { state.entries.removeValue(forKey: $0.key)?.value }
        }
        withExtendedLifetime(dropped) {}
    }

    /// The value kept under `key`, made by `make` when there is none.
    func value(_ key: Key, make: () async throws -> Value) async throws -> Value {
        if let value = value(key) { return value }
        let made = try await make()
        keep(made, key)
        return made
    }
}
