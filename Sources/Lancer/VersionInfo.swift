import LancerBytes
import LancerTable

/// Which version of a table to open.
public enum VersionSelector: Sendable, Hashable {
    /// The newest.
    case latest
    /// The one with this number.
    case version(UInt64)
    /// The one that a tag names.
    case tag(String)
    /// The one that was the newest at a moment: the last committed at or before it.
    case asOf(Timestamp)
}

/// One version of a table.
public struct VersionInfo: Sendable, Hashable {
    /// Number of the version.
    public let version: UInt64
    /// When it was committed.
    public let timestamp: Timestamp
    /// Number of rows, deleted ones not counted; nil if the manifest does not know.
    public let rowCount: Int?
    /// Number of fragments.
    public let fragmentCount: Int
    /// Name of the operation that made it, as the format spells it (`Append`, `Overwrite`, `Delete` …); nil when the
    /// version carries no transaction.
    public let operation: String?
    /// Text the writer gave with the commit.
    public let message: String?
}

/// A moment in UTC with nanoseconds.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int64
    /// Nanoseconds in the second, 0 ..< 1,000,000,000.
    public let nanoseconds: Int32

    /// Makes a moment.
    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Earlier first.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339: `2026-11-21T10:15:30.123456789Z`.
    public var description: String { instant.text }

    /// Reads RFC 3339, `2026-11-21T10:15:30Z` or `2026-11-21 12:15:30.25+02:00`. The zone must be there.
    ///
    /// - Throws: `invalidArgument`.
    public init(rfc3339 text: String) throws(LanceError) {
        let instant = try Instant(rfc3339: text)
        self.init(seconds: instant.seconds, nanoseconds: instant.nanoseconds)
    }

    var instant: Instant { Instant(seconds: seconds, nanoseconds: nanoseconds) }
}
