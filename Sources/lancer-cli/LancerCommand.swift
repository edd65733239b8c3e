import ArgumentParser
import CPlatform
import Lancer

/// The root of the command line.
struct LancerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lancer",
        abstract: "Read and write Lance tables.",
        discussion: """
            A table is a directory such as movies.lance. Other formats go by extension: .csv .tsv .jsonl .ndjson .npy \
            .parquet .arrow .ipc .feather (Arrow IPC file) .arrows (Arrow IPC stream); - stands for standard input or \
            output, with --from or --to.

            lancer --version says which version this is and which file versions it reads and writes.

            Exit status:
              0  done
              1  verify found something wrong
              2  bad arguments; a path, column or schema that is not there or does not fit; the output exists
              3  unreadable or corrupt data
              4  conflict with another writer
              5  a feature of the format that is not supported
            """,
        subcommands: [
            Convert.self, Inspect.self, ScanCommand.self, Head.self, Take.self, Count.self, Append.self, Merge.self,
            Versions.self,
            DeleteCommand.self, Update.self, Restore.self, TagCommand.self, Columns.self, Config.self,
            Compact.self, Cleanup.self, Diff.self,
            IndexCommand.self, SearchCommand.self,
            Verify.self, Repair.self, ConformanceCommand.self,
        ]
    )
}

@main
enum Main {
    static func main() async {
        lancer_return_freed_memory()
        // Written to nobody, a pipe is reported as an error of the write, which ends the run quietly.
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        // A flag of the root only: elsewhere --version N chooses the version of a table.
        if arguments.first == "--version" {
            show(arguments.contains("--json") ? LancerVersion.json.line : LancerVersion.text)
            exit(0)
        }
        let names = LancerCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
        let named = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
        if let named, !named.hasPrefix("-"), named != "help", !names.contains(named) {
            complain(
                "lancer: there is no command \"\(named.visible)\"; the commands are \(names.joined(separator: ", "))"
            )
            exit(ExitStatus.usage.rawValue)
        }
        let command: any ParsableCommand
        do {
            command = try LancerCommand.parseAsRoot(arguments)
        } catch {
            endParsing(error, arguments)
        }
        do {
            try await run(command)
            exit(0)
        } catch {
            end(error, arguments)
        }
    }

    private static func run(_ command: any ParsableCommand) async throws {
        var command = command
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }

    /// Help that was asked for, or one line about arguments that make no sense.
    private static func endParsing(_ error: any Error, _ arguments: [String]) -> Never {
        if LancerCommand.exitCode(for: error).isSuccess {
            show(LancerCommand.fullMessage(for: error))
            exit(0)
        }
        let names = LancerCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
        let help = arguments.first.flatMap { names.contains($0) ? "lancer help \($0)" : nil } ?? "lancer help"
        let message = LancerCommand.message(for: error)
            .split(separator: "\n").map { $0.trimmed }.filter { !$0.isEmpty }.joined(separator: " ")
        complain("lancer: \(message.visible) (see \(help))")
        exit(ExitStatus.usage.rawValue)
    }

    private static func end(_ error: any Error, _ arguments: [String]) -> Never {
        // `lancer help` and checks of arguments made at run time arrive here.
        if [.success, .validationFailure].contains(LancerCommand.exitCode(for: error)) { endParsing(error, arguments) }
        if let status = error as? ExitCode { exit(status.rawValue) }
        if (error as? LanceError)?.cause is OutputClosed { exit(0) }
        let failure = Failure(error)
        complain(failure.line)
        exit(failure.status.rawValue)
    }

    private static func show(_ text: String) {
        let output = standardOutput()
        do {
            try output.write(text.hasSuffix("\n") ? text : "\(text)\n")
            try output.flush()
        } catch {
            exit(error.cause is OutputClosed ? 0 : ExitStatus.unreadable.rawValue)
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
