import Lancer
import Synchronization

/// A line on standard error that says what the making of an index is at.
final class IndexProgressLine: Sendable {
    private struct State {
        var lastShown = monotonicSeconds()
        var stage = ""
        var hasLine = false
    }

    private let state = Mutex(State())
    private let isShown: Bool
    private let isTerminal = Terminal.showsProgress

    /// - Parameter wanted: Nil shows it on a terminal only.
    init(_ wanted: Bool?) { isShown = wanted ?? Terminal.showsProgress }

    func show(_ progress: IndexProgress) {
        guard isShown else { return }
        state.withLock { state in
            let now = monotonicSeconds()
            // In a file every stage gets a line; on a terminal one line changes.
            guard state.stage != progress.stage || (isTerminal && now - state.lastShown > 0.1) else { return }
            state.lastShown = now
            state.stage = progress.stage
            let text = "\(Self.names[progress.stage] ?? progress.stage) \(Int(progress.share * 100)) %"
            if isTerminal {
                put("\r\u{1B}[K\(text)")
                state.hasLine = true
            } else {
                put("\(Self.names[progress.stage] ?? progress.stage)\n")
            }
        }
    }

    private static let names = [
        "partitions": "finding centroids", "codebook": "learning codes", "encode": "encoding rows",
        "graph": "building graphs",
    ]

    /// Takes the line away.
    func finish() {
        state.withLock { state in
            if state.hasLine { put("\r\u{1B}[K") }
            state.hasLine = false
        }
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
