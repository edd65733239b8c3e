import ArgumentParser
import Lancer

/// `lancer index stats`.
struct IndexStats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Say what is in an index of vectors: partitions, balance, size, coverage, measured recall.",
        discussion: """
            --recall N asks for N rows of the table, with the search options given, and counts how many of the k nearest \
            rows the index finds, against a comparison with all rows. Imbalance is 1 when all partitions are equal; a \
            search of one partition looks at so many times the rows of an average one.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Argument(help: "Name of the index (default: the only one).")
    var name: String?

    @Option(help: ArgumentHelp("Measure the recall with n rows as queries.", valueName: "n"))
    var recall: Int?

    @OptionGroup var breadth: SearchBreadthOption

    @Option(help: ArgumentHelp("Chooses the rows (default 42).", valueName: "n"))
    var seed: UInt64 = 42

    @Flag(help: "One line a partition.")
    var partitions = false

    @OptionGroup var version: VersionOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if let recall, recall < 1 { throw ValidationError("--recall must be at least 1.") }
        if recall == nil, !breadth.isUsual {
            throw ValidationError("--nprobes, --ef and --refine are for --recall.")
        }
    }

    func run() async throws {
        let dataset = try await Dataset.open(path, at: version.selector ?? .latest)
        let statistics = try await dataset.indexStatistics(try await chosenName(dataset))
        if partitions { return try partitionList(statistics).show(json: output.json) }
        var search = NearestSearch()
        breadth.apply(to: &search)
        var measured: IndexRecall?
        if let recall {
            measured = try await dataset.indexRecall(
                statistics.index.name,
                samples: recall,
                k: breadth.k,
                options: search,
                seed: seed
            )
        }
        try IndexReport.of(statistics, measured).show(json: output.json)
    }

    private func chosenName(_ dataset: Dataset) async throws -> String {
        if let name { return name }
        let names = try await dataset.indices().filter(\.isSearchable).map(\.name)
        guard let only = names.first else {
            throw LanceError(.notFound, "\(path) has no index of vectors; lancer index create makes one")
        }
        guard names.count == 1 else {
            throw LanceError(.invalidArgument, "name one of the indices: \(names.joined(separator: ", "))")
        }
        return only
    }

    private func partitionList(_ statistics: IndexStatistics) -> Listing {
        var listing = Listing([.text("segment"), .number("partition"), .number("rows")])
        for segment in statistics.segments {
            for (partition, rows) in segment.partitionSizes.enumerated() {
                listing.add(
                    [segment.uuid, "\(partition)", rows.grouped],
                    [("segment", .string(segment.uuid)), ("partition", .count(partition)), ("rows", .count(rows))]
                )
            }
        }
        return listing
    }
}

/// What `index stats` says.
enum IndexReport {
    static func of(_ statistics: IndexStatistics, _ measured: IndexRecall?) -> Report {
        let index = statistics.index
        var report = Report()
        report.add("index", index.name, nil, .string(index.name))
        let columns = index.columns.joined(separator: ", ")
        report.add("column", columns, nil, .string(columns))
        report.add("kind", index.kind, nil, .string(index.kind))
        let metric = index.metric ?? statistics.segments.last?.metric
        report.add("metric", metric?.rawValue, nil, .optional(metric?.rawValue))
        if let segment = statistics.segments.last {
            report.addVectorModel(
                dimension: segment.dimension,
                elementType: segment.elementType,
                codes: segment.subVectors.flatMap { count in segment.bits.map { (count, $0) } },
                graph: segment.graph
            )
        }
        let rows = index.indexedRowCount + index.unindexedRowCount
        let share = rows == 0 ? 100 : Double(index.indexedRowCount) * 100 / Double(rows)
        report.add(
            "coverage",
            "\(index.indexedRowCount.grouped) of \(rows.grouped) rows (\(share.fixed(1)) %)",
            nil,
            .number(share / 100)
        )
        report.add("indexed rows", nil, "indexedRows", .count(index.indexedRowCount))
        report.add("unindexed rows", nil, "unindexedRows", .count(index.unindexedRowCount))
        let bytes = statistics.segments.reduce(UInt64(0)) { $0 &+ $1.sizeInBytes }
        report.add("size", bytes.byteText, "bytes", .unsigned(bytes))
        if let measured { add(measured, to: &report) }
        addSegments(statistics, to: &report)
        return report
    }

    private static func add(_ measured: IndexRecall, to report: inout Report) {
        let perQuery = measured.searchTime.inSeconds / Double(max(measured.queryCount, 1))
        let exact = measured.exactTime.inSeconds / Double(max(measured.queryCount, 1))
        report.add(
            "recall@\(measured.k)",
            "\(measured.recall.fixed(4)) over \(measured.queryCount.counted("row")), \((perQuery * 1e6).fixed(0)) µs a query "
                + "(comparing all: \((exact * 1e6).fixed(0)) µs)",
            nil,
            nil
        )
        report.add("recall", nil, nil, .number(measured.recall))
        report.add("queries", nil, nil, .count(measured.queryCount))
        report.add("k", nil, nil, .count(measured.k))
        report.add("query microseconds", nil, "queryMicroseconds", .number(perQuery * 1e6))
        report.add("exact microseconds", nil, "exactMicroseconds", .number(exact * 1e6))
    }

    private static func addSegments(_ statistics: IndexStatistics, to report: inout Report) {
        var table = TextTable(
            "segment",
            "kind",
            "rows#",
            "partitions#",
            "smallest#",
            "median#",
            "largest#",
            "imbalance#",
            "bytes#"
        )
        var objects: [JSONText] = []
        for segment in statistics.segments {
            let sizes = segment.partitionSizes.sorted()
            let (least, median, most) = (sizes.first ?? 0, sizes.isEmpty ? 0 : sizes[sizes.count / 2], sizes.last ?? 0)
            table.rows.append([
                segment.uuid, segment.kind, segment.rowCount.grouped, sizes.count.grouped, least.grouped,
                median.grouped, most.grouped, segment.imbalance.fixed(2), segment.sizeInBytes.grouped,
            ])
            objects.append(
                .object([
                    ("uuid", .string(segment.uuid)), ("kind", .string(segment.kind)),
                    ("rows", .count(segment.rowCount)), ("partitions", .count(sizes.count)),
                    ("smallest", .count(least)), ("median", .count(median)), ("largest", .count(most)),
                    ("imbalance", .number(segment.imbalance)), ("bytes", .unsigned(segment.sizeInBytes)),
                    ("loss", segment.loss.map { .number($0) } ?? .null),
                ])
            )
        }
        report.add(table, "segments", objects)
    }
}
