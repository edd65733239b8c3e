import Foundation

/// The package's own sources, as text.
struct SourceTree {
    struct File {
        /// Path below the package's root.
        var path: String
        /// The target it belongs to.
        var target: String
        var text: String
        /// The text without comments and the content of string literals, line by line.
        var code: [Substring]

        /// Generated from the protobuf definitions; not ours to style.
        var isGenerated: Bool { path.hasSuffix(".pb.swift") }
    }

    /// Libraries and the command, lowest first: a target may import only what stands before it.
    static let order = [
        "CZstd", "CLZ4", "CZlib", "CPlatform", "CChecksum", "CArrowData", "CLancerKernels", "LancerBytes",
        "LancerCodecs", "LancerKernels", "LancerArrow", "LancerExpression", "LancerProto",
        "LancerEncoding", "LancerFile", "LancerIndex", "LancerStorage", "LancerParquet",
        "LancerInterchange", "LancerTable", "Lancer", "lancer-cli",
    ]

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file below `Sources`.
    static func sources() throws -> [File] {
        let base = root.appendingPathComponent("Sources")
        let names = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOf: base.appendingPathComponent(name), encoding: .utf8)
            let target = String(name.prefix { $0 != "/" })
            return File(path: "Sources/\(name)", target: target, text: text, code: strippedLines(text))
        }
    }

    /// Lines with comments and the content of literals blanked, so that a search finds code only.
    static func strippedLines(_ text: String) -> [Substring] {
        var inMultiline = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.contains("\"\"\"") {
                let closesAgain = line.components(separatedBy: "\"\"\"").count > 2
                let before = inMultiline ? "" : line.prefix(while: { $0 != "\"" })
                if !closesAgain { inMultiline.toggle() }
                return Substring(before)
            }
            return inMultiline ? "" : Substring(strippedLine(line))
        }
    }

    private static func strippedLine(_ line: Substring) -> String {
        var result = ""
        var inString = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" {
                inString.toggle()
                result.append(character)
            } else if !inString {
                if character == "/", previous == "/" {
                    result.removeLast()
                    break
                }
                result.append(character)
            }
            previous = character == "\\" && previous == "\\" ? " " : character
        }
        return result
    }

    /// Modules a file imports.
    static func imports(of file: File) -> [String] {
        file.code.compactMap { line in
            let words = line.split(separator: " ")
            guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                words[..<at].allSatisfy({ ["@_exported", "public", "package", "internal", "private"].contains($0) })
            else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let name = kinds.contains(words[at + 1]) && at + 2 < words.count ? words[at + 2] : words[at + 1]
            return String(name.prefix { $0 != "." })
        }
    }
}
