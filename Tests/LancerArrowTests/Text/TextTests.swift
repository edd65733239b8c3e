import LancerArrow
import LancerBytes
import LancerTestSupport
import Testing

private func parse<T>(_ text: String, _ body: (UnsafeRawBufferPointer) -> T) -> T {
    Array(text.utf8).withUnsafeBytes(body)
}

@Suite("Text of values")
struct TextTests {
    @Test(
        "timestamps in every unit and zone",
        arguments: [
            (TimeUnit.second, nil as String?, 0, "1970-01-01T00:00:00"),
            (.millisecond, nil, -1, "1969-12-31T23:59:59.999"),
            (.microsecond, "UTC", 1_600_000_000_123_456, "2020-09-13T12:26:40.123456Z"),
            (.nanosecond, "Europe/Berlin", 1, "1970-01-01T00:00:00.000000001Z"),
            (.second, "+05:30", 0, "1970-01-01T05:30:00+05:30"),
            (.second, "-0030", 0, "1969-12-31T23:30:00-00:30"),
            (.second, "+02", 86400 * 59, "1970-03-01T02:00:00+02:00"),
            (.second, "+00:00", 0, "1970-01-01T00:00:00Z"),
            (.second, nil, -62_135_596_801, "0000-12-31T23:59:59"),
            (.second, nil, -62_167_219_201, "-0001-12-31T23:59:59"),
            (.second, nil, 253_402_300_800, "+10000-01-01T00:00:00"),
            (.nanosecond, nil, Int64.min, "1677-09-21T00:12:43.145224192"),
            (.nanosecond, nil, Int64.max, "2262-04-11T23:47:16.854775807"),
            (.second, "+14:00", Int64.max, "+292277026596-12-05T05:30:07+14:00"),
            (.second, nil, Int64.min, "-292277022657-01-27T08:29:52"),
        ]
    )
    func timestamps(unit: TimeUnit, timezone: String?, value: Int64, text: String) {
        let array = ArrowArray.timestamp(unit, timezone: timezone, [value])
        #expect(array.formatted(at: 0, style: .cell) == text)
        #expect(array.formatted(at: 0) == "\"\(text)\"")
        let back = parse(text) { ArrowText.parseTimestamp($0, unit: unit, zone: TimeZoneRule(timezone: timezone)) }
        #expect(back == value)
    }

