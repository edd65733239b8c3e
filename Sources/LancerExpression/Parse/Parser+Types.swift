import LancerArrow
import LancerBytes

extension Parser {
    /// A type: `int`, `bigint unsigned`, `timestamp(3)`, `decimal(10, 2)`, …
    mutating func typeName() throws(LanceError) -> TypeName {
        let position = current.position
        guard let word = current.keyword else { throw expected("a type") }
        advance()
        switch word {
        case "TINYINT", "INT1": return .arrow(isUnsigned() ? .uint8 : .int8)
        case "SMALLINT", "INT2": return .arrow(isUnsigned() ? .uint16 : .int16)
        case "INT", "INTEGER", "INT4": return .arrow(isUnsigned() ? .uint32 : .int32)
        case "BIGINT", "INT8": return .arrow(isUnsigned() ? .uint64 : .int64)
        case "FLOAT", "REAL", "FLOAT4": return .arrow(.float32)
        case "DOUBLE":
            _ = take(keyword: "PRECISION")
            return .arrow(.float64)
        case "FLOAT8", "FLOAT64": return .arrow(.float64)
        case "STRING", "TEXT", "VARCHAR", "CHAR":
            _ = try numbers()
            return .arrow(.utf8)
        case "BINARY", "BYTEA", "VARBINARY": return .arrow(.binary)
        case "BOOLEAN", "BOOL": return .arrow(.bool)
        case "DATE": return .arrow(.date32)
        case "TIME": return .arrow(.time64(.nanosecond))
        case "DATETIME", "TIMESTAMP": return try timestamp(position)
        case "DECIMAL", "NUMERIC":
            let numbers = try numbers()
            guard numbers.count == 2 else {
                throw error("decimal needs a precision and a scale: decimal(10, 2)", at: position)
            }
            guard (1...38).contains(numbers[0]), numbers[1] <= numbers[0] else {
                throw error("decimal(\(numbers[0]), \(numbers[1])) is beyond decimal(38, 38)", at: position)
            }
            return .arrow(.decimal128(precision: numbers[0], scale: numbers[1]))
        default: throw error("\(word.lowercased()) is not a type that expressions know", at: position)
        }
    }

    private mutating func isUnsigned() -> Bool { take(keyword: "UNSIGNED") }

    private mutating func timestamp(_ position: Int) throws(LanceError) -> TypeName {
        let numbers = try numbers()
        if take(keyword: "WITH") {
            throw error("timestamps with a time zone are not supported as a type", at: position)
        }
        guard let digits = numbers.first else { return .timestamp }
        guard let unit = TimeUnit.allCases.first(where: { $0.fractionDigits == digits }), numbers.count == 1 else {
            throw error("a timestamp has 0, 3, 6 or 9 digits, not \(digits)", at: position)
        }
        return .arrow(.timestamp(unit, timezone: nil))
    }

    /// Numbers in parentheses, or none.
    private mutating func numbers() throws(LanceError) -> [Int] {
        guard take(.openParenthesis) else { return [] }
        var numbers: [Int] = []
        repeat {
            guard case .number(let digits) = current.kind, let number = Int(digits) else { throw expected("a number") }
            numbers.append(number)
            advance()
        } while take(.comma)
        try expect(.closeParenthesis)
        return numbers
    }

    /// `INTERVAL '1 year 2 days 3 hours'`, with the text already read.
    func interval(_ text: String, _ position: Int) throws(LanceError) -> Syntax {
        var result = Interval()
        let words = text.lowercased().split(whereSeparator: { $0 == " " })
        guard !words.isEmpty, words.count % 2 == 0 else {
            throw error("an interval is numbers and units: INTERVAL '1 day 12 hours'", at: position)
        }
        for index in stride(from: 0, to: words.count, by: 2) {
            guard let count = Int64(words[index]), result.add(count, String(words[index + 1])) else {
                throw error("\"\(words[index]) \(words[index + 1])\" is not a length of time", at: position)
            }
        }
        return Syntax(position: position, kind: .interval(result))
    }
}

extension Interval {
    /// Adds `count` of a unit; false when there is no such unit or the sum is too large.
    fileprivate mutating func add(_ count: Int64, _ unit: String) -> Bool {
        let name = unit.hasSuffix("s") && unit.count > 1 ? String(unit.dropLast()) : unit
        switch name {
        case "year": return Self.add(count, 12, to: &months)
        case "month", "mon": return Self.add(count, 1, to: &months)
        case "week": return Self.add(count, 7, to: &days)
        case "day": return Self.add(count, 1, to: &days)
        case "hour": return Self.add(count, 3_600_000_000_000, to: &nanoseconds)
        case "minute", "min": return Self.add(count, 60_000_000_000, to: &nanoseconds)
        case "second", "sec": return Self.add(count, 1_000_000_000, to: &nanoseconds)
        case "millisecond": return Self.add(count, 1_000_000, to: &nanoseconds)
        case "microsecond": return Self.add(count, 1000, to: &nanoseconds)
        case "nanosecond": return Self.add(count, 1, to: &nanoseconds)
        default: return false
        }
    }

    private static func add(_ count: Int64, _ factor: Int64, to sum: inout Int64) -> Bool {
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        let (total, carry) = sum.addingReportingOverflow(product)
        sum = total
        return !overflow && !carry
    }
}
