import ArgumentParser
import Lancer

/// Exit statuses of `lancer`; `lancer --help` lists them.
enum ExitStatus: Int32 {
    case done = 0
    case findings = 1
    case usage = 2
    case unreadable = 3
    case conflict = 4
    case unsupported = 5

    /// The status for a class of failure.
    init(_ code: LanceError.Code) {
        switch code {
        case .notFound, .alreadyExists, .invalidArgument, .schemaMismatch: self = .usage
        case .conflict: self = .conflict
        case .unsupported: self = .unsupported
        default: self = .unreadable
        }
    }
}

/// How a run failed: one line for people, a word for machines, a status for scripts.
struct Failure {
    let status: ExitStatus
    let code: String
    let message: String

    init(_ error: any Error) {
        if let error = error as? LanceError {
            status = ExitStatus(error.code)
            code = error.code.description
            let place = error.location.description
            let cause = error.cause.map { " (\($0))" } ?? ""
            // Such a message names the feature only.
            let what = error.code == .unsupported ? "not supported: \(error.message)" : error.message
            message = place.isEmpty ? what + cause : "\(place): \(what)\(cause)"
        } else if error is CancellationError {
            status = .unreadable
            code = "cancelled"
            message = "interrupted before it was done; run it again"
        } else {
            status = .unreadable
            code = "io"
            message = "\(error)"
        }
    }

    /// The message on one line without control characters.
    var line: String { "lancer: \(message.visible)" }
}

extension String {
    /// The text with control characters written as escapes, so that data cannot steer a terminal.
    var visible: String {
        guard utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == 0xC2 }) else { return self }
        var result = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Writes a line to standard error.
func complain(_ line: String) {
    var rest = Array("\(line)\n".utf8)
    while !rest.isEmpty {
        let wrote = write(STDERR_FILENO, rest, rest.count)
        if wrote <= 0 { return }
        rest.removeFirst(wrote)
    }
}
