import LancerArrow
import LancerBytes
import LancerExpression
import Testing

/// The table of 60 rows that the documented expressions are about.
enum ExpressionFixture {
    static let rowCount = 60

    static let batch: RecordBatch? = try? make()

    private static func column<T>(_ value: (Int) -> T?) -> [T?] { (0..<rowCount).map(value) }

    private static func make() throws -> RecordBatch {
        let floats: [Double?] = [0.0, -0.0, 1.5, -1.5, .nan, .infinity, -.infinity, 0.1, nil]
        let texts: [String?] = ["", "abc", "ABC", "a_c", "a%c", "héllo", "日本", nil]
        let decimals = (0..<rowCount).map { (row: Int) -> ArrowValue in
            row % 10 == 9 ? .null : .decimal(Int256(Int64(25 * row - 300)), scale: 2)
        }
        var items: [Int32?] = []
        var lengths: [Int?] = []
        for row in 0..<rowCount {
            switch row % 6 {
            case 0: lengths.append(nil)
            case 1: lengths.append(0)
            case 2:
                items += [Int32(row % 4), nil]
                lengths.append(2)
            default:
                items += [Int32(row % 4), Int32(row % 5)]
                lengths.append(2)
            }
        }
        let members: [(String, ArrowArray)] = [
            ("k", .int64(column { Int64($0 % 5) })), ("Y", .utf8(column { ["p", "q", "r"][$0 % 3] })),
        ]
        let times: [Int64?] = column { (row: Int) -> Int64? in
            row % 6 == 2 ? nil : Int64(18262 * 24 + row) * 3_600_000_000
        }
        let bytes: [[UInt8]?] = column { (row: Int) -> [UInt8]? in
            row % 4 == 3 ? nil : [UInt8](repeating: UInt8(row), count: row % 3)
        }
        let small: [Float?] = column { (row: Int) -> Float? in row % 9 == 4 ? nil : Float(Double(row) / 10) }
        let numbers: [Int32?] = column { (row: Int) -> Int32? in row % 7 == 3 ? nil : Int32((row * 37) % 41 - 20) }
        let unsigned: [UInt8?] = column { (row: Int) -> UInt8? in row % 11 == 5 ? nil : UInt8((row * 29) % 256) }
        let bools: [Bool?] = column { (row: Int) -> Bool? in row % 5 == 0 ? nil : row % 2 == 0 }
        let days: [Int32?] = column { (row: Int) -> Int32? in row % 6 == 5 ? nil : Int32(18262 + row) }
        var columns: [(String, ArrowArray)] = [("id", .int64(column { Int64($0) })), ("i", .int32(numbers))]
        columns += [("u", .uint8(unsigned)), ("f", .float64(column { floats[$0 % 9] })), ("g", .float32(small))]
        columns += [("b", .bool(bools)), ("s", .utf8(column { texts[$0 % 8] })), ("d", .date32(days))]
        columns += [("t", .timestamp(.microsecond, times))]
        columns += [("n", try .of(.decimal128(precision: 10, scale: 2), decimals)), ("x", .binary(bytes))]
        columns += [("l", .list(of: .int32(items), lengths: lengths))]
        columns += [("st", .structure(members, validity: (0..<rowCount).map { $0 % 12 != 6 }))]
        columns += [("My Col", .int16(column { Int16($0 % 3) })), ("_rowid", .uint64(column { UInt64($0) }))]
        let schema = ArrowSchema(columns.map { ArrowField($0.0, $0.1.type) })
        return try RecordBatch(schema: schema, columns: columns.map(\.1))
    }

    /// How many rows a condition keeps.
    static func count(_ condition: String) throws -> Int {
        let batch = try #require(batch)
        let bound = try bind(condition, .predicate)
        return try bound.select(try bound.columns(of: batch), rowCount: rowCount).setCount
    }

    /// The value of an expression in the first row.
    static func value(_ expression: String) throws -> ArrowValue {
        let batch = try #require(batch)
        let bound = try bind(expression, .value)
        return try bound.evaluate(try bound.columns(of: batch), rowCount: rowCount).value(at: 0)
    }

    static func bind(_ text: String, _ purpose: BoundExpression.Purpose) throws -> BoundExpression {
        let batch = try #require(batch)
        return try BoundExpression(
            text,
            schema: batch.schema,
            purpose: purpose,
            now: 1_577_934_245_000_000_000,
            zone: { name throws(LanceError) in
                guard name == "UTC" else { throw .unsupported("the time zone \(name) is not known here") }
                return ZoneRules(offset: 0)
            }
        )
    }
}
