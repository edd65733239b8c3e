import ArgumentParser
import Lancer

/// Prints the answer to a question, and ends with the status that says what kind of answer it is.
enum ConformanceAnswer {
    private static let rejected: Int32 = 10
    private static let unsupportedQuestion: Int32 = 11

    static func give(_ answer: () async throws -> JSONText) async throws {
        let text: JSONText
        do {
            text = try await answer()
        } catch let error as QuestionNotSupported {
            try print(Self.json("unsupported", error.what, nil))
            throw ExitCode(unsupportedQuestion)
        } catch let error as LanceError {
            guard let word = word(for: error) else { throw error }
            try print(Self.json(word, error.message, error.location.description))
            throw ExitCode(rejected)
        }
        try print(text)
    }

    private static func json(_ word: String, _ message: String, _ place: String?) -> JSONText {
        var members: [(String, JSONText)] = [("class", .string(word)), ("message", .string(message))]
        if let place, !place.isEmpty { members.append(("at", .string(place))) }
        return .object([("error", .object(members))])
    }

    /// The suite's word for a class of errors; nil for what says nothing of the input.
    private static func word(for error: LanceError) -> String? {
        switch error.code {
        case .truncated: "truncated"
        case .corrupt: "corrupt"
        case .unsupported: "unsupported"
        case .limitExceeded: "limit"
        case .notFound: "not-found"
        case .conflict: "conflict"
        case .invalidArgument, .schemaMismatch, .alreadyExists: "invalid-argument"
        default: nil
        }
    }

    private static func print(_ text: JSONText) throws {
        let output = standardOutput()
        try output.write(text.line + "\n")
        try output.flush()
    }
}

/// What Lancer says of itself.
enum ConformanceDescription {
    static var json: JSONText {
        func words(_ list: [String]) -> JSONText { .array(list.map { .string($0) }) }
        return .object([
            ("implementation", .string("lancer")), ("version", .string(LancerVersion.current)),
            ("protocol", .string("1")),
            (
                "supports",
                .object([
                    ("verbs", words(["read", "history", "write", "commit", "search", "build"])),
                    ("file_versions", words(["2.1", "2.2"])),
                    (
                        "features",
                        words([
                            "table", "deletion-arrow", "deletion-bitmap", "tags", "branches", "stable-row-ids",
                            "schema-evolution", "v1-manifests", "blob", "index:IVF_FLAT", "index:IVF_PQ",
                            "index:IVF_SQ",
                            "index:IVF_HNSW_FLAT", "index:IVF_HNSW_PQ", "index:IVF_HNSW_SQ",
                        ])
                    ),
                    ("lacks", words([])),
                ])
            ),
        ])
    }
}
