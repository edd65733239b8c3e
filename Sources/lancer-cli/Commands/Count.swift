import ArgumentParser
import Lancer

/// `lancer count`.
struct Count: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "count", abstract: "Print the number of rows.")

    @Argument(help: "A Lance table, or a file of another format.")
    var path: String

    @OptionGroup var version: VersionOption
    @OptionGroup var source: SourceOption
    @OptionGroup var output: JSONOption

    func run() async throws {
        let rows: Int
        switch try await Input.open(path, source, version: version.selector) {
        case .dataset(let dataset): rows = try await dataset.countRows()
        case .parquet(let files): rows = try files.rowCount
        case .reader(var reader):
            var total = 0
            while let batch = try reader.next() { total += batch.rowCount }
            rows = total
        }
        let out = standardOutput()
        try out.write(output.json ? "{\"rows\":\(rows)}\n" : "\(rows)\n")
        try out.flush()
    }
}
