#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Where warnings go that nobody asked for.
package enum StandardError {
    /// Writes text, best effort.
    package static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { bytes in
                bytes.baseAddress.map { lancerWrite($0, bytes.count) } ?? 0
            }
            if written <= 0 { return }
            rest = rest.dropFirst(written)
        }
    }
}

/// `write` to standard error; a name of its own because `StandardError.write` hides the C function.
private func lancerWrite(_ bytes: UnsafeRawPointer, _ count: Int) -> Int { write(STDERR_FILENO, bytes, count) }
