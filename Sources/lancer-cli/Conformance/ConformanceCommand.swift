import ArgumentParser
import Lancer

/// `lancer conformance`: the process protocol of the conformance suite.
struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Answer questions of the conformance suite (conformance/README.md says how).",
        discussion: """
            One question a call; the answer is JSON on standard output. Exit status: 0 answered, 10 the input was \\
            rejected, 11 the question asks for what Lancer does not do.
            """,
        subcommands: [
            Describe.self, Read.self, History.self, Write.self, Commit.self, Search.self, Build.self,
        ]
    )

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What Lancer is and can do.")

        func run() async throws {
            try await ConformanceAnswer.give { ConformanceDescription.json }
        }
    }

    struct Read: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The values of a data file or table.")

        @Argument(help: "A data file, or a table.")
        var path: String

        @Argument(help: "A JSON file that says which rows and columns.")
        var ask: String?

        func run() async throws {
            try await ConformanceAnswer.give { try await ConformanceRead(path: path, ask: ask).json() }
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The versions, tags and branches of a table.")

        @Argument(help: "A table.")
        var table: String

        func run() async throws {
            try await ConformanceAnswer.give { try await ConformanceHistory(path: table).json() }
        }
    }

    struct Write: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a table of values.")

        @Argument(help: "A JSON file with the values.")
        var values: String

        @Argument(help: "The table to be made.")
        var out: String

        @Argument(help: "A JSON file that says how.")
        var ask: String

        func run() async throws {
            try await ConformanceAnswer.give {
                try await ConformanceWrite(values: values, out: out, ask: ask).run()
                return .object([])
            }
        }
    }

    struct Commit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Change a table that has gone on meanwhile.")

        @Argument(help: "A table.")
        var table: String

        @Argument(help: "A JSON file with the change and the version it was made for.")
        var operation: String

        func run() async throws {
            try await ConformanceAnswer.give { try await ConformanceCommit(path: table, operation: operation).json() }
        }
    }

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The nearest rows of some vectors.")

        @Argument(help: "A table.")
        var table: String

        @Argument(help: "A JSON file with the queries.")
        var queries: String

        func run() async throws {
            try await ConformanceAnswer.give { try await ConformanceSearch(path: table, queries: queries).json() }
        }
    }

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a vector index.")

        @Argument(help: "A table.")
        var table: String

        @Argument(help: "A JSON file that says of what kind.")
        var index: String

        func run() async throws {
            try await ConformanceAnswer.give {
                try await ConformanceBuild(path: table, index: index).run()
                return .object([])
            }
        }
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

/// A question with a part that Lancer does not know.
struct QuestionNotSupported: Error {
    let what: String
}

/// A question: a JSON object of which every member must be known.
struct ConformanceQuestion {
    private let json: JSONDocument

    /// - Parameter path: A file; nil for the empty question.
    /// - Throws: `invalidArgument`, `io`, ``QuestionNotSupported``.
    init(_ path: String?, known: Set<String>) throws {
        guard let path else {
            json = .object([:])
            return
        }
        json = try Self.load(path)
        guard case .object(let members) = json else {
            throw LanceError(.invalidArgument, "\(path) holds no JSON object")
        }
        if let stranger = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw QuestionNotSupported(what: "member \(stranger)")
        }
    }

    /// The JSON in a file.
    static func load(_ path: String) throws(LanceError) -> JSONDocument {
        let source = try FileSource(path)
        let bytes = try source.read(offset: 0, count: Int(clamping: source.size ?? 0)).bytes
        return try JSONDocument(parsing: bytes)
    }

    subscript(name: String) -> JSONDocument? { json[name] }

    /// A member that must be there, in one form.
    func required<T>(_ name: String, _ form: (JSONDocument) -> T?) throws(LanceError) -> T {
        guard let value = json[name].flatMap(form) else {
            throw LanceError(.invalidArgument, "the question has no \(name), or in another form")
        }
        return value
    }

    /// `{"column": …, "in": […]}` as a condition.
    func condition(_ name: String = "where") throws(LanceError) -> String {
        guard let column = json[name]?["column"]?.text, let values = json[name]?["in"]?.items, !values.isEmpty else {
            throw LanceError(.invalidArgument, "the question has no \(name), or in another form")
        }
        var texts: [String] = []
        for value in values {
            guard let text = value.text else {
                throw LanceError(.invalidArgument, "\(name) with a value that is no text")
            }
            texts.append(Self.literal(text))
        }
        return "\(Self.quoted(column)) in (\(texts.joined(separator: ", ")))"
    }

    /// A whole number as it is, everything else as text.
    static func literal(_ text: String) -> String {
        Int64(text) != nil
            ? text : "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
    }

    /// A column's name in an expression.
    static func quoted(_ name: String) -> String {
        "`\(name)`"
    }
}
