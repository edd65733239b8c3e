#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the process runs on.
package enum Machine {
    /// Cores in use, at least 1.
    package static let coreCount = Swift.max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))

    /// Batches that a scan prepares at the same time: one for each core and one that waits for its reader, and no more
    /// than memory for batches of a usual size allows.
    package static let readAhead = Swift.min(coreCount + 1, 32)
}
