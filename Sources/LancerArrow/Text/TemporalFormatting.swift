import LancerBytes

/// Writes short ASCII into memory that is known to be large enough.
struct ASCIIWriter {
    private let target: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ target: UnsafeMutableRawBufferPointer) { self.target = target }

    @inline(__always)
    mutating func put(_ character: Unicode.Scalar) {
        target[count] = UInt8(truncatingIfNeeded: character.value)
        count &+= 1
    }

    /// A number with leading zeros up to `digits` digits; more digits are written when it has more.
    @inline(__always)
    mutating func put(_ value: UInt64, digits: Int = 1) {
        var length = 1
        var limit: UInt64 = 10
        while length < 20, value >= limit {
            length += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        if length == 19, value >= 10_000_000_000_000_000_000 { length = 20 }
        let total = Swift.max(length, digits)
        var rest = value
        var position = count &+ total
        while position > count {
            position &-= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            target[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        count &+= total
    }

    /// A number below 100, as two digits.
    @inline(__always)
    mutating func put(twoDigits value: Int64) {
        let number = UInt8(truncatingIfNeeded: value)
        let tens = number / 10
        target[count] = UInt8(ascii: "0") &+ tens
        target[count &+ 1] = UInt8(ascii: "0") &+ (number &- tens &* 10)
        count &+= 2
    }

    /// A number that is known to have no more than `digits` digits.
    @inline(__always)
    private mutating func put(exactly digits: Int, _ value: Int64) {
        var rest = UInt32(truncatingIfNeeded: value)
        var position = count &+ digits
        while position > count {
            position &-= 1
            let quotient = rest / 10
            target[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
            rest = quotient
        }
        count &+= digits
    }

    mutating func put(date: CivilDate) {
        if date.year >= 0, date.year <= 9999 {
            put(twoDigits: date.year / 100)
            put(twoDigits: date.year % 100)
        } else {
            put(date.year < 0 ? "-" : "+")
            put(date.year.magnitude, digits: 4)
        }
        put("-")
        put(twoDigits: Int64(date.month))
        put("-")
        put(twoDigits: Int64(date.day))
    }

    /// Seconds of a day and the fraction in `unit`, with all the digits the unit can tell.
    mutating func put(secondOfDay: Int64, fraction: Int64, _ unit: TimeUnit) {
        put(twoDigits: secondOfDay / 3600)
        put(":")
        put(twoDigits: secondOfDay / 60 % 60)
        put(":")
        put(twoDigits: secondOfDay % 60)
        if unit != .second {
            put(".")
            put(exactly: unit.fractionDigits, fraction)
        }
    }
}

extension ArrowText {
    /// Appends `YYYY-MM-DD`.
    public static func append(date days: Int64, to text: inout BufferBuilder) {
        // Beyond any day that 64 bits of seconds reach the calendar arithmetic would overflow.
        guard days.magnitude < 1 << 52 else { return append(integer: days, to: &text) }
        text.append(upTo: 40) { target in
            var writer = ASCIIWriter(target)
            writer.put(date: CivilDate(days: days))
            return writer.count
        }
    }

    /// Appends `HH:MM:SS` with the unit's digits after the point; a count outside the day is written as an integer.
    public static func append(time value: Int64, _ unit: TimeUnit, to text: inout BufferBuilder) {
        guard value >= 0, value < 86400 * unit.perSecond else { return append(integer: value, to: &text) }
        text.append(upTo: 24) { target in
            var writer = ASCIIWriter(target)
            writer.put(secondOfDay: value / unit.perSecond, fraction: value % unit.perSecond, unit)
            return writer.count
        }
    }

    /// Appends `YYYY-MM-DDTHH:MM:SS`, the unit's digits after the point, and `Z` or the offset where there is a zone.
    public static func append(
        timestamp value: Int64,
        _ unit: TimeUnit,
        _ zone: TimeZoneRule,
        to text: inout BufferBuilder
    ) {
        let seconds = value.floorDivided(by: unit.perSecond)
        let fraction = value &- seconds &* unit.perSecond
        var days = seconds.floorDivided(by: 86400)
        var secondOfDay = seconds &- days &* 86400 &+ Int64(zone.minutes) &* 60
        let carry = secondOfDay.floorDivided(by: 86400)
        days &+= carry
        secondOfDay &-= carry &* 86400
        text.append(upTo: 64) { target in
            var writer = ASCIIWriter(target)
            writer.put(date: CivilDate(days: days))
            writer.put("T")
            writer.put(secondOfDay: secondOfDay, fraction: fraction, unit)
            switch zone {
            case .none: break
            case .utc: writer.put("Z")
            case .fixed(let minutes):
                writer.put(minutes < 0 ? "-" : "+")
                writer.put(twoDigits: Int64(minutes.magnitude / 60))
                writer.put(":")
                writer.put(twoDigits: Int64(minutes.magnitude % 60))
            }
            return writer.count
        }
    }

    /// Appends a date64: a date, or a timestamp in milliseconds when it is not midnight.
    public static func append(date64 value: Int64, to text: inout BufferBuilder) {
        if value % 86_400_000 == 0 {
            append(date: value / 86_400_000, to: &text)
        } else {
            append(timestamp: value, .millisecond, .none, to: &text)
        }
    }
}
