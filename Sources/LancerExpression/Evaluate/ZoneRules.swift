import LancerArrow
import LancerBytes

/// How far clocks of a time zone are ahead of UTC, and since when.
///
/// Made from a TZif file (RFC 8536), as zone databases have them: moments of change with the offset from then on, and a
/// POSIX rule for everything after the last of them.
package struct ZoneRules: Sendable {
    /// Seconds since 1970 UTC of the changes, ascending.
    private let changes: [Int64]
    /// Seconds ahead of UTC from each change on.
    private let offsets: [Int]
    /// Seconds ahead of UTC before the first change.
    private let first: Int
    private let tail: YearlyRule?

    /// A zone that is always `offset` seconds ahead of UTC.
    package init(offset: Int) {
        changes = []
        offsets = []
        first = offset
        tail = nil
    }

    /// Reads a TZif file.
    ///
    /// - Throws: `corrupt` when it is none.
    package init(tzif file: ArrowBuffer) throws(LanceError) {
        let bytes = file.bytes
        var start = 0
        var header = try Header(bytes, at: 0)
        var isWide = false
        if header.version >= 2 {
            // A second block with 64-bit times follows the first one.
            start = header.size + header.dataSize(timeWidth: 4)
            header = try Header(bytes, at: start)
            isWide = true
        }
        let width = isWide ? 8 : 4
        start += header.size
        let end = start + header.dataSize(timeWidth: width)
        guard end <= bytes.count, header.typeCount > 0 else { throw Self.damaged }
        func number(_ offset: Int, _ size: Int) -> Int64 {
            var value: Int64 = bytes[offset] & 0x80 != 0 ? -1 : 0
            for index in offset..<(offset + size) { value = value << 8 | Int64(bytes[index]) }
            return value
        }
        let types = start + header.timeCount * (width + 1)
        func offset(_ type: Int) throws(LanceError) -> Int {
            guard type < header.typeCount else { throw Self.damaged }
            return Int(number(types + type * 6, 4))
        }
        var changes: [Int64] = []
        var offsets: [Int] = []
        for index in 0..<header.timeCount {
            changes.append(number(start + index * width, width))
            offsets.append(try offset(Int(bytes[start + header.timeCount * width + index])))
        }
        guard zip(changes, changes.dropFirst()).allSatisfy({ $0 <= $1 }) else { throw Self.damaged }
        self.changes = changes
        self.offsets = offsets
        first = try offset(0)
        let footer = isWide ? bytes[end...].dropFirst().prefix { $0 != 0x0A } : []
        tail = footer.isEmpty ? nil : YearlyRule(String(decoding: footer, as: UTF8.self))
    }

    private static let damaged = LanceError(.corrupt, "this is no time zone file")

    private struct Header {
        let version: Int
        let size = 44
        let timeCount: Int
        let typeCount: Int
        private let otherBytes: Int

        init(_ bytes: [UInt8], at start: Int) throws(LanceError) {
            guard start >= 0, start <= bytes.count - 44, bytes[start..<(start + 4)].elementsEqual("TZif".utf8) else {
                throw ZoneRules.damaged
            }
            version = bytes[start + 4] == 0 ? 1 : 2
            let counts = (0..<6).map { field in
                bytes[(start + 20 + field * 4)..<(start + 24 + field * 4)].reduce(0) { $0 << 8 | Int($1) }
            }
            // In the file: UT flags, standard flags, leap seconds, times, types, characters.
            guard counts.allSatisfy({ $0 < 1 << 20 }), counts[2] == 0 else { throw ZoneRules.damaged }
            timeCount = counts[3]
            typeCount = counts[4]
            otherBytes = counts[5] + counts[0] + counts[1]
        }

        func dataSize(timeWidth: Int) -> Int { timeCount * (timeWidth + 1) + typeCount * 6 + otherBytes }
    }

    /// Seconds ahead of UTC at a moment.
    func offset(atUTC seconds: Int64) -> Int {
        guard let last = changes.last else { return tail?.offset(atUTC: seconds) ?? first }
        if seconds >= last { return tail?.offset(atUTC: seconds) ?? offsets[offsets.count - 1] }
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : offsets[low - 1]
    }

    /// Seconds ahead of UTC when clocks show `local`: the first time they do; in an hour that is left out, the offset
    /// before it.
    func offset(atLocal local: Int64) -> Int {
        // No zone is more than a day from UTC, so the moment is within a day of the local number.
        let before = offset(atUTC: local &- 86400)
        let after = offset(atUTC: local &+ 86400)
        if before == after {
            let guess = offset(atUTC: local &- Int64(before))
            if guess == before { return before }
        }
        for candidate in [Swift.max(before, after), Swift.min(before, after)]
        where offset(atUTC: local &- Int64(candidate)) == candidate {
            return candidate
        }
        return before
    }
}

/// The part of a POSIX time zone text that Lancer reads: `EST5EDT,M3.2.0,M11.1.0`, `<+05>-5`.
private struct YearlyRule: Sendable {
    private struct Day: Sendable {
        /// Month, week and weekday, or a day of the year.
        var month = 0
        var week = 0
        var weekday = 0
        var dayOfYear = 0
        var countsLeapDay = true
        var seconds = 7200

        /// Seconds since 1970 of the local moment in `year`.
        func moment(in year: Int64) -> Int64 {
            let days: Int64
            if month > 0 {
                let first = CivilDate(year: year, month: month, day: 1).days
                let firstWeekday = (first + 4) - (first + 4).floorDivided(by: 7) * 7
                var day = (Int64(weekday) - firstWeekday + 7) % 7 + Int64(week - 1) * 7
                while !CivilDate(year: year, month: month, day: Int(day) + 1).isValid, day > 7 { day -= 7 }
                days = first + day
            } else {
                let isLeap = CivilDate(year: year, month: 2, day: 29).isValid
                let skipsLeapDay = !countsLeapDay && isLeap && dayOfYear >= 60
                let zeroBased = countsLeapDay ? dayOfYear : dayOfYear - 1 + (skipsLeapDay ? 1 : 0)
                days = CivilDate(year: year, month: 1, day: 1).days + Int64(zeroBased)
            }
            return days * 86400 + Int64(seconds)
        }
    }

