import LancerBytes

/// A moment in UTC with nanoseconds, and its RFC 3339 spelling.
package struct Instant: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01T00:00:00Z.
    package var seconds: Int64
    /// Nanoseconds in the second, 0 ..< 1,000,000,000.
    package var nanoseconds: Int32

    package init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package init(_ time: (seconds: Int64, nanoseconds: Int32)) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }

    package static func < (left: Instant, right: Instant) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// `2026-11-21T10:15:30.123456789Z`.
    package var text: String {
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

    /// Reads RFC 3339: date, `T` or a space, time with or without a fraction, and the zone, `Z` or `+02:00`. The zone
    /// must be there: a time without one is another moment on every machine. Digits beyond nanoseconds are cut off.
    ///
    /// - Throws: `invalidArgument`.
    package init(rfc3339 text: String) throws(LanceError) {
        var scanner = Scanner(text)
        let year = try scanner.number(4)
        try scanner.expect("-")
        let month = try scanner.number(2)
        try scanner.expect("-")
        let day = try scanner.number(2)
        guard (1...12).contains(month), day >= 1, day <= Self.days(in: month, year) else { throw scanner.failure }
        guard scanner.take("T") || scanner.take("t") || scanner.take(" ") else { throw scanner.failure }
        let hour = try scanner.number(2)
        try scanner.expect(":")
        let minute = try scanner.number(2)
        try scanner.expect(":")
        let second = try scanner.number(2)
        // 60 is a leap second, which counts as the second after it.
        guard hour < 24, minute < 60, second <= 60 else { throw scanner.failure }
        let nanoseconds = scanner.take(".") ? try scanner.fraction() : 0
        let offset = try scanner.zone()
        guard scanner.isAtEnd else { throw scanner.failure }
        let days = Self.dayNumber(year, month, day)
        self.init(
            seconds: days * 86400 + hour * 3600 + minute * 60 + second - offset,
            nanoseconds: second == 60 ? 0 : Int32(truncatingIfNeeded: nanoseconds)
        )
    }

    private static func days(in month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01. Algorithm: Howard Hinnant, as above.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.flooredDivision(by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Reads digits and signs from the begin of what is left.
    private struct Scanner {
        private let text: String
        private var rest: Substring.UTF8View

        init(_ text: String) {
            self.text = text
            rest = Substring(text).utf8
        }

        var failure: LanceError {
            .invalidArgument("\"\(text)\" is no time with a zone; write for example 2026-11-21T10:15:30Z or …+02:00")
        }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard let byte = rest.first, UInt32(byte) == character.value else { return false }
            rest.removeFirst()
            return true
        }

        mutating func expect(_ character: Unicode.Scalar) throws(LanceError) {
            guard take(character) else { throw failure }
        }

        mutating func digit() -> Int64? {
            guard let byte = rest.first, (0x30...0x39).contains(byte) else { return nil }
            rest.removeFirst()
            return Int64(byte) - 0x30
        }

        mutating func number(_ digits: Int) throws(LanceError) -> Int64 {
            var value: Int64 = 0
            for _ in 0..<digits {
                guard let digit = digit() else { throw failure }
                value = value * 10 + digit
            }
            return value
        }

        mutating func fraction() throws(LanceError) -> Int64 {
            guard var value = digit() else { throw failure }
            var count = 1
            while let digit = digit() {
                if count < 9 { value = value * 10 + digit }
                count += 1
            }
            while count < 9 {
                value *= 10
                count += 1
            }
            return value
        }

        /// Seconds ahead of UTC.
        mutating func zone() throws(LanceError) -> Int64 {
            if take("Z") || take("z") { return 0 }
            let isBehind = take("-")
            guard isBehind || take("+") else { throw failure }
            let hours = try number(2)
            try expect(":")
            let minutes = try number(2)
            guard hours < 24, minutes < 60 else { throw failure }
            return (hours * 3600 + minutes * 60) * (isBehind ? -1 : 1)
        }
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
