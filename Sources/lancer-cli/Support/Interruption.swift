import Dispatch
import Lancer

/// Work that an interrupt (Ctrl-C) or a request to terminate cancels, so that it clears up before the program ends.
enum Interruption {
    /// Runs work until it is done or the user loses patience; a second signal ends the program at once.
    ///
    /// - Throws: what the work throws, which is `CancellationError` after a signal.
    static func cancelling<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await work() }
        let signals = [SIGINT, SIGTERM]
        let sources = signals.map { number in
            // The source sees the signal only where it does not end the process.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if task.isCancelled { _exit(128 + number) }
                task.cancel()
            }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in signals { signal(number, SIG_DFL) }
        }
        return try await task.value
    }
}
