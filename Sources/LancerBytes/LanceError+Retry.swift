/// Why a failed change may be made again: the cause of a conflict that starting over on the newest version resolves.
public struct RetryAdvice: Error, Sendable, CustomStringConvertible {
    package init() {}

    /// What to do.
    public var description: String { "open the table again and retry" }
}

extension LanceError {
    /// Whether the same change, prepared again on the newest version, may succeed.
    public var isRetryable: Bool { cause is RetryAdvice }

    /// A conflict with another writer.
    ///
    /// - Parameter retry: Whether the change may succeed when it is prepared again.
    @inline(never)
    package static func conflict(_ message: String, retry: Bool) -> LanceError {
        LanceError(.conflict, message, cause: retry ? RetryAdvice() : nil)
    }
}
