import LancerArrow
import LancerBytes
import LancerInterchange
import LancerTestSupport
import Testing

@Suite("CSV reader")
struct CSVReaderTests {
    @Test("quotes, doubled quotes, line ends in cells, CR LF and a byte order mark are understood")
    func layout() throws {
        let batch = try readCSV("\u{FEFF}a,\"b \"\"x\"\"\",c\r\n1,\"two\r\nlines\",\"a \"\"q\"\" b\"\r\n2,,\"\"\r\n")
        #expect(types(batch) == "a:int64,b \"x\":string,c:string".replacing("b \"x\"", with: "\"b \"\"x\"\"\""))
        #expect(batch.columns[1].isEqual(to: .utf8(["two\r\nlines", nil])))
        #expect(batch.columns[2].isEqual(to: .utf8(["a \"q\" b", ""])))
    }

    @Test("LF, CR LF and CR end rows; the last row may go without")
    func lineEnds() throws {
        for text in ["a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r", "a,b\r1,2\n3,4"] {
            let batch = try readCSV(text)
            #expect(batch.columns[0].isEqual(to: .int64([1, 3])))
            #expect(batch.columns[1].isEqual(to: .int64([2, 4])))
        }
    }

    @Test("an empty cell is null; a quoted one is the empty string in text and null elsewhere")
    func nulls() throws {
        let batch = try readCSV("n,t,e\n1,x,\n,,\n\"\",\"\",\"\"\n")
        #expect(batch.columns[0].isEqual(to: .int64([1, nil, nil])))
        #expect(batch.columns[1].isEqual(to: .utf8(["x", nil, ""])))
        #expect(batch.columns[2].isEqual(to: .utf8([nil, nil, ""])))
        #expect(try readCSV("a,b\n,1\n,2\n").columns[0].type == .null)
    }

    @Test("blank lines are skipped, but are nulls in a text of one column")
    func blankLines() throws {
        #expect(try readCSV("\n\na,b\n\n1,2\n\n\n3,4\n\n").rowCount == 2)
        #expect(try readCSV("a\n1\n\n2\n").columns[0].isEqual(to: .int64([1, nil, 2])))
    }

    @Test(
        "types are chosen from all cells and never lose anything",
        arguments: [
            ("1|-5|0", "int64"), ("9223372036854775807|-9223372036854775808", "int64"),
            ("1|9223372036854775808", "uint64"), ("18446744073709551615", "uint64"),
            ("-1|9223372036854775808", "string"), ("18446744073709551616", "string"),
            ("18446744073709551617", "string"), ("100000000000000000000", "double"),
            ("1|2.5", "double"), ("9007199254740993|2.5", "string"), ("9007199254740992|2.5", "double"),
            ("1e5|.5|5.|-1.5E-3", "double"), ("1e400", "string"), ("1e308|1e309", "string"),
            ("NaN|inf|-Infinity|1", "double"), ("nan", "double"), ("nano", "string"),
            ("007", "string"), ("1|007", "string"), ("0|10", "int64"), ("00", "string"), ("0.5", "double"),
            ("00.5", "string"), ("+5", "string"), ("-0", "string"), ("1,5", "string"), ("--5", "string"),
            ("0x10", "string"), ("1_000", "string"), ("1e", "string"), ("-", "string"), (".", "string"),
            ("true|False|TRUE", "bool"), ("true|1", "string"), ("t|f", "string"), ("yes|no", "string"),
            ("2024-02-29", "date32[day]"), ("2023-02-29", "string"), ("2024-13-01", "string"),
            ("2024-02-29|2024-02-29 10:00", "timestamp[us]"), ("2024-02-29T10:00:00.5", "timestamp[us]"),
            ("2024-02-29T10:00:00.1234567", "timestamp[ns]"), ("2024-02-29T10:00:00Z", "timestamp[us, tz=UTC]"),
            ("2024-02-29T10:00:00+05:30|2024-02-29 10:00:00-0800", "timestamp[us, tz=UTC]"),
            ("2024-02-29T10:00:00Z|2024-02-29T10:00:00", "string"), ("2024-02-29|2024-02-29T10:00:00Z", "string"),
            ("1000-01-01|2024-02-29T10:00:00.1234567", "string"), ("1000-01-01|2024-02-29T10:00:00", "timestamp[us]"),
            ("2024-02-29T24:00:00", "string"), ("10:00:00", "string"), ("2024-02-29|5", "string"),
            (" 5 |7", "int64"), (" x", "string"), ("12345678901234567", "int64"), ("1234567890123456x", "string"),
            ("99999999|1234567x", "string"), ("0:", "string"), ("1/2", "string"),
        ]
    )
    func inference(cells: String, type: String) throws {
        var quoted = "\"v\"\n"
        for cell in cells.split(separator: "|") { quoted += "\"\(cell)\"\n" }
        let batch = try readCSV(quoted)
        #expect(types(batch) == "v:\(type)", "\(cells)")
    }

