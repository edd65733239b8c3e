import LancerArrow
import LancerBytes

extension FunctionCatalog {
    static let time: [([String], FunctionSignature)] = [
        (
            ["now", "current_timestamp"],
            function("now()", [], .type(.timestamp(.nanosecond, timezone: nil))) { arguments in
                .timestamp(.nanosecond, [Int64?](repeating: arguments.context.now, count: arguments.rowCount))
            }
        ),
        (
            ["current_date", "today"],
            function("current_date()", [], .type(.date32)) { arguments in
                let days = Int32(clamping: arguments.context.now.floorDivided(by: 86_400_000_000_000))
                return .date32([Int32?](repeating: days, count: arguments.rowCount))
            }
        ),
        (
            ["date_part", "datepart"],
            function("date_part('part', date)", [.text, .moment], canFail: true, .type(.int32)) {
                arguments throws(LanceError) in
                let parts = try arguments.texts(0)
                let clock = try ClockColumn(arguments[1], arguments.context)
                return try arguments.rows { row, builder throws(LanceError) in
                    try builder.append(integer: try clock.part(TextOperations.string(parts[row]).lowercased(), row))
                }
            }
        ),
        (
            ["date_part_epoch"],
            function("date_part('epoch', date)", [.moment], .type(.float64)) { arguments throws(LanceError) in
                let clock = try ClockColumn(arguments[0], arguments.context)
                return try arguments.rows { row, builder in builder.append(raw: clock.epoch(row)) }
            }
        ),
        (
            ["date_trunc", "datetrunc"],
            function("date_trunc('part', date)", [.text, .moment], canFail: true, .argument(1)) {
                arguments throws(LanceError) in
                let parts = try arguments.texts(0)
                let clock = try ClockColumn(arguments[1], arguments.context)
                var result: [Int64?] = []
                for row in 0..<arguments.rowCount {
                    let part = arguments.isNull(row) ? nil : TextOperations.string(parts[row]).lowercased()
                    result.append(try part.map { part throws(LanceError) in try clock.truncated(part, row) })
                }
                withExtendedLifetime(arguments.operands) {}
                return try Casting.castInteger(.int64(result), to: arguments.type, .checked)
            }
        ),
        (["to_timestamp"], timestamps("to_timestamp(value)", .nanosecond, of: .second)),
        (["to_timestamp_seconds"], timestamps("to_timestamp_seconds(value)", .second, of: .second)),
        (["to_timestamp_millis"], timestamps("to_timestamp_millis(value)", .millisecond, of: .millisecond)),
        (["to_timestamp_micros"], timestamps("to_timestamp_micros(value)", .microsecond, of: .microsecond)),
        (["to_timestamp_nanos"], timestamps("to_timestamp_nanos(value)", .nanosecond, of: .nanosecond)),
        (
            ["to_date"],
            FunctionSignature(
                usage: "to_date(value)",
                canFail: true,
                resolve: { given in
                    guard given.count == 1, Casting.isPossible(given[0], .date32) else { return nil }
                    return ([.date32], .date32)
                },
                body: { arguments throws(LanceError) in try arguments.expanded(0) }
            )
        ),
        (
            ["make_date"],
            function("make_date(year, month, day)", [.integer, .integer, .integer], canFail: true, .type(.date32)) {
                arguments throws(LanceError) in
                let years = try FixedColumn<Int64>(arguments[0])
                let months = try FixedColumn<Int64>(arguments[1])
                let days = try FixedColumn<Int64>(arguments[2])
                return try arguments.rows { row, builder throws(LanceError) in
                    let date = CivilDate(
                        year: years[row],
                        month: Int(clamping: months[row]),
                        day: Int(clamping: days[row])
                    )
                    guard years[row].magnitude < 1_000_000, date.isValid else {
                        throw .invalidArgument("\(years[row])-\(months[row])-\(days[row]) is no date")
                    }
                    try builder.append(integer: date.days)
                }
            }
        ),
    ]

    /// Text, or a number counted in `count`, as a timestamp of `unit`.
    private static func timestamps(_ usage: String, _ unit: TimeUnit, of count: TimeUnit) -> FunctionSignature {
        let result = ArrowType.timestamp(unit, timezone: nil)
        return FunctionSignature(
            usage: usage,
            canFail: true,
            resolve: { given in
                guard given.count == 1 else { return nil }
                if given[0].isInteger { return ([.timestamp(count, timezone: nil)], result) }
                if given[0].isFloat { return ([.float64], result) }
                if case .timestamp = given[0] { return (given, result) }
                guard given[0].isText || given[0].isTemporal || given[0] == .null, !given[0].isDuration else {
                    return nil
                }
                return ([result], result)
            },
            body: { arguments throws(LanceError) in
                let array = try arguments.expanded(0)
                if case .float64 = array.type {
                    let factor = Double(unit.perSecond / count.perSecond)
                    let counts = try Casting.convert(array, Double.self, to: .int64, .checked) {
                        value -> (Int64, Bool) in
                        let scaled = (value * factor).rounded(.towardZero)
                        return (Int64(exactly: scaled) ?? 0, Int64(exactly: scaled) != nil)
                    }
                    return try Casting.castInteger(counts, to: arguments.type, .checked)
                }
                if case .timestamp(let own, _) = array.type {
                    return try Casting.mapInt64(try Casting.int64(array), to: arguments.type) {
                        Casting.rescaled($0, own, unit)
                    }
                }
                return try Casting.cast(array, to: arguments.type, .checked, arguments.context)
            }
        )
    }
}

