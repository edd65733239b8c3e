import Lancer
import LancerFile

/// What one data file holds.
struct DataFileReport {
    let path: String
    let reader: LanceFileReader

    /// Opens a data file.
    static func open(_ path: String) async throws -> DataFileReport {
        let source = FileRangeSource(path: path, source: try FileSource(path))
        return DataFileReport(path: path, reader: try await LanceFileReader.open(source))
    }

    /// The overview: footer, global buffers, columns.
    func report() -> Report {
        var report = Report()
        report.add("path", path, nil, .string(path))
        let isIndex = path.hasSuffix(".idx")
        report.add("kind", isIndex ? "index file" : "data file", nil, .string(isIndex ? "index" : "data"))
        report.add("file version", "\(reader.version)", "fileVersion", .string("\(reader.version)"))
        report.add("bytes", reader.source.size.grouped, nil, .unsigned(reader.source.size))
        report.add("rows", count: reader.rowCount)
        let pages = reader.columns.reduce(0) { $0 + $1.pages.count }
        report.add(
            "leaf columns",
            "\(reader.columns.count) with \(pages.grouped) pages",
            "leafColumns",
            .count(reader.columns.count)
        )
        report.add("pages", nil, nil, .count(pages))
        let buffers = reader.globalBuffers
        let sizes = buffers.map { "\($0.count.grouped)" }.joined(separator: ", ")
        report.add(
            "global buffers",
            "\(buffers.count) (\(sizes) bytes)",
            "globalBuffers",
            .array(buffers.map { Self.json($0) })
        )
        let footer = reader.footer
        report.add(
            "footer",
            "column metadata at \(footer.columnMetadataOffset.grouped), its table at "
                + "\(footer.columnTableOffset.grouped), global buffer table at \(footer.globalTableOffset.grouped)",
            nil,
            .object([
                ("columnMetadataOffset", .unsigned(footer.columnMetadataOffset)),
                ("columnTableOffset", .unsigned(footer.columnTableOffset)),
                ("globalTableOffset", .unsigned(footer.globalTableOffset)),
            ])
        )
        if !reader.schema.metadata.isEmpty {
            let pairs = reader.schema.metadata.sorted { $0.key < $1.key }.map {
                "\($0.key)=\($0.value.cut(to: 60).text)"
            }
            report.add("metadata", pairs.joined(separator: " "), nil, SchemaReport.json(reader.schema.metadata))
        }
        report.addColumns(reader.schema)
        return report
    }

    private static func json(_ range: Range<UInt64>) -> JSONText {
        .object([("offset", .unsigned(range.lowerBound)), ("bytes", .count(range.count))])
    }

    /// One line a page.
    func pages(columns: [String]?) async throws -> Listing {
        let leaves = reader.schema.leaves
        var columnOf: [Int32: Int] = [:]
        for (index, leaf) in leaves.enumerated() where index < reader.columns.count {
            columnOf[leaf.id] = index
        }
        // The fields of files written inside an index may all have the id -1: then the order tells.
        let isByOrder = columnOf.count != min(leaves.count, reader.columns.count)
        var report = PageReport(schema: reader.schema, columns: columns)
        try report.checkColumns()
        if isByOrder {
            for (index, leaf) in leaves.enumerated() where index < reader.columns.count {
                try await report.add(reader, leaf, column: index, columnOf: nil, fragment: nil, file: path)
            }
        } else {
            try await report.add(reader, columnOf: columnOf, fragment: nil, file: path)
        }
        return report.listing
    }
}

/// A regular file as the format layer reads it.
struct FileRangeSource: RangeSource {
    let path: String
    private let file: OpenFile
    let size: UInt64

    init(path: String, source: FileSource) {
        self.path = path
        file = source.file
        size = source.size ?? 0
    }

    func read(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer] {
        let source = FileSource(file)
        return try ranges.map { try source.read(offset: $0.lowerBound, count: Int(clamping: $0.count)) }
    }
}
