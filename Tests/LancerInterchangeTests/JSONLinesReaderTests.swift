import LancerArrow
import LancerBytes
import LancerInterchange
import LancerTestSupport
import Testing

@Suite("JSON lines reader")
struct JSONLinesReaderTests {
    @Test(
        "types are chosen from all lines",
        arguments: [
            (#"{"a":1,"b":true}|{"b":false,"c":"x"}"#, "a:int64,b:bool,c:string"),
            (#"{"a":null}|{}"#, "a:null"), (#"{"a":1}|{"a":2.5}"#, "a:double"), (#"{"a":-0}"#, "a:double"),
            (#"{"a":18446744073709551615}|{"a":1}"#, "a:uint64"), (#"{"a":100000000000000000000}"#, "a:double"),
            (#"{"a":[]}|{"a":[1,null]}|{"a":[2.5]}"#, "a:list<item:double>"), (#"{"a":[]}"#, "a:list<item:null>"),
            (#"{"a":{"x":1}}|{"a":{"y":"q"}}|{"a":null}"#, "a:struct<x:int64, y:string>"),
            (#"{"a":[{"x":[1]},{"y":{}}]}"#, "a:list<item:struct<x:list<item:int64>, y:struct<>>>"),
            (#"  {"é":1}  || "#, "é:int64"),
        ]
    )
    func inference(lines: String, schema: String) throws {
        #expect(types(try readJSON(lines.replacing("|", with: "\n"))) == schema)
    }

    @Test(
        "bad lines are named by line and key",
        arguments: [
            ("{\"a\":1}\n\n{\"a\":\"x\"}", "line 3: a: a string, but lines before have a number here"),
            ("{\"a\":[{\"b\":1},{\"b\":[]}]}", "line 1: a[1].b: an array"),
            ("{\"a\":{\"b\":1,\"b\":2}}", "line 1: a.b: the key comes twice"),
            ("{\"a\":1,\"a\":1}", "line 1: a: the key comes twice"),
            ("[1]", "line 1: a line holds one object"), ("{\"a\":01}", "line 1: a: a number with a leading zero"),
            ("{\"a\":1.}", "line 1: a: expected a digit behind the point"),
            ("{\"a\":+1}", "line 1: a: expected a value, found \"+1}\""), ("{\"a\":.5}", "line 1: a: expected a value"),
            ("{\"a\":-}", "line 1: a: expected a digit"), ("{\"a\":1e}", "line 1: a: expected a digit in the exponent"),
            ("{\"a\":1e999}", "line 1: a: 1e999 is beyond float64"), ("{\"a\":nul}", "line 1: a: expected null"),
            ("{\"a\":tru}", "line 1: a: expected true or false"), ("{\"a\":\"x}", "line 1: a: a string is not closed"),
            ("{\"a\":\"\\x\"}", "line 1: a: an unknown escape"),
            ("{\"a\":\"\\ud800\"}", "line 1: a: half of a surrogate"),
            ("{\"a\":\"\\udc00\\ud800\"}", "line 1: a: half of a surrogate"),
            ("{\"a\":\"\\u12\"}", "line 1: a: \\u needs"),
            ("{\"a\":\"\t\"}", "line 1: a: a control character (code 9)"), ("{\"a\":1", "line 1: the JSON text ends"),
            ("{\"a\":1}x", "line 1: expected nothing more"), ("{\"a\":1,}", "line 1: expected a key"),
            ("{\"a\":[1,]}", "line 1: a[1]: expected a value"), ("{\"a\" 1}", "line 1: expected \":\""),
            ("{a:1}", "line 1: expected a key"),
            ("{\"a\":9223372036854775808}\n{\"a\":-9223372036854775807}", "line 2: a: integers here are both"),
            ("{\"a\":9007199254740993}\n{\"a\":0.5}", "line 2: a: integers here do not fit"),
            ("{\"a\":123456789012345678901234567890}", "line 1: a: integers here do not fit"),
            ("{\"a\":\(String(repeating: "[", count: 100))", "nested deeper than 64 levels"),
        ]
    )
    func errors(text: String, message: String) throws {
        let error = failure { _ = try readJSON(text) }
        // JSON that does not go with the rest is the caller's to mend with a schema; anything else is damage.
        let isJSON = ["lines before", "an array", "comes twice", "is beyond", "integers here"].contains {
            message.contains($0)
        }
        #expect(error?.code == (isJSON ? .invalidArgument : .corrupt), "\(text)")
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "no error")")
    }

    @Test("strings with escapes, surrogate pairs and NULs")
    func strings() throws {
        let line = #"{"s":"\"\\\/\b\f\n\r\t\u00e9\ud83e\udd80é\u0000"}"#
        #expect(try readJSON(line).columns[0].isEqual(to: .utf8(["\"\\/\u{8}\u{C}\n\r\t\u{E9}\u{1F980}é\0"])))
        #expect(try readJSON(#"{"\u0061":1,"b":"x"}"#).schema.fields.map(\.name) == ["a", "b"])
        let broken = ArrowBuffer(Array(#"{"a":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8))
        #expect(failure { _ = try readJSON(broken) }?.message == "line 1: a: a string is not valid UTF-8")
    }

    @Test("with a schema every type comes from JSON")
    func typed() throws {
        let schema =
            "t:timestamp[ms, tz=UTC],d:date32,m:decimal128(5, 2),b:binary,v:fixed_size_list<float>[2],p:map<string, int8>,q:map<int8, string>,l:large_list<uint8>,k:dictionary<values=string, indices=int8, ordered=0>,f:float16"
        let lines = """
            {"t":"2024-01-01T00:00:00.5Z","d":"1970-01-02","m":1.25,"b":"AQI=","v":[1,"NaN"],"p":{"x":1,"x":null},"q":[{"key":1,"value":"a"}],"l":[255],"k":"w","f":0.1}
            {"f":null,"k":"w","m":"-999.99"}
            """
        let batch = try readJSON(lines, schema: schema)
        #expect(batch.columns[0].isEqual(to: .timestamp(.millisecond, timezone: "UTC", [1_704_067_200_500, nil])))
        #expect(batch.columns[1].isEqual(to: .date32([1, nil])))
        #expect(batch.columns[3].isEqual(to: .binary([[1, 2], nil])))
        #expect(batch.columns[4].isEqual(to: try .of(batch.columns[4].type, [[1, .float(.nan)], nil])))
        #expect(
            batch.columns[5].isEqual(
                to: try .of(batch.columns[5].type, [[["key": "x", "value": 1], ["key": "x", "value": nil]], nil])
            )
        )
        #expect(batch.columns[6].isEqual(to: try .of(batch.columns[6].type, [[["key": 1, "value": "a"]], nil])))
        for column in batch.columns { try column.validate() }
    }

    @Test(
        "what does not fit a schema is named",
        arguments: [
            ("a:int8", #"{"a":300}"#, "line 1: a: 300 is no value of int8"),
            ("a:int8", #"{"b":1}"#, "line 1: b: the schema has no such key"),
            ("a:int8 not null", "{}", "line 1: a: missing"),
            ("a:int8 not null", #"{"a":null}"#, "line 1: a: null, but"),
            ("a:string", #"{"a":5}"#, "line 1: a: the number 5 where the schema says string"),
            ("a:bool", #"{"a":"true"}"#, "line 1: a: the string \"true\" is no value of bool"),
            ("a:int64", #"{"a":1.5}"#, "line 1: a: 1.5 is no value of int64"),
            (
                "a:struct<b: list<int8>>", #"{"a":{"b":[1,2,true]}}"#,
                "line 1: a.b[2]: a boolean where the schema says int8"
            ),
            ("a:fixed_size_list<int8>[2]", #"{"a":[1]}"#, "line 1: a: 1 items"),
            ("a:fixed_size_list<int8>[2]", #"{"a":[1,2,3]}"#, "line 1: a: more than the 2 items"),
            ("a:timestamp[s]", #"{"a":"2024-01-01T00:00:00Z"}"#, "is no value of timestamp[s]"),
            ("a:timestamp[s]", #"{"a":"2024-01-01T00:00:00.5"}"#, "is no value of timestamp[s]"),
            ("a:binary", #"{"a":"A==="}"#, "is no value of binary"), ("a:null", #"{"a":1}"#, "is no value of null"),
            ("a:map<int8, int8>", #"{"a":{"x":1}}"#, "the key \"x\" is no value of int8"),
            ("a:float", #"{"a":1e39}"#, "1e39 is no value of float"),
        ]
    )
    func schemaErrors(schema: String, line: String, message: String) throws {
        let error = failure { _ = try readJSON(line, schema: schema) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "no error")")
    }

    @Test("other keys can be left out")
    func otherKeys() throws {
        var options = JSONLinesOptions()
        options.schema = try SchemaText.parse("a:int8")
        options.skipsOtherKeys = true
        let batch = try readJSON(buffer(#"{"x":{"y":[1,"\n",null]},"a":1,"z":true}"#), options)
        #expect(batch.columns[0].isEqual(to: .int8([1])))
    }

    @Test("null vectors do not blow up a batch, keys come in any order")
    func wide() throws {
        var options = JSONLinesOptions()
        options.schema = try SchemaText.parse("v:fixed_size_list<double>[100000]")
        var reader = try JSONLinesReader(options: options) { () throws(LanceError) in
            BufferStream(buffer(String(repeating: "{}\n", count: 1000)))
        }
        let first = try #require(try reader.next())
        #expect(first.rowCount < 100)
        options.schema = try SchemaText.parse("v:fixed_size_list<double>[100000000]")
        #expect(failure { _ = try readJSON(buffer("{}"), options) }?.code == .limitExceeded)
        let names = (0..<2000).map { "k\($0)" }
        options.schema = ArrowSchema(names.map { ArrowField($0, .int16) })
        let line = "{" + names.indices.reversed().map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        let batch = try readJSON(buffer(line), options)
        #expect(batch.columns[1234].isEqual(to: .int16([1234])))
    }

    @Test("damaged and random text never traps", arguments: [1, 2, 3, 4])
    func garbage(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let sample = Array(
            #"{"a":[1,-2.5e3,null,"x\u00e9\ud83e\udd80"],"b":{"c":true,"d":"é"},"a2":18446744073709551615}"#.utf8
        )
        for _ in 0..<5000 {
            var bytes = sample
            if random.chance(0.3) { bytes.removeLast(random.int(0...bytes.count)) }
            for _ in 0..<random.int(0...3) where !bytes.isEmpty {
                bytes[random.int(0...(bytes.count - 1))] =
                    random.chance(0.5) ? random.pick(sample) : UInt8(truncatingIfNeeded: random.next())
            }
            var options = JSONLinesOptions()
            options.batchBytes = 64
            if random.chance(0.3) { options.schema = try SchemaText.parse("a:list<double>,b:map<string, string>") }
            do { _ = try readJSON(ArrowBuffer(bytes), options, piece: random.int(1...9)) } catch is LanceError {}
        }
    }
}
