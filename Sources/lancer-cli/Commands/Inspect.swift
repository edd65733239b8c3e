import ArgumentParser
import Lancer
import LancerFile
import LancerTable

/// `lancer inspect`.
struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a table or file holds.",
        discussion: """
            PATH is a table, or one file of a table: a data file (.lance), a manifest (.manifest), a transaction (.txn), \
            a deletion file (.arrow, .bin) or an index file (.idx); or the directory of an index \
            (_indices/UUID). Of a Parquet file the row groups and columns are shown, --pages lists its column chunks; of \
            a folder of them, the files. Of other formats the columns are shown.

            Encodings of pages are written as nested names: flat32 (values of 32 bits), var32 (bytes with 32-bit \
            offsets), ibp32 (bit-packed inline), oob16/3 (bit-packed to 3 bits out of line), rle, bss (byte stream \
            split), fsst, lz4, zstd, fsl8 (fixed-size list of 8), dict[N]. rep and def are the repetition and \
            definition levels of nested and null values.
            """
    )

    @Argument(help: "A table or a file.")
    var path: String

    @Flag(help: "The fields with ids, types and metadata.")
    var schema = false

    @Flag(help: "One line a fragment.")
    var fragments = false

    @Flag(help: "One line a data file.")
    var files = false

    @Flag(
        help: """
            One line a page: layout, encodings, rows, bytes, and the ratio of Arrow memory to bytes on disk (beyond the \
            first GiB of text and nested columns only with --columns).
            """
    )
    var pages = false

    @Flag(help: "One line an index, with the rows it covers.")
    var indexes = false

    @OptionGroup var columns: ColumnsOption
    @OptionGroup var version: VersionOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        let parts = [schema, fragments, files, pages, indexes].filter { $0 }.count
        if parts > 1 { throw ValidationError("Choose one of --schema, --fragments, --files, --pages and --indexes.") }
        if columns.names != nil, !pages { throw ValidationError("-c chooses the columns of --pages.") }
    }

    func run() async throws {
        if case .missing = PathKind(path) {
            throw LanceError(.notFound, "\(path): no such file or directory; check the path")
        }
        if case .directory = PathKind(path), !DataFormat.isDataset(path), ParquetFiles.isFolder(path) {
            if schema || fragments || files || pages || indexes || version.selector != nil {
                throw LanceError(.invalidArgument, "\(path) is a folder of Parquet files; name one of them")
            }
            return try ParquetReport.folder(path).show(json: output.json)
        }
        if case .directory = PathKind(path), !DataFormat.isDataset(path), IndexFileReport.isSegment(path) {
            if schema || fragments || files || pages || indexes || version.selector != nil {
                throw LanceError(.invalidArgument, "\(path) is the directory of an index; name one of its files")
            }
            return try await IndexFileReport.open(path).report().show(json: output.json)
        }
        if case .directory = PathKind(path) { return try await inspectTable() }
        if version.selector != nil {
            throw LanceError(
                .invalidArgument,
                "--version, --tag and --as-of choose the version of a table; \(path) is a file"
            )
        }
        if indexes { throw LanceError(.invalidArgument, "--indexes needs a table; \(path) is a file") }
        if fragments || files { try refuse("--fragments and --files need a table or a manifest", unless: isManifest) }
        do {
            try await inspectFile()
        } catch let error as LanceError {
            throw error.located(file: path)
        }
    }

    private var isInDeletions: Bool { path.split(separator: "/").dropLast().last == "_deletions" }

    private var isManifest: Bool { DataFormat.pathExtension(path) == "manifest" }

    private func refuse(_ reason: String, unless isAllowed: Bool) throws(LanceError) {
        if !isAllowed { throw LanceError(.invalidArgument, "\(reason); \(path) is neither") }
    }

    private func inspectTable() async throws {
        let dataset = try await Dataset.open(path, at: version.selector ?? .latest)
        let table = TableReport(path: path, manifest: dataset.table.manifest)
        if pages {
            try await PageReport.of(dataset, columns: columns.names).show(json: output.json)
        } else if indexes {
            try IndexListing.of(try await dataset.indices()).show(json: output.json)
        } else {
            try show(table, table.report())
        }
    }

    private func show(_ table: TableReport, _ overview: Report) throws {
        if schema {
            try SchemaReport(schema: table.manifest.schema).show(json: output.json)
        } else if fragments {
            try table.fragments().show(json: output.json)
        } else if files {
            try table.files().show(json: output.json)
        } else {
            try overview.show(json: output.json)
        }
    }

    private func inspectFile() async throws {
        switch DataFormat.pathExtension(path) {
        case "lance", "idx": try await inspectDataFile()
        case "manifest":
            try refuse("--pages needs a table or a data file", unless: !pages)
            let table = TableReport(path: path, manifest: try Manifest(file: try wholeFile()))
            try show(table, table.manifestReport())
        case "txn":
            try refuse("--schema and --pages need a table or a data file", unless: !schema && !pages)
            try TransactionReport(try wholeFile()).report(path).show(json: output.json)
        case "parquet", "pq": try inspectParquet()
        case "arrow" where isInDeletions, "bin":
            try refuse("--schema and --pages need a table or a data file", unless: !schema && !pages)
            try DeletionReport(path: path).report().show(json: output.json)
        default:
            try refuse("--pages needs a table or a data file", unless: !pages)
            try await inspectOther()
        }
    }

    private func inspectDataFile() async throws {
        let file = try await DataFileReport.open(path)
        if pages {
            try await file.pages(columns: columns.names).show(json: output.json)
        } else if schema {
            try SchemaReport(schema: file.reader.schema).show(json: output.json)
        } else {
            var report = file.report()
            let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            let parent = directory.isEmpty ? "." : directory.joined(separator: "/")
            // The two files of an index say together what it is.
            if DataFormat.pathExtension(path) == "idx", IndexFileReport.isSegment(parent) {
                try await IndexFileReport.open(parent).addFacts(to: &report)
            }
            try report.show(json: output.json)
        }
    }

    private func inspectParquet() throws {
        let report = try ParquetReport(path)
        if pages {
            try report.pages(columns: columns.names).show(json: output.json)
        } else if schema {
            try report.schema().show(json: output.json)
        } else {
            try report.report().show(json: output.json)
        }
    }

    /// Columns of a file of another format.
    private func inspectOther() async throws {
        let format = try DataFormat.of(path, option: nil, optionName: "an extension")
        let reader = try FormatReader.open(path, format, schema: nil)
        var report = Report()
        report.add("path", path, nil, .string(path))
        report.add("kind", format.rawValue, nil, .string(format.rawValue))
        let size = try FileSource(path).size
        report.add("bytes", size.map(\.grouped), nil, size.map { .unsigned($0) })
        report.addColumns(try LanceSchema(arrow: reader.schema))
        try report.show(json: output.json)
    }

    private func wholeFile() throws(LanceError) -> ArrowBuffer {
        let source = try FileSource(path)
        return try source.read(offset: 0, count: Int(clamping: source.size ?? 0))
    }
}
