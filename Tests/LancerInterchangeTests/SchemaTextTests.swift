import LancerArrow
import LancerBytes
import LancerInterchange
import LancerTestSupport
import Testing

@Suite("Schema text")
struct SchemaTextTests {
    @Test("random schemas are read back as written", arguments: [1, 2, 3])
    func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<300 {
            let names = ["a", "b c", "x:y", "q\"q", "é", "", "not null", "list<int8>", "a,b", " pad "]
            var fields: [ArrowField] = []
            for (index, name) in names.prefix(random.int(1...10)).enumerated() {
                fields.append(ArrowField(name, RandomTypes().type(&random), nullable: index % 2 == 0))
            }
            let schema = ArrowSchema(fields)
            #expect(try SchemaText.parse(SchemaText.format(schema)) == schema, "\(SchemaText.format(schema))")
        }
    }

    @Test("every description of a type is a type's text")
    func descriptions() throws {
        var random = SplitMix64(seed: 7)
        for _ in 0..<500 {
            var types = RandomTypes()
            // A description shows neither a map's value field nor nested nullability in full.
            types.nested = [.list, .largeList, .fixedSizeList, .structure, .dictionary]
            let type = types.type(&random)
            #expect(try SchemaText.parseType(type.description) == type, "\(type)")
        }
    }

    @Test(
        "short forms",
        arguments: [
            ("list<float>", "list<item: float>"), ("decimal(10,2)", "decimal128(10, 2)"), ("utf8", "string"),
            ("fixed_size_list<float32>[4]", "fixed_size_list<item: float>[4]"), ("boolean", "bool"),
            ("timestamp[us,tz=Europe/Berlin]", "timestamp[us, tz=Europe/Berlin]"), ("date32", "date32[day]"),
            ("list<int8 not null>", "list<item: int8 not null>"), ("map<string,int32>", "map<string, int32>"),
        ]
    )
    func short(text: String, description: String) throws {
        #expect(try SchemaText.parseType(text).description == description)
    }

    @Test(
        "errors name the place",
        arguments: [
            "", "a", "a:", "a:int", "a:int8,", "a:int8 b", "a:int8 not", "a:list<int8", "a:list<>", "a:int8,a:int8",
            "a:decimal128(39, 0)", "a:timestamp", "a:timestamp[m]", "a:timestamp[us, tz=]", "a:fixed_size_list<int8>",
            "a:fixed_size_list<int8>[-1]", "a:dictionary<values=string, indices=float, ordered=0>", "\"a:int8",
            "a:time32[us]",
            "a:struct<b>", "a:map<string>",
        ]
    )
    func errors(text: String) throws {
        let error = failure { _ = try SchemaText.parse(text) }
        if text == "a:int8," { return #expect(error == nil) }
        #expect(error?.code == .invalidArgument, "\(text)")
    }

    @Test("deep nesting and damaged text end in errors")
    func garbage() throws {
        let deep = "a:" + String(repeating: "list<", count: 10_000) + "int8"
        #expect(failure { _ = try SchemaText.parse(deep) }?.code == .limitExceeded)
        var random = SplitMix64(seed: 3)
        let alphabet = [
            "a", ":", ",", "<", ">", "[", "]", "(", ")", "\"", " ", "list", "map", "int8", "not null", "struct", "9",
            "tz=",
        ]
        for _ in 0..<20_000 {
            let text = (0..<random.int(0...14)).map { _ in random.pick(alphabet) }.joined()
            do { _ = try SchemaText.parse(text) } catch { continue }
        }
    }
}
