import LancerBytes
import Testing

/// What the reference answers, expression by expression.
struct DocumentedExpressionTests {
    /// Number of rows kept (E: an error), colon, condition. As the reference answers, except that text behind an expression
    /// is an error here: the reference drops it.
    static let entries = #"""
        2: i = 1
        49: i <> 1
        25: i < 0
        0: i >= 20
        2: i == 7 OR i == -7
        2: i = 1 OR i = 2 AND id < 10
        1: (i = 1 OR i = 2) AND id < 10
        26: NOT i > 0
        38: NOT (i > 0 AND b)
        12: i > 0 AND b
        37: i > 0 OR b
        24: b
        24: NOT b
        24: b = true
        24: b IS TRUE
        36: b IS NOT TRUE
        24: b IS FALSE
        36: b IS NOT FALSE
        12: b IS NULL
        9: i IS NULL
        51: i IS NOT NULL
        0: i = NULL
        0: NOT (i = NULL)
        60: NULL IS NULL
        15: i BETWEEN -5 AND 5
        36: i NOT BETWEEN -5 AND 5
        0: i BETWEEN 5 AND -5
        0: i BETWEEN NULL AND 0
        25: NOT (i BETWEEN NULL AND 0)
        5: i IN (1,2,3)
        46: i NOT IN (1,2,3)
        2: i IN (1,NULL)
        0: i NOT IN (1,NULL)
        51: i IN (i)
        58: i IS DISTINCT FROM 1
        9: i IS NOT DISTINCT FROM NULL
        0: i = id
        49: NOT (i = 1.0)
        23: (i > 1.5) IS TRUE
        25: i + 1 > 1.5
        2: i = 1 + 1
        0: NOT (u > -1)
        1: u - 1 < 0
        0: u + u > 255
        2: (i = '1') IS TRUE
        25: i % 2 = 0
        14: i % 2 = -1
        4: i / 2 = 0
        1: -i = 5
        2: abs(i) = 5
        2: i * 2 + 1 = 3
        25: i * i > 100
        E: id / 0 = 1
        14: f = 0
        14: f = -0.0
        13: f < 0
        41: f >= 0
        21: f > 1
        7: f = CAST('NaN' AS double)
        7: f > CAST('inf' AS double)
        7: isnan(f)
        47: NOT isnan(f)
        0: f <> f
        21: f IN (0, 1.5)
        33: f NOT IN (0, 1.5)
        21: f BETWEEN -2 AND 0
        6: f = 0.1
        27: f / 0 > 0
        1: g = 0.1
        0: (g = 0.1) IS TRUE
        53: NOT (g = 0.1)
        43: g > 1
        0: g = CAST(0.1 AS double)
        2: g IN (0.1, 0.2)
        8: s = 'abc'
        8: s = "abc"
        37: s > 'a'
        16: s < 'a'
        7: s >= 'h' AND s < 'i'
        23: s LIKE 'a%'
        23: s LIKE 'a_c'
        8: s LIKE 'a\_c'
        7: s LIKE 'a\%c'
        16: s ILIKE 'ABC'
        30: s NOT LIKE 'a%'
        7: s LIKE '%l%'
        7: s LIKE '__'
        16: s IN ('abc', '', NULL)
        8: s = ''
        15: s IS NULL OR s = ''
        8: s || 'x' = 'abcx'
        16: lower(s) = 'abc'
        7: upper(s) = 'HÉLLO'
        7: length(s) = 2
        14: octet_length(s) = 6
        23: starts_with(s, 'a')
        23: ends_with(s, 'c')
        7: contains(s, '%')
        23: regexp_like(s, '^a.c$')
        8: regexp_match(s, '[A-Z]')
        15: concat(s, 'x') = 'x'
        7: coalesce(s, 'none') = 'none'
        E: s = 1
        1: d = DATE '2020-01-05'
        23: d > DATE '2020-02-01'
        1: (d = '2020-01-05') IS TRUE
        3: d < TIMESTAMP '2020-01-03 12:00:00'
        24: date_part('month', d) = 2
        1: t = TIMESTAMP '2020-01-01 05:00:00'
        30: t >= TIMESTAMP '2020-01-02'
        29: t > DATE '2020-01-02'
        29: (t > '2020-01-02') IS TRUE
        20: date_trunc('day', t) = TIMESTAMP '2020-01-02'
        1: t = to_timestamp('2020-01-01T05:00:00')
        3: date_part('hour', t) = 5
        1: n = 1
        38: (n > 1.05) IS TRUE
        1: n = CAST('1.25' AS decimal(10,2))
        8: n BETWEEN -1 AND 1
        1: x = X'01'
        15: x = X''
        14: x >= X'20'
        14: array_has(l, 1)
        36: NOT array_has(l, 1)
        18: array_has_any(l, [1, 4])
        14: array_has_all(l, [1, 1])
        10: array_length(l) = 0
        10: l IS NULL
        10: l[1] = 1
        30: l[2] IS NULL
        11: st.k = 1
        22: st['k'] IN (1, 2)
        15: st.Y = 'p'
        E: st.y = 'p'
        5: st IS NULL
        5: st.k IS NULL
        20: `My Col` = 1
        E: "My Col" = 1
        5: ID < 5
        E: `ID` < 5
        E: nope = 1
        E: i = 1 trailing words
        E: i + 1
        60: 1 = 1
        E: 1
        18: CAST(i AS bigint) > 5
        60: TRY_CAST(s AS int) IS NULL
        E: CAST(s AS int) = 1
        25: coalesce(CASE WHEN i > 0 THEN true ELSE false END, false)
        10: _rowid < 10
        2: _rowid IN (1, 3) AND b IS NOT NULL
        0: id = 17 AND 10 / i = 2
        10: coalesce(i, 0) = 0
        11: nullif(i, 1) IS NULL
        10: id < 10 -- comment
        """#

    /// What the reference refuses and Lancer answers by the rules of SQL.
    static let beyond = """
        23: i > 1.5
        2: i = 1.0 + 1
        0: u = 300
        55: u > -1
        2: i = 1.0
        0: i = 3000000000
        2: i = '1'
        1: d = '2020-01-05'
        29: t > '2020-01-02'
        38: n > 1.05
        0: x = 'a'
        25: CASE WHEN i > 0 THEN true ELSE false END
        26: i & 1 = 1
        9: i IS UNKNOWN
        2: i != 0 AND 10 / i = 2
        """

    @Test(
        "Conditions keep the documented number of rows",
        arguments: (entries + "\n" + beyond).split(separator: "\n").map(String.init)
    )
    func documented(entry: String) throws {
        let parts = entry.split(separator: ":", maxSplits: 1)
        let condition = parts[1].trimmingPrefix(" ")
        if parts[0] == "E" {
            #expect(throws: LanceError.self) { try ExpressionFixture.count(String(condition)) }
        } else {
            #expect(try ExpressionFixture.count(String(condition)) == Int(parts[0]), "\(condition)")
        }
    }
}
