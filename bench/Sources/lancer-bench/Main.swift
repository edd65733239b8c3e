import Foundation
import Lancer

/// Carries out orders from standard input, one JSON object a line, until it ends. `bench/bench.py` gives them.
@main
enum Main {
    static func main() async throws {
        // Off the main actor: each way back to it would wake a thread and be counted.
        try await Task.detached { try await serve() }.value
    }

    private static func serve() async throws {
        var worker = Worker()
        let encoder = JSONEncoder()
        while let line = readLine() {
            var answer = Answer()
            do {
                answer = try await worker.carryOut(try JSONDecoder().decode(Order.self, from: Data(line.utf8)))
            } catch {
                answer.error = String(describing: error)
            }
            FileHandle.standardOutput.write(try encoder.encode(answer) + Data("\n".utf8))
        }
    }
}
