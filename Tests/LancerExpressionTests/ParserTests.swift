import LancerArrow
import LancerBytes
import LancerTestSupport
import Testing

/// Text that is no expression, and text that nearly is.
struct ParserTests {
    @Test(
        "An error says at which character and what was expected",
        arguments: [
            ("", "empty"),
            ("   -- nothing", "empty"),
            ("i = ", "character 5"),
            ("i = 1 1", "character 7"),
            ("i = 1; i = 2", "character 8"),
            ("(i = 1", "character 7"),
            ("i = 'abc", "character 5"),
            ("i IN ()", "character 7"),
            ("s LIKE 'a' ESCAPE '!'", "character 19"),
            ("i BETWEEN 1", "character 12"),
            ("CAST(i AS nothing)", "character 11"),
            ("nope = 1", "\"nope\""),
            ("i = 1 AND nope(i) = 2", "character 11"),
            ("st.nothing = 1", "nothing"),
            ("count(i) = 1", "character 1"),
            ("s = 1", "character 1"),
            ("été = 1", "été"),
        ]
    )
    func positions(text: String, part: String) throws {
        let error = try #require(throws: LanceError.self) { try ExpressionFixture.count(text) }
        #expect(error.code == .invalidArgument || error.code == .notFound)
        #expect("\(error)".contains(part), "\(text) gave: \(error)")
    }

    @Test("Nesting is bounded, long chains and lists are not")
    func nesting() throws {
        let deep = String(repeating: "(", count: 100_000) + "i = 1" + String(repeating: ")", count: 100_000)
        let error = try #require(throws: LanceError.self) { try ExpressionFixture.count(deep) }
        #expect(error.code == .limitExceeded)
        for prefix in ["NOT ", "- ", "~ ", "+ "] {
            let text = String(repeating: prefix, count: 100_000) + "i = 1"
            #expect(throws: LanceError.self) { try ExpressionFixture.count(text) }
        }
        let sum = "i = 0" + String(repeating: " + 1", count: 100_000)
        #expect(throws: LanceError.self) { try ExpressionFixture.count(sum) }
        let many = (0..<20_000).map { "id = \($0)" }.joined(separator: " OR ")
        #expect(try ExpressionFixture.count(many) == 60)
        let list = "id IN (" + (30..<100_000).map { "\($0)" }.joined(separator: ", ") + ")"
        #expect(try ExpressionFixture.count(list) == 30)
    }

    /// Pieces of expressions put together at random, and expressions with characters changed: an answer or an error.
    @Test("Random text never traps")
    func randomText() throws {
        let seed: UInt64 = 0x1A2B_3C4D
        var random = SplitMix64(seed: seed)
        let whole = DocumentedExpressionTests.entries.split(separator: "\n").compactMap {
            $0.split(separator: ":", maxSplits: 1).last.map { String($0) }
        }
        let pieces = whole.flatMap { $0.split(separator: " ").map(String.init) }
        var answers = 0
        for _ in 0..<30_000 {
            var text: String
            if random.chance(0.5) {
                text = (0...random.int(0...9)).map { _ in random.pick(pieces) }.joined(separator: " ")
            } else {
                var bytes = Array(random.pick(whole).utf8)
                for _ in 0...random.int(0...2) {
                    let place = random.int(0...(bytes.count - 1))
                    bytes[place] = UInt8(random.int(0...255))
                }
                text = String(decoding: bytes, as: UTF8.self)
            }
            do {
                _ = try ExpressionFixture.count(text)
                answers += 1
            } catch let error as LanceError {
                #expect(!error.message.isEmpty, "seed \(seed): \(text)")
            }
        }
        #expect(answers > 300)
    }
}
