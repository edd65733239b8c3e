#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The time of day.
package enum WallClock {
    /// Seconds since 1970-01-01T00:00:00Z and the nanoseconds in the second.
    package static func now() -> (seconds: Int64, nanoseconds: Int32) {
        var time = timespec()
        guard clock_gettime(CLOCK_REALTIME, &time) == 0 else { return (0, 0) }
        return (Int64(time.tv_sec), Int32(clamping: time.tv_nsec))
    }
}