    @Test("other ways to write a timestamp")
    func otherTimestamps() {
        func seconds(_ text: String, _ zone: TimeZoneRule = .none) -> Int64? {
            parse(text) { ArrowText.parseTimestamp($0, unit: .second, zone: zone) }
        }
        #expect(seconds("1970-01-02") == 86400)
        #expect(seconds("1970-01-01 00:01") == 60)
        #expect(seconds("1970-01-01t00:00:01.000000000000z") == 1)
        #expect(seconds("1970-01-01T00:00:00", .fixed(minutes: 60)) == -3600)
        #expect(seconds("1970-01-01T00:00:00Z", .fixed(minutes: 60)) == 0)
        #expect(seconds("1970-01-01T00:00:00-0130") == 5400)
        #expect(seconds("1970-01-01T00:00:00+01") == -3600)
        for bad in [
            "", "1970", "1970-1-1", "1970-13-01", "1970-02-29", "1900-02-29", "1970-01-32", "1970-01-00", "1970-01-01T",
            "1970-01-01T24:00:00", "1970-01-01T00:60", "1970-01-01T00:00:60", "1970-01-01T00:00:00.",
            "1970-01-01T00:00:00.5",
            "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+1", "1970-01-01T00:00:00Zx", " 1970-01-01", "1970-01-01 ",
            "19700101", "12345-01-01", "+9999999999999-01-01", "1970-01-01X00:00:00", "+999999999999-01-01",
        ] { #expect(seconds(bad) == nil, "\(bad)") }
        #expect(seconds("2000-02-29") != nil)
    }

    @Test("dates are counted right through five thousand years, day by day")
    func dates() {
        var day = -1_000_000
        var last = ""
        while day < 1_000_000 {
            let text = ArrowArray.date32([Int32(day)]).formatted(at: 0, style: .cell)
            #expect(parse(text) { ArrowText.parseDate($0) } == Int64(day))
            #expect(text != last)
            last = text
            day += 37
        }
        #expect(ArrowArray.date32([11016]).formatted(at: 0) == "\"2000-02-29\"")
        for extreme in [Int32.min, .max] {
            let text = ArrowArray.date32([extreme]).formatted(at: 0, style: .cell)
            #expect(parse(text) { ArrowText.parseDate($0) } == Int64(extreme))
        }
    }

    @Test("times and date64")
    func times() throws {
        let time = try ArrowArray.of(
            .time64(.nanosecond),
            [.int(86_399_999_999_999), .int(-1), .int(86_400_000_000_000)]
        )
        #expect(time.formatted(at: 0, style: .cell) == "23:59:59.999999999")
        #expect(time.formatted(at: 1, style: .cell) == "-1")
        #expect(time.formatted(at: 2, style: .cell) == "86400000000000")
        #expect(parse("23:59:59.999999999") { ArrowText.parseTime($0, unit: .nanosecond) } == 86_399_999_999_999)
        #expect(parse("00:00:01.5") { ArrowText.parseTime($0, unit: .millisecond) } == 1500)
        #expect(parse("00:00:01.5") { ArrowText.parseTime($0, unit: .second) } == nil)
        let date = try ArrowArray.of(.date64, [.int(-86_400_000), .int(1), .int(.min), .int(.max)])
        #expect(date.formatted(at: 0, style: .cell) == "1969-12-31")
        #expect(date.formatted(at: 1, style: .cell) == "1970-01-01T00:00:00.001")
        #expect(date.formatted(at: 2, style: .cell) == "-292275055-05-16T16:47:04.192")
        #expect(date.formatted(at: 3, style: .cell) == "+292278994-08-17T07:12:55.807")
    }

    @Test(
        "decimals are exact at every scale",
        arguments: [
            ("12345", 2, "123.45"), ("-12345", 2, "-123.45"), ("5", 3, "0.005"), ("-5", 1, "-0.5"), ("0", 2, "0.00"),
            ("12", -3, "12000"), ("0", -3, "0"), ("7", 0, "7"),
            (
                "-170141183460469231731687303715884105728", 38,
                "-1.70141183460469231731687303715884105728"
            ),
        ]
    )
    func decimals(unscaled: String, scale: Int, text: String) throws {
        let value = try #require(parse(unscaled) { ArrowText.parseDecimal($0, precision: 39, scale: 0) })
        let array = try ArrowArray.of(.decimal128(precision: 38, scale: scale), [.decimal(value, scale: scale)])
        #expect(array.formatted(at: 0, style: .cell) == text)
        #expect(array.formatted(at: 0) == "\"\(text)\"")
        #expect(parse(text) { ArrowText.parseDecimal($0, precision: 39, scale: scale) } == value)
    }

    @Test("decimals of absurd scales do not make text to match")
    func absurdScales() {
        for scale in [Int.min, .max, -2_000_000_000, 1001] {
            var text = BufferBuilder()
            ArrowText.append(decimal: Int256(-7), scale: scale, to: &text)
            #expect(text.count < 30)
            let back = text.withUnsafeBytes { ArrowText.parseDecimal($0, precision: 5, scale: scale) }
            #expect(back == (scale.magnitude < 1_000_000 ? Int256(-7) : back))
        }
        #expect(parse("1e999999999") { ArrowText.parseDecimal($0, precision: 5, scale: .max) } == nil)
    }

    @Test("decimals that do not fit are refused")
    func badDecimals() {
        func decimal(_ text: String, _ precision: Int = 5, _ scale: Int = 2) -> Int256? {
            parse(text) { ArrowText.parseDecimal($0, precision: precision, scale: scale) }
        }
        #expect(decimal("1e2") == Int256(10000))
        #expect(
            decimal("1.50000000000000000000000000000000000000000000000000000000000000000000000000000000000000")
                == Int256(150)
        )
        #expect(decimal("+.5") == Int256(50))
        #expect(decimal("5.") == Int256(500))
        #expect(decimal("12e-1") == Int256(120))
        #expect(decimal("0e999999999999") == Int256.zero)
        #expect(decimal("999.99") == Int256(99999))
        for bad in [
            "", "-", ".", "1e", "1.2.3", "x", "1 ", "0.001", "1000", "1e9999999999999", "0x1", "1_0", "--1",
            "1e-9999999999",
        ] {
            #expect(decimal(bad) == nil, "\(bad)")
        }
        #expect(decimal(String(repeating: "9", count: 76), 76, 0) != nil)
        #expect(decimal(String(repeating: "9", count: 100), 76, 0) == nil)
    }

