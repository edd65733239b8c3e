import ArgumentParser
import Lancer

/// `lancer inspect`.
struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a table or file holds."
    )
    @Argument(help: "x") var path: String
    func run() async throws {}
}
