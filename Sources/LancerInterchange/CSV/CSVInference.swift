import LancerArrow

/// What the cells of one column look like, and the narrowest type that holds them all without losing anything.
///
/// null → bool → int64 → uint64 → float64 → date32 → timestamp → utf8. Rules of safety:
/// - `007`, `+5` and `-0` stay text; so do integers that neither 64-bit type holds, or that a float64 among fractions
///   would change; so do numbers beyond float64.
/// - Timestamps are in microseconds, in nanoseconds when a value has more than six digits behind the point; they are in
///   UTC when every value has an offset, and text when only some have one. Dates among local timestamps are midnights.
struct CSVColumnKinds {
    private struct Seen: OptionSet {
        let rawValue: UInt16
        static let bool = Seen(rawValue: 1)
        /// An integer within int64.
        static let integer = Seen(rawValue: 2)
        /// An integer below zero.
        static let negative = Seen(rawValue: 4)
        /// An integer above int64, within uint64.
        static let large = Seen(rawValue: 8)
        /// An integer that float64 does not hold exactly.
        static let inexact = Seen(rawValue: 16)
        /// A number with a point or exponent, a special value, or an integer beyond uint64 that float64 holds.
        static let float = Seen(rawValue: 32)
        static let date = Seen(rawValue: 64)
        /// A date and time without offset.
        static let local = Seen(rawValue: 128)
        /// A date and time with offset.
        static let zoned = Seen(rawValue: 256)
        /// Seven to nine digits behind the point.
        static let nanoseconds = Seen(rawValue: 512)
        /// A moment that 64 bits of nanoseconds do not reach.
        static let distant = Seen(rawValue: 1024)
        static let text = Seen(rawValue: 2048)
        /// A quoted empty cell.
        static let emptyText = Seen(rawValue: 4096)

        static let numbers: Seen = [.integer, .negative, .large, .inexact, .float]
        static let moments: Seen = [.date, .local, .zoned, .nanoseconds, .distant]
    }

    private var seen: Seen = []

    /// Whether nothing but text is possible any more.
    var isText: Bool { seen.contains(.text) }

    /// Notes a quoted empty cell.
    mutating func noteEmptyText() { add(.emptyText) }

    private mutating func add(_ kinds: Seen) { seen.formUnion(kinds) }

    /// Looks at a cell that is not empty. Eight bytes from `text` on must be readable.
    @inline(__always)
    mutating func note(_ text: UnsafePointer<UInt8>, _ count: Int) {
        let first = text[0]
        if first &- 0x31 <= 8, count <= 15, let _ = IntegerText.magnitude(text, count) {
            add(.integer)
        } else {
            noteOther(text, count)
        }
    }

    @inline(never)
    private mutating func noteOther(_ untrimmed: UnsafePointer<UInt8>, _ length: Int) {
        let (text, count) = trimmed(untrimmed, length)
        guard count > 0 else { return add(.text) }
        switch text[0] {
        case 0x30...0x39, 0x2D, 0x2E:
            if count >= 10, text[4] == 0x2D || text[0] == 0x2D, let moment = Self.moment(text, count) {
                note(moment)
            } else {
                noteNumber(text, count)
            }
        case 0x2B: if let moment = Self.moment(text, count) { note(moment) } else { noteSpecial(text, count) }
        case 0x54, 0x74, 0x46, 0x66:
            add(count >= 4 && TextColumn.bool(text, count) != nil ? .bool : .text)
        case 0x49, 0x69, 0x4E, 0x6E: noteSpecial(text, count)
        default: add(.text)
        }
    }

    private static func moment(_ text: UnsafePointer<UInt8>, _ count: Int) -> ParsedTimestamp? {
        ArrowText.parseTimestamp(UnsafeRawBufferPointer(start: text, count: count))
    }

    private mutating func noteSpecial(_ text: UnsafePointer<UInt8>, _ count: Int) {
        add(FloatText.special(text, count) == nil ? .text : .float)
    }

    private mutating func noteNumber(_ text: UnsafePointer<UInt8>, _ count: Int) {
        guard let decimal = FloatText.split(text, count) else { return noteSpecial(text, count) }
        if decimal.hasLeadingZero { return add(.text) }
        if !decimal.isInteger {
            let isFinite = decimal.exponent < 280 || FloatText.double(decimal, text, count).isFinite
            return add(isFinite ? .float : .text)
        }
        let isExact = decimal.significand <= 1 << 53 && !decimal.truncated || JSONNumber.survivesDouble(text, count)
        if let value = IntegerText.signed(text, count) {
            if value == 0, decimal.negative { return add(.text) }
            add(.integer)
            if value < 0 { add(.negative) }
        } else if IntegerText.unsigned(text, count) != nil {
            add(.large)
        } else {
            add(isExact ? .float : .text)
        }
        if !isExact { add(.inexact) }
    }

    private mutating func note(_ moment: ParsedTimestamp) {
        guard moment.value(moment.fractionDigits > 6 ? .nanosecond : .microsecond, .none) != nil else {
            // Beyond what 64 bits reach.
            return add(.text)
        }
        add(!moment.hasTime ? .date : moment.offsetMinutes == nil ? .local : .zoned)
        if moment.fractionDigits > 6 { add(.nanoseconds) }
        if moment.value(.nanosecond, .none) == nil { add(.distant) }
    }

    /// The type that holds every cell noted.
    var type: ArrowType {
        let kinds = seen.subtracting(.emptyText)
        if kinds.isEmpty { return seen.isEmpty ? .null : .utf8 }
        if kinds == .bool { return .bool }
        if kinds.isSubset(of: .numbers) {
            if kinds.contains(.float) { return kinds.contains(.inexact) ? .utf8 : .float64 }
            if !kinds.contains(.large) { return .int64 }
            return kinds.contains(.negative) ? .utf8 : .uint64
        }
        if kinds.isSubset(of: .moments) {
            if kinds.isSubset(of: [.date, .distant]) { return .date32 }
            let isNano = kinds.contains(.nanoseconds)
            if isNano, kinds.contains(.distant) { return .utf8 }
            let unit: TimeUnit = isNano ? .nanosecond : .microsecond
            if !kinds.contains(.zoned) { return .timestamp(unit, timezone: nil) }
            return kinds.isDisjoint(with: [.date, .local]) ? .timestamp(unit, timezone: "UTC") : .utf8
        }
        return .utf8
    }
}

/// The text without blanks and tabs at either end.
@inline(__always)
func trimmed(_ text: UnsafePointer<UInt8>, _ count: Int) -> (UnsafePointer<UInt8>, Int) {
    var start = 0
    var end = count
    while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
    while end > start, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
    return (text + start, end - start)
}
