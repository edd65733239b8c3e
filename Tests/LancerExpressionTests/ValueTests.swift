import LancerArrow
import LancerBytes
import LancerExpression
import Testing

/// Values of expressions without columns.
struct ValueTests {
    @Test(
        "Integers wrap, division truncates, the sign is the dividend's",
        arguments: [
            ("7 / 2", 3), ("-7 / 2", -3), ("7 % -2", 1), ("-7 % 2", -1), ("10 - 2 - 3", 5), ("2 + 3 * 4", 14),
            ("9223372036854775807 + 1", Int64.min), ("CAST('-12' AS bigint)", -12), ("CAST(2.9 AS bigint)", 2),
            ("CAST(-2.9 AS bigint)", -2), ("length('héllo')", 5), ("octet_length('héllo')", 6),
        ]
    )
    func integers(text: String, expected: Int64) throws {
        let value = try ExpressionFixture.value(text)
        let number: Int64? =
            switch value {
            case .int(let value): value
            case .uint(let value): Int64(value)
            default: nil
            }
        #expect(number == expected, "\(text) = \(value)")
    }

    @Test(
        "What cannot be computed is an error, never a wrong value",
        arguments: [
            "1 / 0", "1 % 0", "CAST('x' AS int)", "CAST(300 AS tinyint)", "CAST('NaN'::double AS int)",
            "CAST('' AS bigint)", "CAST(99999 AS decimal(4,2))", "repeat('x', 9999999999)", "DATE '2020-13-01'",
            "regexp_like('a', '(')", "CAST(X'ff' AS string)",
            "abs(CAST(-128 AS tinyint))",
        ]
    )
    func errors(text: String) {
        #expect(throws: LanceError.self) { try ExpressionFixture.value(text) }
    }

    @Test(
        "Texts",
        arguments: [
            ("'it''s'", "it's"), ("\"double\"", "double"), ("'a' || 'b'", "ab"), ("upper('ß')", "SS"),
            ("CAST(1.0 AS string)", "1.0"), ("CAST(1e10 AS string)", "10000000000.0"), ("trim('  x ')", "x"),
            ("CAST(TIMESTAMP '2020-01-02T03:04:05' AS string)", "2020-01-02T03:04:05"),
            ("concat('a', NULL, 'b')", "ab"),
            ("replace('banana', 'an', 'AN')", "bANANa"), ("md5('')", "d41d8cd98f00b204e9800998ecf8427e"),
            ("CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END", "b"), ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'c' END", "c"),
            ("regexp_replace('foobar', 'o+', 'x')", "fxbar"), ("lpad('7', 3, '0')", "007"), ("left('héllo', 2)", "hé"),
        ]
    )
    func texts(text: String, expected: String) throws {
        #expect(try ExpressionFixture.value(text) == .string(expected), "\(text)")
    }

    @Test(
        "Three-valued logic",
        arguments: [
            ("NULL AND FALSE", false), ("NULL OR TRUE", true), ("NULL AND TRUE", nil), ("NULL OR FALSE", nil),
            ("NOT (NULL = 1)", nil), ("NULL IS NULL", true), ("NULL IS DISTINCT FROM NULL", false),
            ("1 IS DISTINCT FROM NULL", true), ("1 IN (2, NULL)", nil), ("1 IN (1, NULL)", true),
            ("1 NOT IN (2, NULL)", nil), ("1 BETWEEN NULL AND 0", false), ("(NULL = 1) IS TRUE", false),
            ("(NULL = 1) IS NOT FALSE", true),
        ] as [(String, Bool?)]
    )
    func logic(text: String, expected: Bool?) throws {
        let value = try ExpressionFixture.value(text)
        #expect(value == expected.map { .bool($0) } ?? .null, "\(text) = \(value)")
    }

    @Test(
        "What cannot be null is known not to be before a row is computed",
        arguments: [
            "i IS NULL", "i IS NOT NULL", "b IS TRUE", "NOT (b IS NOT FALSE)", "i IS NULL AND s IS NULL",
            "(i IS NULL) = (s IS NULL)", "coalesce(i, 1)", "nvl(i, 1)", "i IS DISTINCT FROM 3", "(i IS NULL) IN (true)",
            "CAST((i IS NULL) AS int)", "1", "coalesce(i, 1) + 2 > 3",
        ]
    )
    func neverNull(text: String) throws {
        #expect(try ExpressionFixture.count("1 / (id - id) = 1 AND (\(text)) IS NULL") == 0, "\(text)")
        #expect(try ExpressionFixture.count("1 / (id - id) = 1 OR (\(text)) IS NOT NULL") == ExpressionFixture.rowCount)
    }

    @Test(
        "What may be null is asked row by row",
        arguments: [
            "i", "i > 3", "b", "b AND (i IS NULL)", "coalesce(i, i)", "TRY_CAST(1 + id AS tinyint)", "s LIKE 'a%'",
            "nullif(id, 1)",
        ]
    )
    func maybeNull(text: String) {
        #expect(throws: LanceError.self) { try ExpressionFixture.count("1 / (id - id) = 1 AND (\(text)) IS NULL") }
    }
}
