import LancerArrow
import LancerBytes

/// Dates, times of day and moments in text, ISO 8601 style.
///
/// `YYYY-MM-DD`, `HH:MM[:SS[.fraction]]`, and both joined by `T` or a space, with `Z` or `±HH[:][MM]` behind a moment in
/// UTC. Years outside 0…9999 carry a sign and up to twelve digits. The calendar is the proleptic Gregorian one.
enum TemporalText {
    /// A moment as written.
    struct Moment {
        /// Days since 1970-01-01.
        var days: Int64
        /// Seconds since midnight, below 86,400.
        var seconds: Int64 = 0
        /// Nanoseconds within the second.
        var nanoseconds: Int64 = 0
        /// Digits written behind the seconds' point.
        var fractionDigits = 0
        /// Whether a time of day was written.
        var hasTime = false
        /// Seconds east of UTC, when written (`Z` is 0).
        var offset: Int64?
    }

    // MARK: Calendar (Howard Hinnant, "chrono-compatible low-level date algorithms")

    /// Days since 1970-01-01 of a civil date.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted: Int64 = month <= 2 ? year - 1 : year
        let era: Int64 = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra: Int64 = shifted - era * 400
        let monthFromMarch: Int64 = month > 2 ? month - 3 : month + 9
        let dayOfYear: Int64 = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra: Int64 = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The civil date of a day number.
    static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted: Int64 = days + 719_468
        let era: Int64 = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra: Int64 = shifted - era * 146_097
        let yearOfEra: Int64 = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear: Int64 = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch: Int64 = (5 * dayOfYear + 2) / 153
        let day: Int64 = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month: Int64 = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func dayCount(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    // MARK: Reading

    @inline(__always)
    private static func twoDigits(_ text: UnsafePointer<UInt8>, _ position: Int) -> Int64? {
        let tens = text[position] &- 0x30
        let ones = text[position + 1] &- 0x30
        return tens <= 9 && ones <= 9 ? Int64(tens) * 10 + Int64(ones) : nil
    }

    /// Reads a date at `position` and moves behind it.
    @inline(__always)
    private static func date(_ text: UnsafePointer<UInt8>, _ count: Int, _ position: inout Int) -> Int64? {
        var year: Int64
        if count - position >= 10, text[position + 4] == 0x2D {
            guard let high = twoDigits(text, position), let low = twoDigits(text, position + 2) else { return nil }
            year = high * 100 + low
            position += 4
        } else {
            guard position < count, text[position] == 0x2D || text[position] == 0x2B else { return nil }
            let negative = text[position] == 0x2D
            position += 1
            let first = position
            year = 0
            while position < count, position - first < 12, text[position] &- 0x30 <= 9 {
                year = year * 10 + Int64(text[position] &- 0x30)
                position += 1
            }
            guard position - first >= 4 else { return nil }
            if negative { year = -year }
        }
        guard count - position >= 6, text[position] == 0x2D, text[position + 3] == 0x2D,
            let month = twoDigits(text, position + 1), let day = twoDigits(text, position + 4),
            month >= 1, month <= 12, day >= 1, day <= 28 || day <= dayCount(year: year, month: month)
        else { return nil }
        position += 6
        return days(year: year, month: month, day: day)
    }

    /// Reads a time of day at `position` and moves behind it; seconds, nanoseconds, digits of the fraction.
    @inline(__always)
    private static func time(
        _ text: UnsafePointer<UInt8>,
        _ count: Int,
        _ position: inout Int
    ) -> (seconds: Int64, nanoseconds: Int64, digits: Int)? {
        guard count - position >= 5, text[position + 2] == 0x3A,
            let hour = twoDigits(text, position), let minute = twoDigits(text, position + 3), hour < 24, minute < 60
        else { return nil }
        position += 5
        guard count - position >= 3, text[position] == 0x3A else { return (hour * 3600 + minute * 60, 0, 0) }
        guard let second = twoDigits(text, position + 1), second < 60 else { return nil }
        position += 3
        var nanoseconds: Int64 = 0
        var digits = 0
        if position < count, text[position] == 0x2E {
            position += 1
            while position < count, text[position] &- 0x30 <= 9 {
                guard digits < 9 else { return nil }
                nanoseconds = nanoseconds * 10 + Int64(text[position] &- 0x30)
                digits += 1
                position += 1
            }
            guard digits > 0 else { return nil }
            for _ in digits..<9 { nanoseconds *= 10 }
        }
        return (hour * 3600 + minute * 60 + second, nanoseconds, digits)
    }

    /// A date and nothing else: days since 1970-01-01.
    static func date(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
        var position = 0
        guard let days = date(text, count, &position), position == count else { return nil }
        return days
    }

    /// A date, or a date and a time of day with or without an offset.
    static func moment(_ text: UnsafePointer<UInt8>, _ count: Int) -> Moment? {
        var position = 0
        guard let days = date(text, count, &position) else { return nil }
        var moment = Moment(days: days)
        if position == count { return moment }
        guard text[position] == 0x54 || text[position] == 0x20 else { return nil }
        position += 1
        guard let time = time(text, count, &position) else { return nil }
        moment.hasTime = true
        (moment.seconds, moment.nanoseconds, moment.fractionDigits) = (time.seconds, time.nanoseconds, time.digits)
        if position == count { return moment }
        if text[position] == 0x5A {
            moment.offset = 0
            return position + 1 == count ? moment : nil
        }
        guard text[position] == 0x2B || text[position] == 0x2D else { return nil }
        let sign: Int64 = text[position] == 0x2B ? 1 : -1
        position += 1
        guard count - position >= 2, let hours = twoDigits(text, position), hours < 24 else { return nil }
        position += 2
        var minutes: Int64 = 0
        if position < count {
            if text[position] == 0x3A { position += 1 }
            guard count - position == 2, let written = twoDigits(text, position), written < 60 else { return nil }
            minutes = written
        }
        moment.offset = sign * (hours * 3600 + minutes * 60)
        return moment
    }

    /// `moment` counted in `unit` since 1970-01-01; nil when it is out of range or finer than the unit.
    static func value(_ moment: Moment, in unit: TimeUnit) -> Int64? {
        let perSecond = unit.perSecond
        let nanosecondsPerUnit = 1_000_000_000 / perSecond
        guard moment.nanoseconds % nanosecondsPerUnit == 0 else { return nil }
        var fraction = moment.nanoseconds / nanosecondsPerUnit
        // Negative days count towards zero first, so that the smallest value does not overflow on the way.
        let days = moment.days < 0 ? moment.days + 1 : moment.days
        let (dayTime, overflow) = days.multipliedReportingOverflow(by: 86_400)
        if overflow { return nil }
        let timeOfDay = moment.seconds - (moment.offset ?? 0) - (moment.days < 0 ? 86_400 : 0)
        var (seconds, carry) = dayTime.addingReportingOverflow(timeOfDay)
        if carry { return nil }
        if seconds < 0, fraction > 0 {
            // Likewise.
            seconds += 1
            fraction -= perSecond
        }
        let (whole, overflow2) = seconds.multipliedReportingOverflow(by: perSecond)
        let (value, overflow3) = whole.addingReportingOverflow(fraction)
        return overflow2 || overflow3 ? nil : value
    }

    /// A time of day counted in `unit`; nil when the text is another one or finer than the unit.
    static func timeOfDay(_ text: UnsafePointer<UInt8>, _ count: Int, in unit: TimeUnit) -> Int64? {
        var position = 0
        guard let time = time(text, count, &position), position == count else { return nil }
        let nanosecondsPerUnit = 1_000_000_000 / unit.perSecond
        guard time.nanoseconds % nanosecondsPerUnit == 0 else { return nil }
        return time.seconds * unit.perSecond + time.nanoseconds / nanosecondsPerUnit
    }

    // MARK: Writing

    private static func append(_ value: Int64, digits: Int, into output: inout BufferBuilder) {
        var divisor: Int64 = 1
        for _ in 1..<Swift.max(digits, 2) { divisor *= 10 }
        if digits < 2 { divisor = 1 }
        while divisor > 0 {
            output.append(UInt8(truncatingIfNeeded: 0x30 + value / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends `YYYY-MM-DD`.
    static func append(days: Int64, into output: inout BufferBuilder) {
        let (year, month, day) = civil(days: days)
        if year >= 0, year <= 9999 {
            append(year, digits: 4, into: &output)
        } else {
            output.append(UInt8(year < 0 ? 0x2D : 0x2B))
            let magnitude = Swift.abs(year)
            append(magnitude, digits: Swift.max(4, String(magnitude).utf8.count), into: &output)
        }
        output.append(UInt8(0x2D))
        append(month, digits: 2, into: &output)
        output.append(UInt8(0x2D))
        append(day, digits: 2, into: &output)
    }

    /// Appends `HH:MM:SS`, with a fraction of the unit's digits when it is not zero.
    static func append(time value: Int64, unit: TimeUnit, into output: inout BufferBuilder) {
        let perSecond = unit.perSecond
        var rest = value
        if value < 0 {
            // Not a time of day; written so that a reader notices.
            output.append(UInt8(0x2D))
            rest = value == .min ? .max : -value
        }
        let seconds = rest / perSecond
        let hours = seconds / 3600
        append(hours, digits: Swift.max(2, String(hours).utf8.count), into: &output)
        output.append(UInt8(0x3A))
        append(seconds / 60 % 60, digits: 2, into: &output)
        output.append(UInt8(0x3A))
        append(seconds % 60, digits: 2, into: &output)
        let fraction = rest % perSecond
        if fraction != 0 {
            output.append(UInt8(0x2E))
            append(fraction, digits: unit.fractionDigits, into: &output)
        }
    }

    /// Appends `YYYY-MM-DDTHH:MM:SS[.fraction]`, with `Z` when the moment is in UTC.
    static func append(moment value: Int64, unit: TimeUnit, utc: Bool, into output: inout BufferBuilder) {
        let perDay = unit.perSecond * 86_400
        var days = value / perDay
        var rest = value % perDay
        if rest < 0 {
            days -= 1
            rest += perDay
        }
        append(days: days, into: &output)
        output.append(UInt8(0x54))
        append(time: rest, unit: unit, into: &output)
        if utc { output.append(UInt8(0x5A)) }
    }
}

extension TimeUnit {
    /// Units in a second.
    var perSecond: Int64 {
        switch self {
        case .second: 1
        case .millisecond: 1000
        case .microsecond: 1_000_000
        case .nanosecond: 1_000_000_000
        }
    }

    /// Digits behind the seconds' point: 0, 3, 6, 9.
    var fractionDigits: Int {
        switch self {
        case .second: 0
        case .millisecond: 3
        case .microsecond: 6
        case .nanosecond: 9
        }
    }
}
