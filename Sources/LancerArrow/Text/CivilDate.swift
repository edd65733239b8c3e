/// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
package struct CivilDate: Sendable {
    /// Year; 0 is 1 BC.
    package var year: Int64
    /// Month, 1 to 12.
    package var month: Int
    /// Day of the month, from 1.
    package var day: Int

    /// Puts a date together; see ``isValid``.
    package init(year: Int64, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date `days` after 1970-01-01. Any count of seconds in 64 bits gives a day that is far enough inside.
    package init(days: Int64) {
        // Years counted from March, so that the leap day is the last of the year; eras of 400 years are all alike.
        let shifted = days &+ 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let marchMonth = (5 &* dayOfYear &+ 2) / 153
        day = Int(dayOfYear &- (153 &* marchMonth &+ 2) / 5 &+ 1)
        month = Int(marchMonth < 10 ? marchMonth &+ 3 : marchMonth &- 9)
        year = era &* 400 &+ yearOfEra &+ (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01; the year must be within ±10^12.
    package var days: Int64 {
        let marchYear = month <= 2 ? year &- 1 : year
        let era = marchYear.floorDivided(by: 400)
        let yearOfEra = marchYear &- era &* 400
        let marchMonth = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 &* marchMonth &+ 2) / 5 &+ Int64(day) &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    /// Whether month and day exist.
    package var isValid: Bool {
        guard (1...12).contains(month), day >= 1 else { return false }
        return day <= Self.daysInMonth(month, isLeap: isLeapYear)
    }

    private var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysInMonth(_ month: Int, isLeap: Bool) -> Int {
        switch month {
        case 2: isLeap ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    /// The quotient rounded towards negative infinity; `divisor` is positive.
    @inline(__always)
    package func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient &- 1 : quotient
    }
}

extension TimeUnit {
    /// How many of the unit make a second.
    public var perSecond: Int64 {
        switch self {
        case .second: 1
        case .millisecond: 1000
        case .microsecond: 1_000_000
        case .nanosecond: 1_000_000_000
        }
    }

    /// Decimal digits of the fraction of a second that the unit can tell.
    public var fractionDigits: Int {
        switch self {
        case .second: 0
        case .millisecond: 3
        case .microsecond: 6
        case .nanosecond: 9
        }
    }
}

/// What a timestamp type's time zone means for its text.
public enum TimeZoneRule: Sendable, Hashable {
    /// No zone: clock time as it is, written without a suffix.
    case none
    /// UTC, or a named zone (`Europe/Berlin`): there is no zone database here, so moments are written in UTC, with `Z`.
    case utc
    /// A fixed distance from UTC in minutes, written as `+05:30`.
    case fixed(minutes: Int)

    /// The rule for the `timezone` of an Arrow timestamp type: `+HH:MM`, `-HHMM`, `+HH`, or a name.
    public init(timezone: String?) {
        guard let timezone else {
            self = .none
            return
        }
        var text = timezone
        let minutes = text.withUTF8 { utf8 -> Int? in
            var cursor = TextCursor(UnsafeRawBufferPointer(utf8))
            let minutes = cursor.zoneOffset()
            return cursor.isAtEnd ? minutes : nil
        }
        // An offset of zero is UTC by another name, and is written as such.
        self = minutes == nil || minutes == 0 ? .utc : .fixed(minutes: minutes ?? 0)
    }

    /// Minutes to add to UTC for the clock time that is written.
    package var minutes: Int {
        if case .fixed(let minutes) = self { return minutes }
        return 0
    }
}
