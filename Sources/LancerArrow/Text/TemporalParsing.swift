/// Text of single values, and values from text.
///
/// Dates and times are ISO 8601 over the proleptic Gregorian calendar; the year has four digits, or a sign and at least
/// four (`-0044-03-15`, `+12345-01-01`). All parse functions want the whole input to be the value (no blanks around it)
/// and return nil for anything else.
public enum ArrowText {}

/// A date with or without a time, as read from text.
public struct ParsedTimestamp: Sendable, Hashable {
    /// Days since 1970-01-01 of the date as written.
    public var days: Int64
    /// Seconds since midnight as written.
    public var secondOfDay = 0
    /// Nanoseconds of the second.
    public var nanosecond = 0
    /// Digits written after the decimal point.
    public var fractionDigits = 0
    /// Whether there was a time at all.
    public var hasTime = false
    /// Minutes east of UTC, when the text said so.
    public var offsetMinutes: Int?

    /// The moment in `unit` since 1970-01-01T00:00:00, or nil when it does not fit exactly.
    ///
    /// Text with an offset is a moment and comes out in UTC, also when the type has no zone. Text without one is clock
    /// time in the type's zone (UTC for named zones).
    public func value(_ unit: TimeUnit, _ zone: TimeZoneRule) -> Int64? {
        let offset = offsetMinutes ?? zone.minutes
        let seconds = Int128(days) * 86400 + Int128(secondOfDay) - Int128(offset) * 60
        let step = 1_000_000_000 / Int(unit.perSecond)
        guard nanosecond % step == 0 else { return nil }
        return Int64(exactly: seconds * Int128(unit.perSecond) + Int128(nanosecond / step))
    }
}

extension ArrowText {
    /// A date, alone or with a time (`T` or blank between them) and an offset.
    public static func parseTimestamp(_ bytes: UnsafeRawBufferPointer) -> ParsedTimestamp? {
        var cursor = TextCursor(bytes)
        guard let date = date(&cursor) else { return nil }
        var result = ParsedTimestamp(days: date.days)
        if cursor.isAtEnd { return result }
        guard cursor.take("T") || cursor.take(" ") || cursor.take("t") else { return nil }
        guard let time = time(&cursor) else { return nil }
        result.secondOfDay = time.second
        result.nanosecond = time.nanosecond
        result.fractionDigits = time.digits
        result.hasTime = true
        if !cursor.isAtEnd {
            guard let offset = cursor.zoneOffset() else { return nil }
            result.offsetMinutes = offset
        }
        return cursor.isAtEnd ? result : nil
    }

    /// A timestamp as a count of `unit`; see ``ParsedTimestamp/value(_:_:)``.
    public static func parseTimestamp(
        _ bytes: UnsafeRawBufferPointer,
        unit: TimeUnit,
        zone: TimeZoneRule
    ) -> Int64? {
        parseTimestamp(bytes)?.value(unit, zone)
    }

    /// A date as days since 1970-01-01.
    public static func parseDate(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        var cursor = TextCursor(bytes)
        guard let date = date(&cursor), cursor.isAtEnd else { return nil }
        return date.days
    }

    /// A time of day `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff` as a count of `unit`; nil when that is not exact.
    public static func parseTime(_ bytes: UnsafeRawBufferPointer, unit: TimeUnit) -> Int64? {
        var cursor = TextCursor(bytes)
        guard let time = time(&cursor), cursor.isAtEnd else { return nil }
        let step = 1_000_000_000 / Int(unit.perSecond)
        guard time.nanosecond % step == 0 else { return nil }
        return Int64(time.second) * unit.perSecond + Int64(time.nanosecond / step)
    }

    private static func date(_ cursor: inout TextCursor) -> CivilDate? {
        var sign: Int64 = 1
        var isSigned = true
        if cursor.take("-") { sign = -1 } else if !cursor.take("+") { isSigned = false }
        var year: Int64 = 0
        var digits = 0
        while digits < 13, let digit = cursor.digit() {
            year = year * 10 + Int64(digit)
            digits += 1
        }
        // Without a sign a fifth digit is more likely a number that is no date.
        guard isSigned ? digits >= 4 && digits <= 12 : digits == 4, cursor.take("-") else { return nil }
        guard let month = cursor.number(digits: 2), cursor.take("-"), let day = cursor.number(digits: 2) else {
            return nil
        }
        let date = CivilDate(year: sign * year, month: month, day: day)
        return date.isValid ? date : nil
    }

    private static func time(_ cursor: inout TextCursor) -> (second: Int, nanosecond: Int, digits: Int)? {
        guard let hour = cursor.number(digits: 2), hour < 24, cursor.take(":") else { return nil }
        guard let minute = cursor.number(digits: 2), minute < 60 else { return nil }
        guard cursor.take(":") else { return (hour * 3600 + minute * 60, 0, 0) }
        guard let second = cursor.number(digits: 2), second < 60 else { return nil }
        var nanosecond = 0
        var digits = 0
        if cursor.take(".") || cursor.take(",") {
            while let digit = cursor.digit() {
                if digits < 9 {
                    nanosecond = nanosecond * 10 + Int(digit)
                } else if digit != 0 {
                    return nil
                }
                digits += 1
            }
            guard digits > 0 else { return nil }
            for _ in digits..<Swift.max(digits, 9) { nanosecond *= 10 }
        }
        return (hour * 3600 + minute * 60 + second, nanosecond, digits)
    }
}