/// Dates or timestamps as clocks of their zone show them.
private struct ClockColumn {
    private let values: FixedColumn<Int64>
    private let counts: Operand
    private let unit: TimeUnit
    private let zone: ZoneConversion
    private let isDays: Bool

    init(_ operand: Operand, _ context: EvaluationContext) throws(LanceError) {
        counts = Operand(array: try Casting.int64(operand.array), isConstant: operand.isConstant)
        values = try FixedColumn(counts)
        zone = try ZoneConversion(operand.type, context)
        isDays = operand.type == .date32
        switch operand.type {
        case .timestamp(let unit, _): self.unit = unit
        case .date64: unit = .millisecond
        default: unit = .second
        }
    }

    /// What the clock shows, in the unit since 1970; a value beyond all clocks counts as UTC.
    private func local(_ row: Int) -> Int64 {
        defer { withExtendedLifetime(counts) {} }
        if isDays { return values[row] * 86400 }
        return zone.local(values[row], unit) ?? values[row]
    }

    func epoch(_ row: Int) -> Double {
        defer { withExtendedLifetime(counts) {} }
        return isDays ? Double(values[row]) * 86400 : Double(values[row]) / Double(unit.perSecond)
    }

    /// A part of the date or time.
    func part(_ name: String, _ row: Int) throws(LanceError) -> Int64 {
        let local = local(row)
        let seconds = local.floorDivided(by: unit.perSecond)
        let fraction = (local - seconds * unit.perSecond) * (1_000_000_000 / unit.perSecond)
        let days = seconds.floorDivided(by: 86400)
        let ofDay = seconds - days * 86400
        let date = CivilDate(days: days)
        switch name {
        case "year", "years": return date.year
        case "quarter": return Int64((date.month - 1) / 3 + 1)
        case "month", "months": return Int64(date.month)
        case "week", "weeks": return Self.week(days)
        case "day", "days": return Int64(date.day)
        case "doy": return days - CivilDate(year: date.year, month: 1, day: 1).days + 1
        case "dow": return Self.weekday(days)
        case "isodow": return (Self.weekday(days) + 6) % 7 + 1
        case "isoyear": return CivilDate(days: Self.thursday(days)).year
        case "hour", "hours": return ofDay / 3600
        case "minute", "minutes": return ofDay / 60 % 60
        case "second", "seconds": return ofDay % 60
        case "millisecond", "milliseconds", "ms": return ofDay % 60 * 1000 + fraction / 1_000_000
        case "microsecond", "microseconds", "us": return ofDay % 60 * 1_000_000 + fraction / 1000
        case "nanosecond", "nanoseconds", "ns": return ofDay % 60 * 1_000_000_000 + fraction
        default: throw .invalidArgument("date_part knows no part \"\(name.prefix(40))\"")
        }
    }

    /// 0 is Sunday.
    private static func weekday(_ days: Int64) -> Int64 { (days + 4) - (days + 4).floorDivided(by: 7) * 7 }

    /// The Thursday of the day's week, which says in which year the week is.
    private static func thursday(_ days: Int64) -> Int64 { days - (weekday(days) + 6) % 7 + 3 }

    private static func week(_ days: Int64) -> Int64 {
        let thursday = thursday(days)
        return (thursday - CivilDate(year: CivilDate(days: thursday).year, month: 1, day: 1).days) / 7 + 1
    }

    /// The begin of the part the moment is in, as a count of the column's unit (days for dates).
    func truncated(_ name: String, _ row: Int) throws(LanceError) -> Int64 {
        let local = local(row)
        let perSecond = unit.perSecond
        let days = local.floorDivided(by: 86400 * perSecond)
        let date = CivilDate(days: days)
        let start: Int64
        switch name {
        case "year": start = CivilDate(year: date.year, month: 1, day: 1).days
        case "quarter": start = CivilDate(year: date.year, month: (date.month - 1) / 3 * 3 + 1, day: 1).days
        case "month": start = CivilDate(year: date.year, month: date.month, day: 1).days
        case "week": start = days - (Self.weekday(days) + 6) % 7
        case "day": start = days
        default:
            let steps: [String: Int64] = [
                "hour": 3_600_000_000_000, "minute": 60_000_000_000, "second": 1_000_000_000, "millisecond": 1_000_000,
                "microsecond": 1000,
            ]
            guard let nanoseconds = steps[name] else {
                throw .invalidArgument("date_trunc knows no part \"\(name.prefix(40))\"")
            }
            if isDays { return days }
            let step = Swift.max(nanoseconds / (1_000_000_000 / perSecond), 1)
            return try instant(local.floorDivided(by: step) * step)
        }
        return isDays ? start : try instant(start * 86400 * perSecond)
    }

    private func instant(_ local: Int64) throws(LanceError) -> Int64 {
        guard let result = zone.instant(local, unit) else { throw .invalidArgument("a date beyond its type") }
        return result
    }
}
