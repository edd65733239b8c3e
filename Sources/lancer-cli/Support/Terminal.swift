import Synchronization

/// Facts about the terminal, if there is one.
enum Terminal {
    /// Columns of the terminal that standard output goes to; nil when it goes to a file or pipe.
    static var width: Int? {
        if let columns = environment("COLUMNS").flatMap({ Int($0) }), columns > 0, isatty(STDOUT_FILENO) == 1 {
            return columns
        }
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }

    /// Whether standard error is shown to a person.
    static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb" }
}

/// A line on standard error that says how far a long run is; silent when standard error is not a terminal.
struct Progress {
    private let verb: String
    private let start = monotonicSeconds()
    private var lastShown = monotonicSeconds()
    private var rows = 0
    private var bytes = 0
    private let isShown = Terminal.showsProgress
    private var hasLine = false

    private let total: Int?

    /// - Parameter total: How many rows there will be, where that is known.
    init(_ verb: String, of total: Int? = nil) {
        self.verb = verb
        self.total = total
    }

    /// Counts a batch.
    mutating func advance(rows: Int, bytes: Int) {
        self.rows += rows
        self.bytes += bytes
        guard isShown else { return }
        let now = monotonicSeconds()
        // Short runs show nothing at all.
        guard now - lastShown > 0.25 else { return }
        lastShown = now
        hasLine = true
        let share = total.map { $0 > 0 ? " of \($0.grouped) (\(self.rows * 100 / $0) %)" : "" } ?? ""
        put("\r\u{1B}[K\(verb) \(self.rows.grouped)\(share) rows, \(rate(now))")
    }

    /// Takes the line away.
    mutating func finish() {
        if hasLine { put("\r\u{1B}[K") }
        hasLine = false
    }

    private func rate(_ now: Double) -> String {
        let seconds = Swift.max(now - start, 1e-9)
        return "\((Double(bytes) / seconds / 1e6).fixed(1)) MB/s"
    }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}

/// A ``Progress`` told from several tasks.
final class SharedProgress: Sendable {
    private let progress: Mutex<Progress>

    init(_ verb: String) { progress = Mutex(Progress(verb)) }

    func advance(rows: Int, bytes: Int) { progress.withLock { $0.advance(rows: rows, bytes: bytes) } }

    func finish() { progress.withLock { $0.finish() } }
}