    @Test("values of every chosen type are right")
    func values() throws {
        let text = """
            b,i,u,f,d,t,z,n,s
            true,-9223372036854775808,18446744073709551615,0.1,1969-12-31,1969-12-31T23:59:59.999999,1970-01-01T01:00:00+01:00,2024-01-01T00:00:00.123456789,é
            ,,,,,,,,
            FALSE,9223372036854775807,0,1e-300,2024-02-29,2024-02-29,2024-02-29 23:00-01:00,1970-01-01 00:00,"a,b"
            """
        let batch = try readCSV(text)
        #expect(batch.columns[0].isEqual(to: .bool([true, nil, false])))
        #expect(batch.columns[1].isEqual(to: .int64([.min, nil, .max])))
        #expect(batch.columns[2].isEqual(to: .uint64([.max, nil, 0])))
        #expect(batch.columns[3].isEqual(to: .float64([0.1, nil, 1e-300])))
        #expect(batch.columns[4].isEqual(to: .date32([-1, nil, 19782])))
        #expect(batch.columns[5].isEqual(to: .timestamp(.microsecond, [-1, nil, 19782 * 86_400_000_000])))
        #expect(
            batch.columns[6].isEqual(to: .timestamp(.microsecond, timezone: "UTC", [0, nil, 19783 * 86_400_000_000]))
        )
        #expect(batch.columns[7].isEqual(to: .timestamp(.nanosecond, [1_704_067_200_123_456_789, nil, 0])))
        #expect(batch.columns[8].isEqual(to: .utf8(["é", nil, "a,b"])))
    }

    @Test("a schema finds its columns by name; others must be named or skipped")
    func schema() throws {
        var options = CSVOptions()
        options.schema = try SchemaText.parse("c:string,a:int8 not null")
        #expect(failure { _ = try readCSV("a,b,c\n1,2,3\n", options) }?.code == .schemaMismatch)
        options.skipsOtherColumns = true
        let batch = try readCSV("a,b,c\n1,2,003\n", options)
        #expect(batch.columns[0].isEqual(to: .utf8(["003"])))
        #expect(batch.columns[1].isEqual(to: .int8([1])))
        #expect(failure { _ = try readCSV("a,b\n1,2\n", options) }?.message.contains("\"c\"") == true)
        let null = failure { _ = try readCSV("a,c\n1,2\n,5\n", options) }
        #expect(null?.message.contains("line 3, column \"a\"") == true)
        options.header = false
        #expect(try readCSV("x,4\n", options).columns[1].isEqual(to: .int8([4])))
        #expect(failure { _ = try readCSV("x,4,5\n", options) }?.message.hasPrefix("line 1 has 3 cells") == true)
    }

    @Test("errors name line, column and what was found")
    func errors() throws {
        func message(_ text: String, _ schema: String? = nil) throws -> String {
            var options = CSVOptions()
            if let schema { options.schema = try SchemaText.parse(schema) }
            return failure { _ = try readCSV(text, options) }?.message ?? "no error"
        }
        #expect(
            try message("a,b\n1,2\n3\n").hasPrefix("line 3 has 1 cell where 2 are expected: nothing for column 2 \"b\"")
        )
        #expect(
            try message("a,b\n1,2\n\"x\ny\",2\n3,4,five\n").hasSuffix(
                "line 5 has 3 cells where 2 are expected: cell 3 is \"five\""
            )
        )
        #expect(try message("a\n1\n300\n", "a:int8") == "line 3, column \"a\": \"300\" is no value of int8")
        #expect(try message("a,b\n1,\"x\"y\n").hasPrefix("line 2: text behind a closing quote"))
        #expect(try message("a,b\n1,\"x\ny\n").hasPrefix("line 2: a quoted cell starts here"))
        #expect(try message("a,a\n").contains("two columns are called \"a\""))
        #expect(try message("").contains("empty"))
        #expect(try message("a\n\"[1,2\"\n", "a:list<int8>").hasPrefix("line 2, column \"a\": "))
        #expect(try message("a,v\nx,\"[1,2.5]\"\n", "a:string,v:list<int8>").contains("[1]: 2.5"))
        let broken = ArrowBuffer([0x61, 0x0A, 0x78, 0x0A, 0xFF, 0x0A] as [UInt8])
        #expect(failure { _ = try readCSV(broken) }?.message.hasPrefix("line 3, column \"a\"") == true)
        #expect(failure { _ = try readCSV(ArrowBuffer([0xFF, 0xFE, 0x61, 0x00] as [UInt8])) }?.code == .unsupported)
    }

    @Test("NUL bytes, tabs and semicolons, and text without a header")
    func odd() throws {
        #expect(try readCSV("a,b\nx\0y,\0\n").columns[0].isEqual(to: .utf8(["x\0y"])))
        #expect(try readCSV("a\tb\n1\t\"x\ty\"\n", .tsv).columns[1].isEqual(to: .utf8(["x\ty"])))
        var options = CSVOptions()
        options.header = false
        options.delimiter = 0x3B
        let batch = try readCSV("1;2,5\n3;4,5", options)
        #expect(types(batch) == "f0:int64,f1:string")
        #expect(try readCSV("a,b\n").rowCount == 0)
        options.delimiter = 0x22
        #expect(failure { _ = try readCSV("a", options) }?.code == .invalidArgument)
    }

    @Test("any cut of the stream and any batch size give the same rows")
    func pieces() throws {
        var text = "id,text,x\n"
        for row in 0..<300 {
            text += "\(row),\"line \(row)\r\n\"\"\(String(repeating: "é", count: row % 50))\",\(Double(row) / 7)\r\n"
        }
        let expected = try readCSV(text)
        #expect(expected.rowCount == 300)
        for (piece, rows, bytes) in [(1, 7, 64), (3, 1000, 100), (1000, 64, 1), (7, 1, 1 << 20)] {
            var options = CSVOptions()
            options.batchRows = rows
            options.batchBytes = bytes
            #expect(try readCSV(buffer(text), options, piece: piece).isEqual(to: expected))
        }
    }

    @Test("damaged and random text never traps", arguments: [1, 2, 3, 4])
    func garbage(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let alphabet = Array("\"\"\",,,\n\n\r\n 0123456789.-+eE:TZtruefalsNaN\u{0}é[]{}".utf8) + [0xFF, 0x80]
        for _ in 0..<3000 {
            let bytes = (0..<random.int(0...60)).map { _ in random.pick(alphabet) }
            var options = CSVOptions()
            options.header = random.chance(0.5)
            options.batchBytes = 64
            do { _ = try readCSV(ArrowBuffer(bytes), options, piece: random.int(1...9)) } catch is LanceError {}
        }
    }

    @Test("a date column, a decimal column and nested columns come from a schema")
    func rareTypes() throws {
        var options = CSVOptions()
        options.schema = try SchemaText.parse(
            "d:decimal128(10, 2),t:time32[s],l:list<int32>,m:map<string, int8>,s:struct<a: int8, b: string>,x:binary,k:dictionary<values=string, indices=int8, ordered=0>"
        )
        let text =
            "d,t,l,m,s,x,k\n12.5,10:20:30,\"[1,null]\",\"{\"\"k\"\":1}\",\"{\"\"b\"\":\"\"q\"\"}\",AQI=,w\n-1e2,,,,,\"\",w\n"
        let batch = try readCSV(text, options)
        #expect(
            batch.columns[0].isEqual(
                to: try .of(
                    batch.columns[0].type,
                    [.decimal(Int256(1250), scale: 2), .decimal(Int256(-10000), scale: 2)]
                )
            )
        )
        #expect(batch.columns[1].isEqual(to: try .of(.time32(.second), [37230, nil])))
        #expect(batch.columns[2].isEqual(to: try .of(batch.columns[2].type, [[1, nil], nil])))
        #expect(batch.columns[4].isEqual(to: try .of(batch.columns[4].type, [["a": nil, "b": "q"], nil])))
        #expect(batch.columns[5].isEqual(to: .binary([[1, 2], []])))
        #expect(
            failure { _ = try readCSV(text.replacing("12.5", with: "12.555"), options) }?.message.contains("12.555")
                == true
        )
    }
}
