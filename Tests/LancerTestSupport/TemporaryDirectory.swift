#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A directory of a test's own that goes away with this object.
package final class TemporaryDirectory: Sendable {
    /// Its path, without a slash at the end.
    package let path: String

    package init() {
        var generator = SystemRandomNumberGenerator()
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        path = "\(base)/lancer-test-\(String(generator.next(), radix: 36))"
        mkdir(path, 0o700)
    }

    deinit { Self.remove(path) }

    /// Names of everything below, as relative paths, directories left out.
    package func files() -> [String] { Self.files(path, "").sorted() }

    private static func names(_ path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { start in
                start.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: start.pointee)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func files(_ root: String, _ prefix: String) -> [String] {
        (names("\(root)/\(prefix)") ?? []).flatMap { name in
            names("\(root)/\(prefix)\(name)") == nil ? ["\(prefix)\(name)"] : files(root, "\(prefix)\(name)/")
        }
    }

    private static func remove(_ path: String) {
        if let names = names(path) {
            for name in names { remove("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
