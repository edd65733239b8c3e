import LancerBytes
import LancerStorage
import LancerTable
import Synchronization
import Testing

/// A store that stops for good at one of its calls, as if the process had been killed there.
final class CrashingStore: ObjectStore {
    /// When in the call it stops.
    enum Moment: CaseIterable {
        /// Nothing of the call is done.
        case before
        /// Half of the bytes lie in an unfinished file.
        case halfWay
        /// The call is done, but nobody learns of it.
        case after
    }

    private let base: any ObjectStore
    private let left: Mutex<Int>
    private let moment: Moment

    /// - Parameter calls: How many calls work before the one it stops at.
    init(_ base: any ObjectStore, calls: Int, _ moment: Moment) {
        self.base = base
        left = Mutex(calls)
        self.moment = moment
    }

    /// Whether the call was reached.
    var hasCrashed: Bool { left.withLock { $0 < 0 } }

    private static let error = LanceError(.io, "the process was killed")

    /// Runs a call, or the part of it that is still done.
    private func run<T>(
        _ call: () async throws(LanceError) -> T,
        half: () async throws(LanceError) -> Void = {}
    ) async throws(LanceError) -> T {
        let rest = left.withLock { left in
            left -= 1
            return left
        }
        if rest >= 0 { return try await call() }
        if rest == -1 {
            if moment == .after { _ = try await call() }
            if moment == .halfWay { try await half() }
        }
        throw Self.error
    }

    private func spend() throws(LanceError) -> Bool {
        let rest = left.withLock { left in
            left -= 1
            return left
        }
        if rest >= 0 { return false }
        guard rest == -1, moment != .before else { throw Self.error }
        return true
    }

    private func leaveHalf(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        let directory = path.split(separator: "/").dropLast().joined(separator: "/")
        try await base.put("\(directory)/.tmp0123456789abcdef", bytes.slice(0..<(bytes.count / 2)))
    }

    var root: String { base.root }

    func open(_ path: String) async throws(LanceError) -> any StoredObject {
        try await run { () async throws(LanceError) in try await base.open(path) }
    }

    func read(_ path: String, limit: Int) async throws(LanceError) -> ArrowBuffer {
        try await run { () async throws(LanceError) in try await base.read(path, limit: limit) }
    }

    func list(_ directory: String) async throws(LanceError) -> [String] {
        try await run { () async throws(LanceError) in try await base.list(directory) }
    }

    func entries(_ directory: String) async throws(LanceError) -> [StoredEntry] {
        try await run { () async throws(LanceError) in try await base.entries(directory) }
    }

    func exists(_ path: String) async throws(LanceError) -> Bool {
        try await run { () async throws(LanceError) in try await base.exists(path) }
    }

    func put(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        try await run { () async throws(LanceError) in
            try await base.put(path, bytes)
        } half: { () async throws(LanceError) in
            try await leaveHalf(path, bytes)
        }
    }

    func putIfAbsent(_ path: String, _ bytes: ArrowBuffer) async throws(LanceError) {
        try await run { () async throws(LanceError) in
            try await base.putIfAbsent(path, bytes)
        } half: { () async throws(LanceError) in
            try await leaveHalf(path, bytes)
        }
    }

    func secure(_ path: String) async throws(LanceError) {
        try await run { () async throws(LanceError) in try await base.secure(path) }
    }

    func delete(_ path: String) async throws(LanceError) {
        try await run { () async throws(LanceError) in try await base.delete(path) }
    }

    func removeEmptyDirectory(_ path: String) async { await base.removeEmptyDirectory(path) }

    func create(_ path: String) throws(LanceError) -> any ObjectSink {
        let dies = try spend()
        let sink = Sink(self, try base.create(path))
        if dies { throw Self.error }
        return sink
    }

    private final class Sink: ObjectSink {
        private let store: CrashingStore
        private var base: any ObjectSink

        init(_ store: CrashingStore, _ base: any ObjectSink) {
            self.store = store
            self.base = base
        }

        var count: UInt64 { base.count }

        func write(_ buffer: ArrowBuffer) throws(LanceError) {
            let dies = try store.spend()
            try base.write(dies && store.moment == .halfWay ? buffer.slice(0..<(buffer.count / 2)) : buffer)
            if dies { throw CrashingStore.error }
        }

        func finish() throws(LanceError) {
            let dies = try store.spend()
            if !dies || store.moment == .after { try base.finish() }
            if dies { throw CrashingStore.error }
        }

        // A dead process removes nothing.
        func cancel() { if !store.hasCrashed { base.cancel() } }
    }
}

extension CrashingStore {
    /// What is left after a stop at one call.
    struct Stop {
        /// The store as the next process finds it.
        let left: MemoryStore
        /// Whether the change said that it was done.
        let reported: Bool
        /// Which call it was, for messages.
        let place: String

        /// Expects the old state or the new one, the new one where the change said that it was done, and a sound table.
        func expect<State: Equatable>(_ state: State, _ before: State, or after: State) async throws {
            #expect(state == before || state == after, "\(place)")
            #expect(!reported || state == after, "\(place)")
            try await expectSound()
        }

        /// Expects that a deep check finds nothing.
        func expectSound() async throws {
            let report = try await TableCheck(store: left, isDeep: true).run()
            #expect(report.findings.isEmpty, "\(place): \(report.findings.map(\.message))")
        }
    }

    /// Makes a change over and over, stopped before, half-way through and after each of its storage calls, on a copy of
    /// the same store each time.
    ///
    /// - Parameters:
    ///   - name: Of the change, printed with the number of stops.
    ///   - check: Looks at what is left after each.
    static func stops(
        of name: String,
        on original: MemoryStore,
        _ change: (any ObjectStore) async throws -> Void,
        _ check: (Stop) async throws -> Void
    ) async throws {
        var cases = 0
        for moment in Moment.allCases {
            for calls in 0... {
                let store = MemoryStore(original.snapshot)
                let crashing = CrashingStore(store, calls: calls, moment)
                let reported: Bool
                do {
                    try await change(crashing)
                    reported = true
                } catch {
                    reported = false
                }
                if !crashing.hasCrashed { break }
                cases += 1
                let place = "\(name), call \(calls), \(moment)"
                try await check(Stop(left: MemoryStore(store.snapshot), reported: reported, place: place))
                try #require(calls < 1000, "\(name) never ends")
            }
        }
        print("\(name): \(cases) stops")
        #expect(cases >= 9)
    }
}
