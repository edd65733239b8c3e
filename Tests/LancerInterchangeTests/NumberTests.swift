import LancerArrow
import LancerBytes
import LancerInterchange
import LancerTestSupport
import Testing

@Suite("Numbers in text")
struct NumberTests {
    /// The texts as one column of the type, read as CSV.
    private func parsed(_ texts: [String], _ type: ArrowType) throws -> ArrowArray {
        var options = CSVOptions()
        options.header = false
        options.schema = ArrowSchema([ArrowField("v", type)])
        return try readCSV(texts.joined(separator: "\n"), options).columns[0]
    }

    private func expectDoubles(_ texts: [String]) throws {
        let expected = texts.map { Double($0) }
        let column = try parsed(texts, .float64)
        if column.isEqual(to: .float64(expected)) { return }
        for (index, text) in texts.enumerated() {
            let single = try parsed([text], .float64)
            #expect(single.isEqual(to: .float64([expected[index]])), "\(text)")
        }
    }

    @Test("doubles are the nearest ones, for any number of digits", arguments: [1, 2, 3, 4])
    func doubles(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var texts: [String] = []
        while texts.count < 60_000 {
            let bits = Double(bitPattern: random.next())
            if bits.isFinite { texts.append(bits.description) }
            let digits = random.int(1...25)
            var text = random.chance(0.5) ? "-" : ""
            let point = random.int(0...digits)
            for index in 0..<digits {
                if index == point { text += index == 0 ? "0." : "." }
                text += String(random.int(0...9))
            }
            if random.chance(0.7) { text += "e\(random.int(-345...290))" }
            if let value = Double(text), value.isFinite { texts.append(text) }
        }
        try expectDoubles(texts)
    }

    @Test("doubles half way between two, the smallest and the largest")
    func edges() throws {
        var texts = [
            "0", "-0.0", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072014e-308",
            "2.2250738585072011e-308", "1.7976931348623157e308", "1.7976931348623158e308", "9007199254740993",
            "9007199254740993.00000000000000000000000000000000001", "9007199254740992.99999999999999999999999999999",
            "0.000000000000000000000000000000000000000000000000001", "123456789012345678901234567890",
            "6929495644600919.5", "3.7455744005952583e15", "1e23", "8.5e22", "1.00000000000000011102230246251565404",
            "1" + String(repeating: "0", count: 300), "0." + String(repeating: "0", count: 320) + "12",
            String(repeating: "9", count: 309), "00000000000000000000000001", "1e-400", "0e999999999999",
        ]
        for exponent in -340...308 { texts += ["1e\(exponent)", "9.999999999999999e\(exponent)", "7e\(exponent)"] }
        try expectDoubles(texts.filter { Double($0)?.isFinite == true })
        var options = CSVOptions()
        options.schema = try SchemaText.parse("v:double")
        for text in ["1.8e308", "1e309", "-1e400", "1e99999999999999999999"] {
            #expect(failure { _ = try readCSV("v\n\(text)\n", options) }?.code == .invalidArgument)
        }
    }

    @Test("singles and halves are rounded once")
    func narrow() throws {
        var random = SplitMix64(seed: 5)
        var texts = [
            "1.00000005960464477539062500000001", "1.000000059604644775390625", "1e-45", "7e-46", "3.4028235e38",
        ]
        for _ in 0..<50_000 {
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            guard value.isFinite, value.nextUp.isFinite else { continue }
            texts.append(value.description)
            // The middle between two singles, and a hair beside it.
            let middle = (Double(value) + Double(value.nextUp)) / 2
            texts += [middle.description, middle.nextUp.description, middle.nextDown.description]
        }
        texts = texts.filter { Float($0)?.isFinite == true }
        #expect(try parsed(texts, .float32).isEqual(to: .float32(texts.map { Float($0) })))
        let halves = ["65504", "65519.9", "6e-8", "2.9e-8", "-0.1", "1.00048828125"]
        #expect(try parsed(halves, .float16).isEqual(to: .float16(halves.map { Double($0) })))
        #expect(failure { _ = try parsed(["65520"], .float16) }?.code == .invalidArgument)
    }

    @Test("integers at the borders of their types")
    func integers() throws {
        let borders: [(ArrowType, String, String, String, String)] = [
            (.int8, "-128", "127", "-129", "128"), (.uint8, "0", "255", "-1", "256"),
            (.int16, "-32768", "32767", "-32769", "32768"), (.uint16, "0", "65535", "-1", "65536"),
            (.int32, "-2147483648", "2147483647", "-2147483649", "2147483648"),
            (.uint32, "0", "4294967295", "-1", "4294967296"),
            (.int64, "-9223372036854775808", "9223372036854775807", "-9223372036854775809", "9223372036854775808"),
            (.uint64, "0", "18446744073709551615", "-1", "18446744073709551616"),
        ]
        for (type, lowest, highest, below, above) in borders {
            #expect(try parsed([lowest, highest, "+7", "007"], type).nullCount == 0)
            #expect(
                try text(
                    writeCSV(
                        RecordBatch(
                            schema: ArrowSchema([ArrowField("v", type)]),
                            columns: [parsed([lowest, highest], type)]
                        )
                    )
                ) == "v\n\(lowest)\n\(highest)\n"
            )
            for bad in [below, above, "1.0", "1e2", "", "x", "1 2", "99999999999999999999999", "1234567/", "12345678:"]
            where bad != "" {
                #expect(failure { _ = try parsed([bad], type) }?.code == .invalidArgument, "\(type) \(bad)")
            }
        }
        var random = SplitMix64(seed: 9)
        let values = (0..<20_000).map { _ in Int64(bitPattern: random.next()) >> Int64(random.int(0...63)) }
        #expect(try parsed(values.map(\.description), .int64).isEqual(to: .int64(values)))
    }

    @Test("decimals need no rounding or are refused")
    func decimals() throws {
        let type = ArrowType.decimal128(precision: 5, scale: 2)
        let good = ["1", "-999.99", "0.010", "1e2", "12345e-3", ".5", "5.", "0e50", "+0.00"].dropLast(0)
        let values: [Int64] = [100, -99999, 1, 10000, 1234, 50, 500, 0, 0]
        let texts = good.map { $0 == "12345e-3" ? "12340e-3" : $0 }
        #expect(try parsed(texts, type).isEqual(to: .of(type, values.map { .decimal(Int256($0), scale: 2) })))
        for bad in ["1000", "0.001", "12345e-3", "1e3", "x", "1e", "NaN", "1e99999999999", "--1"] {
            #expect(failure { _ = try parsed([bad], type) }?.code == .invalidArgument, "\(bad)")
        }
    }
}
