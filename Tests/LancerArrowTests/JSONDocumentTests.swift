import LancerArrow
import LancerBytes
import Testing

@Suite("Small JSON texts")
struct JSONDocumentTests {
    private static func parse(_ text: String) throws(LanceError) -> JSONDocument {
        try JSONDocument(parsing: text.utf8, fault: .corrupt)
    }

    @Test("values of every kind are parsed")
    func values() throws {
        let document = try Self.parse(#" {"a": [1, -2.5, 1e3, true, false, null, {}], "b": "x", "n": null} "#)
        #expect(
            document["a"]?.items == [
                .integer(1), .number(-2.5), .number(1000), .bool(true), .bool(false), .null, .object([:]),
            ]
        )
        #expect(document["b"]?.text == "x")
        #expect(document["n"] == nil && document["c"] == nil)
        #expect(document["a"]?.items?[2].integer == 1000)
        #expect(document["a"]?.items?[1].integer == nil)
        #expect(document["a"]?.items?[0].double == 1)
        #expect(document["a"]?.items?[0].integer(2...3) == nil)
        #expect(try Self.parse("9223372036854775807").integer == Int.max)
    }

    @Test("what is no JSON is refused with the code asked for")
    func faults() {
        let texts = [
            "", "{", "[1", "[1,]", "{\"a\"}", "{\"a\":1,}", "tru", "1 2", "\"x", #""\x""#, #""\u12""#, #""\ud800""#,
            #""\ud800\u0041""#, #""\ud800\"#, #""\udc00""#, "1e999", "-", "+",
            String(repeating: "[", count: 100_000),
        ]
        for text in texts {
            #expect(throws: LanceError.self, "\(text.prefix(20))") { try Self.parse(text) }
            do { _ = try Self.parse(text) } catch { #expect(error.code == .corrupt) }
        }
    }

    @Test("quoted text is read back")
    func quoting() throws {
        var every = (0..<0x300).compactMap { Unicode.Scalar($0) }.map { String($0) }.joined()
        every += "\u{2028}\u{FFFF}😀\u{10FFFF}"
        for text in ["", "a", "\"\\/", every] {
            let json = ArrowText.json(quoting: text)
            #expect(json.utf8.allSatisfy { $0 >= 0x20 })
            #expect(try Self.parse(json) == .string(text))
        }
        #expect(ArrowText.json(quoting: "a\"\\\n\u{1}") == #""a\"\\\n\u0001""#)
        #expect(try Self.parse(#""\ud83d\ude00\u00e4\/""#) == .string("😀ä/"))
    }
}
