import LancerArrow
import LancerBytes

extension Casting {
    /// Dates, times, timestamps and durations among each other.
    ///
    /// A timestamp without a zone is read as what the clocks of the target's zone show; a date or time taken from a
    /// zoned timestamp is the local one. A coarser unit cuts towards zero.
    static func castTemporal(
        _ array: ArrowArray,
        to type: ArrowType,
        _ mode: CastMode,
        _ context: EvaluationContext
    ) throws(LanceError) -> ArrowArray {
        let source = try int64(array)
        switch (array.type, type) {
        case (.date32, .date64): return try mapInt64(source, to: type, mode) { scaled($0, by: 86_400_000) }
        case (.date64, .date32): return try mapInt64(source, to: type, mode) { $0.floorDivided(by: 86_400_000) }
        case (.date32, .timestamp(let unit, _)):
            let zone = try ZoneConversion(type, context)
            return try mapInt64(source, to: type, mode) { days in
                scaled(days, by: 86400 * unit.perSecond).flatMap { zone.instant($0, unit) }
            }
        case (.date64, .timestamp(let unit, _)):
            let zone = try ZoneConversion(type, context)
            return try mapInt64(source, to: type, mode) { value in
                rescaled(value, .millisecond, unit).flatMap { zone.instant($0, unit) }
            }
        case (.timestamp(let unit, _), .date32):
            let zone = try ZoneConversion(array.type, context)
            return try mapInt64(source, to: type, mode) { value in
                zone.local(value, unit).map { $0.floorDivided(by: 86400 * unit.perSecond) }
            }
        case (.timestamp(let unit, _), .date64):
            let zone = try ZoneConversion(array.type, context)
            return try mapInt64(source, to: type, mode) { value in
                zone.local(value, unit).flatMap { rescaled($0, unit, .millisecond) }
            }
        case (.timestamp(let unit, let zone), .timestamp(let target, let targetZone)):
            let conversion = try ZoneConversion(zone == nil && targetZone != nil ? type : .null, context)
            return try mapInt64(source, to: type, mode) { value in
                rescaled(value, unit, target).flatMap { conversion.instant($0, target) }
            }
        case (.timestamp(let unit, _), .time32(let target)), (.timestamp(let unit, _), .time64(let target)):
            let zone = try ZoneConversion(array.type, context)
            return try mapInt64(source, to: type, mode) { value in
                zone.local(value, unit).flatMap { local in
                    let perDay = 86400 * unit.perSecond
                    return rescaled(local - local.floorDivided(by: perDay) * perDay, unit, target)
                }
            }
        case (.duration(let unit), .duration(let target)):
            return try mapInt64(source, to: type, mode) { rescaled($0, unit, target) }
        default:
            guard let unit = array.type.timeOfDayUnit, let target = type.timeOfDayUnit else {
                throw .invalidArgument("\(array.type.shortName) cannot become \(type.shortName)")
            }
            return try mapInt64(source, to: type, mode) { rescaled($0, unit, target) }
        }
    }

    private static func scaled(_ value: Int64, by factor: Int64) -> Int64? {
        exact(value.multipliedReportingOverflow(by: factor))
    }

    /// A count of one unit in another.
    static func rescaled(_ value: Int64, _ unit: TimeUnit, _ target: TimeUnit) -> Int64? {
        if target.perSecond >= unit.perSecond { return scaled(value, by: target.perSecond / unit.perSecond) }
        return value / (unit.perSecond / target.perSecond)
    }
}

/// Dates and times in text, as expressions read them.
enum TemporalText {
    /// Days since 1970 of `2020-1-2`, `20200102`, or a timestamp, whose time is cut off.
    static func date(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        if let days = ArrowText.parseDate(bytes) { return days }
        if let timestamp = timestamp(bytes) { return timestamp.days }
        let text = String(decoding: bytes, as: UTF8.self)
        var parts = text.split(separator: "-", omittingEmptySubsequences: false).map { String($0) }
        if parts.count == 1, bytes.count == 8 {
            parts = [String(text.prefix(4)), String(text.dropFirst(4).prefix(2)), String(text.dropFirst(6))]
        }
        let digits = parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard digits, parts.count == 3, parts[0].utf8.count == 4, (1...2).contains(parts[1].utf8.count),
            (1...2).contains(parts[2].utf8.count), let year = Int64(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2])
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        return date.isValid ? date.days : nil
    }

    /// A date with or without a time and offset.
    static func timestamp(_ bytes: UnsafeRawBufferPointer) -> ParsedTimestamp? {
        if let result = ArrowText.parseTimestamp(bytes) { return result }
        // A blank may stand before the offset.
        guard let blank = bytes.lastIndex(of: UInt8(ascii: " ")), blank + 1 < bytes.count, blank > 10 else {
            return nil
        }
        return (Array(bytes[..<blank]) + Array(bytes[(blank + 1)...])).withUnsafeBytes { ArrowText.parseTimestamp($0) }
    }

    /// Text as a count of a timestamp type's unit; digits beyond the unit are cut off.
    static func count(_ bytes: UnsafeRawBufferPointer, _ unit: TimeUnit, _ zone: ZoneConversion) -> Int64? {
        guard let parsed = timestamp(bytes) else { return nil }
        let local = Int128(parsed.days) * 86400 + Int128(parsed.secondOfDay) - Int128(parsed.offsetMinutes ?? 0) * 60
        let fraction = Int128(parsed.nanosecond / (1_000_000_000 / Int(unit.perSecond)))
        guard let value = Int64(exactly: local * Int128(unit.perSecond) + fraction) else { return nil }
        return parsed.offsetMinutes == nil ? zone.instant(value, unit) : value
    }
}
