import Lancer
import LancerFile
import LancerParquet

/// What a Parquet file holds.
struct ParquetReport {
    private let path: String
    private let size: UInt64
    private let reader: ParquetReader

    init(_ path: String) throws(LanceError) {
        let source = try FileSource(path)
        self.path = path
        size = source.size ?? 0
        reader = try ParquetReader(source)
    }

    /// The files of a folder, as one table.
    static func folder(_ path: String) throws -> Report {
        var table = TextTable([.text("file"), .number("rows"), .number("row groups"), .number("bytes")])
        var objects: [JSONText] = []
        var rows: Int64 = 0
        var bytes: UInt64 = 0
        for file in try PartitionFolders.files(path).map(\.path) {
            let one: ParquetReport
            do throws(LanceError) { one = try ParquetReport(file) } catch { throw error.located(file: file) }
            let metadata = one.reader.metadata
            rows &+= metadata.rowCount
            bytes &+= one.size
            table.rows.append(
                [file, metadata.rowCount.grouped, metadata.rowGroups.count.grouped, one.size.grouped]
            )
            objects.append(
                .object([
                    ("path", .string(file)), ("rows", .count(metadata.rowCount)),
                    ("rowGroupCount", .count(metadata.rowGroups.count)), ("bytes", .count(one.size)),
                ])
            )
        }
        var report = Report()
        report.add("path", path, nil, .string(path))
        report.add("kind", "folder of parquet files", nil, .string("parquet folder"))
        report.add("bytes", count: bytes)
        report.add("rows", count: rows)
        report.addColumns(try LanceSchema(arrow: try ParquetFiles([path]).schema))
        report.add(table, "files", objects)
        return report
    }

    /// The columns as Lance would store them.
    func schema() throws(LanceError) -> SchemaReport { SchemaReport(schema: try LanceSchema(arrow: reader.schema)) }

    /// The overview: counts, columns, row groups.
    func report() throws -> Report {
        let metadata = reader.metadata
        var report = Report()
        report.add("path", path, nil, .string(path))
        report.add("kind", "parquet", nil, .string("parquet"))
        report.add("bytes", count: size)
        report.add("rows", count: metadata.rowCount)
        report.add("row groups", count: metadata.rowGroups.count, "rowGroupCount")
        if let writer = metadata.createdBy { report.add("written by", writer, "createdBy", .string(writer)) }
        report.addColumns(try LanceSchema(arrow: reader.schema))
        addStorage(to: &report)
        var groups = TextTable([.number("row group"), .number("rows"), .number("bytes"), .number("uncompressed")])
        var objects: [JSONText] = []
        for (index, group) in metadata.rowGroups.enumerated() {
            let bytes = group.columns.reduce(Int64(0)) { $0 &+ $1.compressedSize }
            groups.rows.append(
                ["\(index)", group.rowCount.grouped, bytes.grouped, group.totalByteSize.grouped]
            )
            objects.append(
                .object([
                    ("rows", .count(group.rowCount)), ("bytes", .count(bytes)),
                    ("uncompressedBytes", .count(group.totalByteSize)),
                ])
            )
        }
        report.add(groups, "rowGroups", objects)
        return report
    }

    /// Leaf columns with what they take over all row groups.
    private func addStorage(to report: inout Report) {
        var table = TextTable([
            .text("stored column"), .text("physical type"), .text("codec"), .text("encodings"), .number("bytes"),
            .number("uncompressed"),
        ])
        var objects: [JSONText] = []
        for index in reader.metadata.rowGroups.first?.columns.indices ?? 0..<0 {
            let chunks = reader.metadata.rowGroups.map { $0.columns[index] }
            let codecs = Self.distinct(chunks.map(\.codec.description))
            let encodings = Self.distinct(chunks.flatMap { $0.encodings.map(\.description) })
            let bytes = chunks.reduce(Int64(0)) { $0 &+ $1.compressedSize }
            let uncompressed = chunks.reduce(Int64(0)) { $0 &+ $1.uncompressedSize }
            table.rows.append([
                chunks[0].path, chunks[0].physicalType.description, codecs.joined(separator: " "),
                encodings.joined(separator: " "), bytes.grouped, uncompressed.grouped,
            ])
            objects.append(
                .object([
                    ("path", .string(chunks[0].path)), ("physicalType", .string(chunks[0].physicalType.description)),
                    ("codecs", .array(codecs.map { .string($0) })),
                    ("encodings", .array(encodings.map { .string($0) })), ("bytes", .count(bytes)),
                    ("uncompressedBytes", .count(uncompressed)),
                ])
            )
        }
        report.add(table, "storedColumns", objects)
    }

    private static func distinct(_ names: [String]) -> [String] {
        var result: [String] = []
        for name in names where !result.contains(name) { result.append(name) }
        return result
    }

    /// One line a column chunk.
    func pages(columns: [String]?) throws(LanceError) -> Listing {
        let known = reader.metadata.rowGroups.first?.columns.map(\.path) ?? []
        for name in columns ?? [] where !known.contains(name) {
            throw LanceError(.notFound, "there is no stored column \"\(name)\"; lancer inspect lists them")
        }
        var listing = Listing([
            .number("row group"), .text("column"), .text("codec"), .text("encodings"), .number("values"),
            .number("nulls"), .number("bytes"), .number("uncompressed"), .text("page index"),
        ])
        for (group, rowGroup) in reader.metadata.rowGroups.enumerated() {
            for chunk in rowGroup.columns where columns?.contains(chunk.path) ?? true {
                let encodings = Self.distinct(chunk.encodings.map(\.description))
                listing.add(
                    [
                        "\(group)", chunk.path, chunk.codec.description, encodings.joined(separator: " "),
                        chunk.valueCount.grouped, chunk.statistics?.nullCount?.grouped ?? "?",
                        chunk.compressedSize.grouped, chunk.uncompressedSize.grouped,
                        chunk.offsetIndex == nil ? "" : "yes",
                    ],
                    [
                        ("rowGroup", .count(group)), ("column", .string(chunk.path)),
                        ("codec", .string(chunk.codec.description)),
                        ("encodings", .array(encodings.map { .string($0) })), ("values", .count(chunk.valueCount)),
                        ("nulls", chunk.statistics?.nullCount.map { .count($0) } ?? .null),
                        ("pageIndex", .bool(chunk.offsetIndex != nil)),
                        ("bytes", .count(chunk.compressedSize)), ("uncompressedBytes", .count(chunk.uncompressedSize)),
                    ]
                )
            }
        }
        return listing
    }
}
