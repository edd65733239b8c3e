import Dispatch
import Lancer
import Synchronization

/// Hands the batches of an asynchronous source to code that pulls them synchronously.
///
/// A task runs the source a few batches ahead. ``next()`` blocks its thread, so it must be called on a
/// ``BlockingExecutor``, never on a thread of Swift's shared pool.
final class BlockingReader: RecordBatchReader, @unchecked Sendable {
    // Safe to share: everything that changes is inside `state`.
    let schema: ArrowSchema
    private let state = Mutex(State())
    private let available = DispatchSemaphore(value: 0)
    /// Batches read ahead: so many, or so many bytes of them.
    private static let ahead = 4
    private static let bytesAhead = 96 << 20

    private struct State {
        var queue: [Result<RecordBatch, any Error>] = []
        var bytes = 0
        var isAbandoned = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    /// Starts running `source`.
    init(_ source: any BatchSource) {
        schema = source.schema
        let box = SourceBox(source: source)
        // The task owns the source from here on; nobody else sees it.
        Task.detached { [weak self] in
            do {
                while let batch = try await box.source.next() {
                    guard let reader = self, await reader.send(batch) else { return }
                }
                self?.end(nil)
            } catch {
                self?.end(error)
            }
        }
    }

    /// The next batch, waiting for it.
    func next() throws -> RecordBatch? {
        available.wait()
        let (result, waiting) = state.withLock { state in
            let result = state.queue.isEmpty ? nil : state.queue.removeFirst()
            if case .success(let batch) = result { state.bytes -= batch.sizeInBytes }
            let waiting = state.waiting
            state.waiting = nil
            return (result, waiting)
        }
        waiting?.resume()
        guard let result else {
            available.signal()
            return nil
        }
        return try result.get()
    }

    /// Lets the source stop when the batches are no longer wanted.
    func abandon() {
        let waiting = state.withLock { state in
            state.isAbandoned = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    private func send(_ batch: RecordBatch) async -> Bool {
        state.withLock { state in
            state.queue.append(.success(batch))
            state.bytes += batch.sizeInBytes
        }
        available.signal()
        await withCheckedContinuation { continuation in
            let isFull = state.withLock { state in
                guard state.queue.count >= Self.ahead || state.bytes >= Self.bytesAhead, !state.isAbandoned else {
                    return false
                }
                state.waiting = continuation
                return true
            }
            if !isFull { continuation.resume() }
        }
        return !state.withLock(\.isAbandoned)
    }

    private func end(_ error: (any Error)?) {
        if let error { state.withLock { $0.queue.append(.failure(error)) } }
        // One signal for the failure, if any, and one for the end.
        if error != nil { available.signal() }
        available.signal()
    }
}

private final class SourceBox: @unchecked Sendable {
    // Safe to share: only the task that gets the box uses it.
    var source: any BatchSource

    init(source: any BatchSource) { self.source = source }
}

/// Runs tasks on threads that may block.
final class BlockingExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "lancer.blocking", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
