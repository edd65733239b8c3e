/// Which version of a table to open.
public enum VersionSelector: Sendable, Hashable {
    /// The newest.
    case latest
    /// The one with this number.
    case version(UInt64)
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
    public var description: String {
        let (days, second) = seconds.flooredDivision(by: 86400)
        // Civil date from a day number: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date = "\(year.padded(4))-\(month.padded(2))-\(day.padded(2))"
        let time = "\((second / 3600).padded(2)):\((second / 60 % 60).padded(2)):\((second % 60).padded(2))"
        return "\(date)T\(time).\(Int64(nanoseconds).padded(9))Z"
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    fileprivate func padded(_ width: Int) -> String {
        let digits = String(magnitude)
        return (self < 0 ? "-" : "") + String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
