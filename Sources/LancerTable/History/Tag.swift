import LancerArrow
import LancerBytes
import SwiftProtobuf

/// A name for a version: a small JSON file that can be made, moved and removed, while the version stays as it is.
///
/// Spec: 12-history.md, "Tags".
package struct Tag: Sendable {
    package var name: String
    package var version: UInt64
    /// The branch the version is of; nil for the main one.
    package var branch: String?
    /// When it was made and moved last, RFC 3339 as stored; nil in files of older writers.
    package var createdAt: String?
    package var updatedAt: String?
    /// Size of the version's manifest in bytes.
    package var manifestSize: Int
    /// What is said about the tag; kept as it is.
    private var metadata: [String: String]

    /// Directory of the tags.
    package static let directory = "_refs/tags"

    /// Path below the table's root.
    package var path: String { Self.path(name) }

    static func path(_ name: String) -> String { "\(directory)/\(ReferenceName.encoded(name)).json" }

    init(name: String, version: UInt64, branch: String?, manifestSize: Int, now: String) {
        self.name = name
        self.version = version
        self.branch = branch
        self.manifestSize = manifestSize
        createdAt = now
        updatedAt = now
        metadata = [:]
    }

    /// Reads the file of a tag.
    ///
    /// - Throws: `corrupt`.
    init(name: String, json bytes: ArrowBuffer) throws(LanceError) {
        let object: [String: Google_Protobuf_Value]
        do {
            object = try Google_Protobuf_Struct(jsonUTF8Bytes: bytes.bytes).fields
        } catch {
            throw LanceError(.corrupt, "the tag is no JSON object", cause: error)
        }
        guard let number = object["version"], case .numberValue(let value) = number.kind,
            let version = UInt64(exactly: value), version > 0
        else { throw .corrupt("the tag names no version") }
        self.name = name
        self.version = version
        branch = object["branch"]?.text
        createdAt = object["createdAt"]?.text
        updatedAt = object["updatedAt"]?.text
        manifestSize = object["manifestSize"].flatMap { Int(exactly: $0.numberValue) } ?? 0
        metadata = object["metadata"]?.structValue.fields.compactMapValues(\.text) ?? [:]
    }

    /// The bytes of the file, in the shape the reference gives it.
    func json(now: String) -> ArrowBuffer {
        func quoted(_ text: String) -> String { ArrowText.json(quoting: text) }
        var lines = [
            "  \"branch\": \(branch.map(quoted) ?? "null")", "  \"version\": \(version)",
            "  \"createdAt\": \(quoted(createdAt ?? now))", "  \"updatedAt\": \(quoted(updatedAt ?? now))",
            "  \"manifestSize\": \(manifestSize)",
        ]
        if metadata.isEmpty {
            lines.append("  \"metadata\": {}")
        } else {
            let members = metadata.sorted { $0.key < $1.key }
                .map { "    \(quoted($0.key)): \(quoted($0.value))" }
            lines.append("  \"metadata\": {\n\(members.joined(separator: ",\n"))\n  }")
        }
        return ArrowBuffer(Array("{\n\(lines.joined(separator: ",\n"))\n}".utf8))
    }

    /// Names are letters and digits of any language, `.`, `-` and `_`; they become names of files on any system.
    ///
    /// - Throws: `invalidArgument`.
    static func checkName(_ name: String) throws(LanceError) {
        let isFine = name.unicodeScalars.allSatisfy { scalar in
            "-._".unicodeScalars.contains(scalar) || scalar.properties.isAlphabetic
                || scalar.properties.numericType != nil
        }
        guard isFine, !name.isEmpty, ReferenceName.encoded(name).utf8.count <= 200, !name.hasPrefix("."),
            !name.hasSuffix("."), !name.contains(".."), !name.hasSuffix(".lock")
        else {
            throw .invalidArgument(
                "\"\(name)\" is no name for a tag: letters, digits, \"-\", \"_\" and single inner dots, not *.lock"
            )
        }
    }
}

extension Google_Protobuf_Value {
    fileprivate var text: String? {
        if case .stringValue(let text) = kind { text } else { nil }
    }
}
