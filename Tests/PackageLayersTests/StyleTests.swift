import Foundation
import Testing

@Suite("What the sources avoid")
struct StyleTests {
    let files: [SourceTree.File]

    init() throws {
        files = try SourceTree.sources().filter { !$0.isGenerated }
    }

    /// Checks that no line of code matches the pattern.
    private func expectNone(
        _ pattern: String,
        _ what: String,
        except: (SourceTree.File) -> Bool = { _ in false }
    ) throws {
        let expression = try NSRegularExpression(pattern: pattern)
        for file in files where !except(file) {
            for (number, line) in file.code.enumerated() {
                let text = String(line)
                let match = expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text))
                #expect(
                    match == nil,
                    "\(file.path):\(number + 1) \(what): \(text.trimmingCharacters(in: .whitespaces))"
                )
            }
        }
    }

    @Test("no try! and no as!: bad input is normal")
    func noForcedTry() throws {
        try expectNone(#"\b(try|as)!"#, "forces")
    }

    @Test("no forced unwrap")
    func noForceUnwrap() throws {
        // A postfix `!` after a name, a bracket or a literal; not `!=`, not a prefix.
        try expectNone(#"[A-Za-z0-9_\)\]\"`]!(?![=A-Za-z0-9_(])"#, "unwraps by force") { file in
            file.target == "CPlatform"
        }
    }

    @Test(
        "no trap written by hand: fatalError, precondition and assert are for broken promises inside a function at most"
    )
    func noFatalError() throws {
        try expectNone(#"\b(fatalError|preconditionFailure)\("#, "traps")
    }

    @Test("no print from the library")
    func noPrint() throws {
        try expectNone(#"(^|[^.\w])(print|debugPrint|dump)\("#, "prints") { $0.target == "lancer-cli" }
    }

    @Test("no unfinished work")
    func noUnfinishedWork() throws {
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"]
        for file in files {
            for mark in marks {
                #expect(!file.text.contains(mark), "\(file.path) contains \(mark)")
            }
        }
    }

    @Test("files are about one thing: at most 450 lines")
    func fileLength() {
        for file in files {
            let lines = file.code.count
            #expect(lines <= 450, "\(file.path) has \(lines) lines")
        }
    }

    @Test("the search sees code and not comments or literals")
    func stripping() {
        let lines = SourceTree.strippedLines("let a = \"x! // y\" // b!\nlet c = d\n/// e!\nlet q = \"\\\"!\"")
        #expect(lines == ["let a = \"\" ", "let c = d", "", "let q = \"\""])
    }
}