    private let standard: Int
    private var summer: (offset: Int, start: Day, end: Day)?

    init?(_ text: String) {
        var rest = Substring(text)
        guard Self.takeName(&rest), let offset = Self.takeTime(&rest) else { return nil }
        standard = -offset
        if rest.isEmpty { return }
        guard Self.takeName(&rest) else { return nil }
        let summerOffset: Int
        if rest.first == "," {
            summerOffset = standard + 3600
        } else {
            guard let offset = Self.takeTime(&rest) else { return nil }
            summerOffset = -offset
        }
        guard let start = Self.takeDay(&rest), let end = Self.takeDay(&rest), rest.isEmpty else { return nil }
        summer = (summerOffset, start, end)
    }

    func offset(atUTC seconds: Int64) -> Int {
        guard let summer else { return standard }
        let days = (seconds &+ Int64(standard)).floorDivided(by: 86400)
        guard days.magnitude < 1 << 40 else { return standard }
        let year = CivilDate(days: days).year
        let start = summer.start.moment(in: year) - Int64(standard)
        let end = summer.end.moment(in: year) - Int64(summer.offset)
        let isSummer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isSummer ? summer.offset : standard
    }

    private static func takeName(_ text: inout Substring) -> Bool {
        if text.first == "<" {
            guard let end = text.firstIndex(of: ">") else { return false }
            text = text[text.index(after: end)...]
            return true
        }
        let name = text.prefix { $0.isLetter }
        text = text.dropFirst(name.count)
        return name.count >= 3
    }

    private static func takeNumber(_ text: inout Substring) -> Int? {
        let digits = text.prefix { $0.isNumber }
        text = text.dropFirst(digits.count)
        return digits.count <= 4 ? Int(digits) : nil
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func takeTime(_ text: inout Substring) -> Int? {
        var sign = 1
        if text.first == "-" || text.first == "+" {
            sign = text.first == "-" ? -1 : 1
            text = text.dropFirst()
        }
        guard var seconds = takeNumber(&text).map({ $0 * 3600 }) else { return nil }
        for unit in [60, 1] where text.first == ":" {
            text = text.dropFirst()
            guard let number = takeNumber(&text) else { return nil }
            seconds += number * unit
        }
        return sign * seconds
    }

    private static func takeDay(_ text: inout Substring) -> Day? {
        guard text.first == "," else { return nil }
        text = text.dropFirst()
        var day = Day()
        if text.first == "M" {
            text = text.dropFirst()
            var numbers: [Int] = []
            repeat {
                if text.first == "." { text = text.dropFirst() }
                guard let number = takeNumber(&text) else { return nil }
                numbers.append(number)
            } while text.first == "."
            guard numbers.count == 3, (1...12).contains(numbers[0]), (1...5).contains(numbers[1]), numbers[2] < 7 else {
                return nil
            }
            day.month = numbers[0]
            day.week = numbers[1]
            day.weekday = numbers[2]
        } else {
            if text.first == "J" {
                text = text.dropFirst()
                day.countsLeapDay = false
            }
            guard let number = takeNumber(&text), number <= 366 else { return nil }
            day.dayOfYear = number
        }
        if text.first == "/" {
            text = text.dropFirst()
            guard let seconds = takeTime(&text) else { return nil }
            day.seconds = seconds
        }
        return day
    }
}

/// Turns counts since 1970 UTC into what clocks of a type's zone show, and back.
struct ZoneConversion {
    private let rules: ZoneRules?

    /// The conversion for a timestamp's zone; for types without one nothing is converted.
    ///
    /// - Throws: `unsupported`, `notFound` when the zone is not known.
    init(_ type: ArrowType, _ context: EvaluationContext) throws(LanceError) {
        guard case .timestamp(_, let zone?) = type else {
            rules = nil
            return
        }
        switch TimeZoneRule(timezone: zone) {
        case .fixed(let minutes): rules = ZoneRules(offset: minutes * 60)
        case .none: rules = nil
        case .utc:
            let isUTC =
                [
                    "utc", "z", "gmt", "etc/utc", "etc/gmt", "etc/uct", "etc/zulu", "zulu", "uct", "universal",
                    "etc/universal",
                ]
                .contains(zone.lowercased()) || zone.first == "+" || zone.first == "-"
            rules = isUTC ? nil : try context.zone(zone)
        }
    }

    /// What clocks show, as a count of the unit; nil when it overflows.
    func local(_ instant: Int64, _ unit: TimeUnit) -> Int64? {
        guard let rules else { return instant }
        let offset = rules.offset(atUTC: instant.floorDivided(by: unit.perSecond))
        return exact(instant.addingReportingOverflow(Int64(offset) * unit.perSecond))
    }

    /// The moment at which clocks show `local`; nil when it overflows.
    func instant(_ local: Int64, _ unit: TimeUnit) -> Int64? {
        guard let rules else { return local }
        let offset = rules.offset(atLocal: local.floorDivided(by: unit.perSecond))
        return exact(local.subtractingReportingOverflow(Int64(offset) * unit.perSecond))
    }

    /// Seconds ahead of UTC at a moment.
    func offset(_ instant: Int64, _ unit: TimeUnit) -> Int {
        rules?.offset(atUTC: instant.floorDivided(by: unit.perSecond)) ?? 0
    }
}
