import ArgumentParser
import Lancer

/// A form of a table that `lancer` reads or writes.
enum DataFormat: String, CaseIterable, ExpressibleByArgument {
    case csv
    case tsv
    case jsonl
    case npy
    /// Arrow IPC file, also called Feather 2.
    case arrow
    /// Arrow IPC stream.
    case arrows
    /// A Parquet file, or a folder of them for reading.
    case parquet
    /// A Lance dataset directory.
    case lance

    /// Names accepted for `--from` and `--to`; the extensions with a few synonyms.
    init?(argument: String) { self.init(extension: argument) }

    /// The format that a file extension (without the dot) stands for.
    init?(extension name: some StringProtocol) {
        switch name.lowercased() {
        case "csv": self = .csv
        case "tsv", "tab": self = .tsv
        case "jsonl", "ndjson": self = .jsonl
        case "npy": self = .npy
        case "arrow", "ipc", "feather": self = .arrow
        case "arrows": self = .arrows
        case "parquet", "pq": self = .parquet
        case "lance": self = .lance
        default: return nil
        }
    }

    /// Extensions, for messages.
    static let known = ".csv .tsv .jsonl .ndjson .npy .arrow .ipc .feather .arrows .parquet .lance"

    /// The format of what is at `path`: by `--from`/`--to` if given, by being a dataset, by extension.
    static func of(_ path: String, option: DataFormat?, optionName: String) throws(LanceError) -> DataFormat {
        if let option { return option }
        if path == "-" {
            throw LanceError(
                .invalidArgument,
                "- has no extension; say what it is with \(optionName) csv|jsonl|arrows|…"
            )
        }
        // A directory is a table or a folder of Parquet files; opening it says whether it is a table.
        if case .directory = PathKind(path) {
            return !isDataset(path) && ParquetFiles.isFolder(path) ? .parquet : .lance
        }
        guard let name = pathExtension(path) else {
            throw LanceError(
                .invalidArgument,
                "\(path) has no extension that says what it is; use \(optionName) or one of \(known)"
            )
        }
        if let format = DataFormat(extension: name) { return format }
        throw LanceError(
            .invalidArgument,
            "\(path): extension .\(name) is not known; use \(optionName) or one of \(known)"
        )
    }

    /// Whether a directory holds a Lance dataset.
    static func isDataset(_ path: String) -> Bool {
        if case .directory = PathKind("\(path)/_versions") { return true }
        return false
    }

    /// What follows the last dot of the last component.
    static func pathExtension(_ path: String) -> Substring? {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
        let tail = name[name.index(after: dot)...]
        return tail.isEmpty ? nil : tail
    }
}
