import ArgumentParser
import Lancer

/// `lancer conformance`: the process protocol of the conformance suite.
struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Answer questions of the conformance suite (conformance/README.md says how).",
        discussion: """
            One question a call; the answer is JSON on standard output. Exit status: 0 answered, 10 the input was \
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