    @Test("floats read back as the same bits")
    func floats() {
        var random = SplitMix64(seed: 21)
        for _ in 0..<50_000 {
            let double = Double(bitPattern: random.next())
            if double.isFinite {
                #expect(parse(double.description) { ArrowText.parseFloat($0) }?.bitPattern == double.bitPattern)
            }
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            if float.isFinite {
                #expect(parse(float.description) { ArrowText.parseFloat32($0) }?.bitPattern == float.bitPattern)
            }
            let short = "\(random.int(-99999...99999)).\(random.int(0...99999))e\(random.int(-30...30))"
            #expect(parse(short) { ArrowText.parseFloat($0) } == Double(short))
            #expect(parse(short) { ArrowText.parseFloat32($0) } == Float(short))
        }
        #expect(parse("-0") { ArrowText.parseFloat($0) }?.sign == .minus)
        #expect(parse("9007199254740993") { ArrowText.parseFloat($0) } == 9_007_199_254_740_992)
        #expect(parse("-Infinity") { ArrowText.parseFloat($0) } == -.infinity)
        #expect(parse("nan") { ArrowText.parseFloat($0) }?.isNaN == true)
        for bad in ["", "-", ".", "e5", "1e", "0x10", "1.0f", " 1", "infinit", "1,0"] {
            #expect(parse(bad) { ArrowText.parseFloat($0) } == nil, "\(bad)")
        }
        #expect(ArrowArray.float32([0.1, -0.0]).formatted(at: 0) == "0.1")
        #expect(ArrowArray.float32([0.1, -0.0]).formatted(at: 1) == "-0.0")
        #expect(ArrowArray.float16([0.1]).formatted(at: 0) == "0.1")
        #expect(ArrowArray.float64([.nan, -.infinity]).formatted(at: 0) == "\"NaN\"")
        #expect(ArrowArray.float64([.nan, -.infinity]).formatted(at: 1, style: .cell) == "-Infinity")
    }

    @Test("integers at their limits")
    func integers() {
        #expect(ArrowArray.int64([.min]).formatted(at: 0) == "-9223372036854775808")
        #expect(ArrowArray.uint64([.max]).formatted(at: 0) == "18446744073709551615")
        #expect(ArrowArray.uint64([9_999_999_999_999_999_999]).formatted(at: 0) == "9999999999999999999")
        #expect(ArrowArray.uint64([10_000_000_000_000_000_000]).formatted(at: 0) == "10000000000000000000")
        #expect(ArrowArray.int8([0, -7]).formatted(at: 1) == "-7")
        #expect(parse("-128") { ArrowText.parseInteger($0, as: Int8.self) } == -128)
        #expect(parse("128") { ArrowText.parseInteger($0, as: Int8.self) } == nil)
        #expect(parse("-9223372036854775808") { ArrowText.parseInteger($0, as: Int64.self) } == .min)
        #expect(parse("18446744073709551616") { ArrowText.parseInteger($0, as: UInt64.self) } == nil)
        #expect(parse("-0") { ArrowText.parseInteger($0, as: UInt64.self) } == 0)
        #expect(parse("-1") { ArrowText.parseInteger($0, as: UInt64.self) } == nil)
        #expect(parse("+") { ArrowText.parseInteger($0, as: Int64.self) } == nil)
    }

