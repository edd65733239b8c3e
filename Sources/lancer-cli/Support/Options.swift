import ArgumentParser
import Lancer

/// `--json`, on every command.
struct JSONOption: ParsableArguments {
    @Flag(help: "Print JSON for machines, one object a line.")
    var json = false
}

/// `--version N`, `--tag T` or `--as-of TIME` of a table.
struct VersionOption: ParsableArguments {
    @Option(
        name: .customLong("version"),
        help: ArgumentHelp("Version of the table (default: the latest).", valueName: "n")
    )
    var number: UInt64?

    @Option(help: ArgumentHelp("The version that a tag names.", valueName: "name"))
    var tag: String?

    @Option(
        help: ArgumentHelp(
            "The version that was the latest at a moment, RFC 3339 with its zone, e.g. 2026-11-21T10:15:30Z.",
            valueName: "time"
        )
    )
    var asOf: Moment?

    /// Which version is asked for; nil when none is.
    var selector: VersionSelector? {
        number.map { .version($0) } ?? tag.map { .tag($0) } ?? asOf.map { .asOf($0.time) }
    }

    func validate() throws {
        if [number != nil, tag != nil, asOf != nil].filter({ $0 }).count > 1 {
            throw ValidationError("Choose one of --version, --tag and --as-of.")
        }
    }
}

/// A moment as RFC 3339 text.
struct Moment: ExpressibleByArgument {
    let time: Timestamp

    init?(argument: String) {
        guard let time = try? Timestamp(rfc3339: argument) else { return nil }
        self.time = time
    }
}

/// `--message` and `--no-sync`, on every command that makes a version.
struct MessageOption: ParsableArguments {
    @Option(name: [.customShort("m"), .long], help: ArgumentHelp("Text kept with the new version.", valueName: "text"))
    var message: String?

    @Flag(help: "Do not wait until the new version would survive a loss of power.")
    var noSync = false

    var changeOptions: ChangeOptions {
        var options = ChangeOptions(message: message)
        options.durable = !noSync
        return options
    }
}

/// `-c a,b` on commands that show or copy columns.
struct ColumnsOption: ParsableArguments {
    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("Columns, in the order wanted; a.b is a field of a struct.", valueName: "a,b,…")
    )
    var columns: [String] = []

    /// The names, or nil for all columns.
    var names: [String]? {
        columns.isEmpty ? nil : columns.flatMap { $0.split(separator: ",").map(String.init) }
    }

    func validate() throws {
        if let names, names.isEmpty { throw ValidationError("--columns names no column.") }
    }
}

/// `--where EXPR` on commands that choose rows.
struct WhereOption: ParsableArguments {
    @Option(
        name: .customLong("where"),
        // A condition may begin with a minus.
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only rows for which a condition is true, e.g. \"size > 1000 AND name LIKE 'a%'\".",
            valueName: "condition"
        )
    )
    var condition: String?
}

/// `--offset` and `--limit`.
struct WindowOption: ParsableArguments {
    @Option(help: ArgumentHelp("Rows to pass over first.", valueName: "n"))
    var offset = 0

    @Option(help: ArgumentHelp("Most rows to give.", valueName: "n"))
    var limit: Int?

    func validate() throws {
        if offset < 0 { throw ValidationError("--offset must not be negative.") }
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative.") }
    }
}

/// What to do when the output exists.
enum OutputMode: String, CaseIterable, ExpressibleByArgument {
    case create
    case append
    case overwrite
}

/// `--mode`, `--overwrite` and `--to`, for commands that write a file.
struct OutputOption: ParsableArguments {
    @Option(
        help: ArgumentHelp("create (fail if the output exists), append (to a table) or overwrite.", valueName: "mode")
    )
    var mode: OutputMode?

    @Flag(help: "Short for --mode overwrite.")
    var overwrite = false

    @Option(help: ArgumentHelp("Format of the output, when the extension does not say.", valueName: "format"))
    var to: DataFormat?

    var chosenMode: OutputMode { mode ?? (overwrite ? .overwrite : .create) }

    func validate() throws {
        if overwrite, let mode, mode != .overwrite {
            throw ValidationError("--overwrite and --mode \(mode.rawValue) exclude each other.")
        }
    }
}

/// How Lance data files are written.
struct WriteOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Version of Lance data files in a new table: 2.1 or 2.2 (the default).",
            valueName: "2.1|2.2"
        )
    )
    var fileVersion: WriteOptions.FileVersion?

    @Option(help: ArgumentHelp("Rows in one Lance data file at most (default 1048576).", valueName: "n"))
    var maxRowsPerFile: Int?

    @Flag(help: "Give rows of a new table ids that stay the same when rows are updated or compacted.")
    var stableRowIds = false

    func validate() throws {
        if let maxRowsPerFile, maxRowsPerFile < 1 { throw ValidationError("--max-rows-per-file must be at least 1.") }
    }

    var writeOptions: WriteOptions {
        var options = WriteOptions()
        if let fileVersion { options.fileVersion = fileVersion }
        if let maxRowsPerFile { options.maxRowsPerFile = maxRowsPerFile }
        options.stableRowIDs = stableRowIds
        return options
    }
}

extension WriteOptions.FileVersion: ExpressibleByArgument {}

/// What a source that is not a Lance table is and holds.
struct SourceOption: ParsableArguments {
    @Option(help: ArgumentHelp("Format of the source, when the extension does not say.", valueName: "format"))
    var from: DataFormat?

    @Option(
        help: ArgumentHelp(
            "Columns and types of a CSV, TSV or JSON source instead of guessing, e.g. \"id: int64, name: string\".",
            valueName: "text"
        )
    )
    var schema: String?

    @Option(
        help: ArgumentHelp(
            "Add the rows of a .npy matrix as a vector column; may be repeated.",
            valueName: "name=file.npy"
        )
    )
    var vectors: [VectorFile] = []

    @Option(
        help: ArgumentHelp(
            "Make vectors of a list column whose lists have the same length; may be repeated. The length is that of the "
                + "first list, unless given.",
            valueName: "column[=length]"
        )
    )
    var vector: [VectorColumn] = []
}

/// `NAME=FILE.npy`.
struct VectorFile: ExpressibleByArgument {
    let name: String
    let path: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        name = String(argument[..<equals])
        path = String(argument[argument.index(after: equals)...])
        if path.isEmpty { return nil }
    }
}
