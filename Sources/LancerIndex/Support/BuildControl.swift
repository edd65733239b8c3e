import Dispatch
import Synchronization

/// What a long computation needs from its caller: how many threads, whom to tell, when to stop.
package struct BuildControl: Sendable {
    /// Threads to use; results do not depend on it.
    package var threads: Int
    /// Called now and then, from the computing thread, with a stage and the share of it that is done (0...1).
    /// Returns false to stop: the computation then throws `CancellationError`.
    package var report: @Sendable (_ stage: BuildStage, _ share: Double) -> Bool

    /// Without a report, nothing stops the computation.
    package init(
        threads: Int = 1,
        report: @escaping @Sendable (_ stage: BuildStage, _ share: Double) -> Bool = { _, _ in true }
    ) {
        self.threads = max(1, threads)
        self.report = report
    }

    /// The same caller, one thread, no reports: for parts of a computation that run at the same time as others.
    package var single: BuildControl { BuildControl(threads: 1) }

    func check(_ stage: BuildStage, _ share: Double) throws {
        guard report(stage, share) else { throw CancellationError() }
    }

    /// Runs `body` for 0..<count, on ``threads`` threads that take the next number when they are free.
    func parallel(_ count: Int, _ body: (Int) -> Void) {
        parallel(count) { index, _ in body(index) }
    }

    /// The same; `body` is also told which thread (0..<threads) runs it, to find memory of its own.
    func parallel(_ count: Int, _ body: (_ index: Int, _ worker: Int) -> Void) {
        let workers = min(threads, count)
        if workers <= 1 {
            for index in 0..<count { body(index, 0) }
            return
        }
        let taken = Counter()
        withoutActuallyEscaping(body) { body in
            // Safe: concurrentPerform waits for all calls, and callers let them write to places of their own only.
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                while true {
                    let index = taken.value.wrappingAdd(1, ordering: .relaxed).oldValue
                    if index >= count { break }
                    body(index, worker)
                }
            }
        }
    }

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }
}

/// Parts of the making of an index.
package enum BuildStage: String, Sendable {
    case partitions, codebook, encode, graph, write
}
