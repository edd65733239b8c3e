import Foundation
import Testing

@Suite("The layers of the package")
struct LayerTests {
    let files: [SourceTree.File]

    init() throws {
        files = try SourceTree.sources()
    }

    @Test("every target under Sources has its place in the order")
    func knownTargets() {
        #expect(files.count > 20)
        for target in Set(files.map(\.target)) {
            #expect(SourceTree.order.contains(target), "add \(target) to SourceTree.order")
        }
    }

    @Test("imports between targets go down only")
    func importsGoDown() {
        for file in files {
            let place = SourceTree.order.firstIndex(of: file.target) ?? 0
            for name in SourceTree.imports(of: file) {
                guard let imported = SourceTree.order.firstIndex(of: name) else { continue }
                #expect(imported < place, "\(file.path) imports \(name), which is not below \(file.target)")
            }
        }
    }

    @Test("nothing below the command imports the whole of Foundation, but where its essentials are missing")
    func noFoundation() {
        for file in files where file.target != "lancer-cli" {
            let names = SourceTree.imports(of: file)
            #expect(
                !names.contains("Foundation") || names.contains("FoundationEssentials"),
                "\(file.path) imports Foundation; use FoundationEssentials, or better nothing"
            )
        }
    }

    @Test("the system is called in few places: memory, the storage layer, the command and CPlatform itself")
    func platformCalls() {
        let allowed = ["LancerBytes", "LancerStorage", "lancer-cli"]
        for file in files where !allowed.contains(file.target) {
            for name in SourceTree.imports(of: file) {
                #expect(name != "CPlatform", "\(file.path) imports CPlatform")
            }
        }
    }

    @Test("Package.swift lists the targets in the same order, each depending only on earlier ones")
    func manifestOrder() throws {
        let text = try String(contentsOf: SourceTree.root.appendingPathComponent("Package.swift"), encoding: .utf8)
        let declarations = try NSRegularExpression(
            pattern: #"(?:layer\(\s*|name: )"([A-Za-z0-9-]+)""#
        )
        let whole = NSRange(text.startIndex..., in: text)
        let names = declarations.matches(in: text, range: whole).compactMap { match in
            Range(match.range(at: 1), in: text).map { String(text[$0]) }
        }
        var listed: [String] = []
        for name in names where SourceTree.order.contains(name) && !listed.contains(name) && name != "lancer" {
            if name == "Lancer", !listed.contains("LancerTable") { continue }  // The product of the same name.
            if name == "lancer-cli", !listed.contains("Lancer") { continue }
            listed.append(name)
        }
        #expect(Set(listed) == Set(SourceTree.order))
        for (index, name) in listed.enumerated() {
            let below = SourceTree.order.firstIndex(of: name) ?? 0
            for later in listed[(index + 1)...] where (SourceTree.order.firstIndex(of: later) ?? 0) < below {
                Issue.record("Package.swift lists \(later) after \(name)")
            }
        }
    }
}