    @Test("JSON strings are escaped as RFC 8259 asks")
    func strings() {
        #expect(
            ArrowArray.utf8(["a\"b\\c\n\u{1}\u{7f}\u{e9}"]).formatted(at: 0) == "\"a\\\"b\\\\c\\n\\u0001\u{7f}\u{e9}\""
        )
        for position in 0..<20 {
            for special in ["\"", "\\", "\t", "\u{1f}", "\u{8}", "\u{c}", "\r"] {
                let text = String(repeating: "x", count: position) + special + String(repeating: "\u{e9}", count: 12)
                let escaped = ArrowArray.utf8([text]).formatted(at: 0)
                #expect(escaped.contains("\\") && escaped.count > text.count + 2)
            }
        }
        #expect(ArrowArray.utf8(["a\"b"]).formatted(at: 0, style: .cell) == "a\"b")
    }

    @Test("nested values are JSON, nulls within them too")
    func nested() throws {
        let list = ArrowArray.list(of: .utf8(["a", nil, "b"]), lengths: [2, nil, 0, 1])
        #expect((0..<4).map { list.formatted(at: $0) } == ["[\"a\",null]", "null", "[]", "[\"b\"]"])
        #expect(list.formatted(at: 1, style: .cell) == "")
        let point = ArrowArray.structure([("x\"", .int8([1])), ("y", .float64([nil]))])
        #expect(point.formatted(at: 0, style: .cell) == "{\"x\\\"\":1,\"y\":null}")
        #expect(ArrowArray.structure([], validity: [true]).formatted(at: 0) == "{}")
        func map(_ key: ArrowType, _ value: ArrowValue) throws -> String {
            let entries = ArrowType.structure([ArrowField("key", key, nullable: false), ArrowField("value", .int8)])
            let type = ArrowType.map(ArrowField("entries", entries, nullable: false), keysSorted: false)
            return try ArrowArray.of(type, [[["key": value, "value": 1], ["key": value, "value": nil]]]).formatted(
                at: 0
            )
        }
        #expect(try map(.utf8, "k") == "{\"k\":1,\"k\":null}")
        #expect(try map(.int32, 5) == "[{\"key\":5,\"value\":1},{\"key\":5,\"value\":null}]")
        let dictionary = ArrowType.dictionary(index: .int8, value: .utf8, ordered: false)
        #expect(try ArrowArray.of(dictionary, ["v", nil]).formatted(at: 0) == "\"v\"")
        #expect(try ArrowArray.of(dictionary, ["v", nil]).formatted(at: 0, style: .cell) == "v")
    }

    @Test("base64 of every length, and bad base64")
    func base64() {
        #expect(ArrowArray.binary([Array("any carnal pleas".utf8)]).formatted(at: 0) == "\"YW55IGNhcm5hbCBwbGVhcw==\"")
        var random = SplitMix64(seed: 22)
        for length in 0..<50 {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let text = ArrowArray.binary([bytes]).formatted(at: 0, style: .cell)
            #expect(parse(text) { ArrowText.parseBase64($0) } == bytes)
        }
        #expect(parse("YQ") { ArrowText.parseBase64($0) } == [97])
        for bad in ["a", "YQ=", "Y===", "====", "Y!==", "YQ==YQ=="] {
            #expect(parse(bad) { ArrowText.parseBase64($0) } == nil, "\(bad)")
        }
    }

    @Test("what a cell says is read back by the builder, for every type without children")
    func roundTrip() throws {
        var random = SplitMix64(seed: 23)
        for type in RandomTypes.allLeaves where type != .null {
            let array = RandomArrays().array(type, length: 300, &random)
            let formatter = CellFormatter(array, style: .cell)
            let builder = ColumnBuilder(type)
            for index in 0..<array.length {
                var cell = BufferBuilder()
                formatter.append(index, to: &cell)
                #expect(formatter.isNull(index) == array.isNull(index))
                if formatter.isNull(index) {
                    builder.appendNull()
                } else {
                    try cell.withUnsafeBytes { text in try builder.append(parsing: text) }
                }
            }
            let difference = builder.finish().firstDifference(from: array)
            // NaN loses its payload in text.
            #expect(difference == nil || difference?.contains("NaN") == true, "\(type): \(difference ?? "")")
        }
    }

    @Test("random bytes never break a parser")
    func fuzz() {
        var random = SplitMix64(seed: 24)
        let letters = Array("0123456789+-:.TZ eE/=".utf8)
        for _ in 0..<100_000 {
            let bytes = (0..<random.int(0...30)).map { _ in random.pick(letters) }
            bytes.withUnsafeBytes { text in
                _ = ArrowText.parseTimestamp(text, unit: .nanosecond, zone: .fixed(minutes: -700))
                _ = ArrowText.parseTime(text, unit: .second)
                _ = ArrowText.parseDecimal(text, precision: 76, scale: 40)
                _ = ArrowText.parseBase64(text)
                let double = ArrowText.parseFloat(text)
                #expect(
                    double == Double(String(decoding: text, as: UTF8.self)),
                    "\(String(decoding: text, as: UTF8.self))"
                )
            }
        }
    }
}
