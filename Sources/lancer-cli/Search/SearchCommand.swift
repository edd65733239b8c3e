import ArgumentParser
import Lancer
import LancerTable

/// `lancer search`.
struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find the rows whose vectors are nearest to a query.",
        discussion: """
            Rows come nearest first, with _distance and _rowid; for several queries the first column, query_index, says \
            which one a row is near to. An index on the column is used if there is one of the metric; rows it does not \
            cover are compared one by one. Without an index every row is compared.

            Distances: l2 is the squared Euclidean distance, cosine 1 - cos, dot 1 - q.x. Those of PQ and SQ indices are \
            approximate (for cosine about 2 * (1 - cos)); --refine computes exact ones.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Argument(help: "A column of vectors.")
    var column: String

    @OptionGroup var query: QueryOption

    @OptionGroup var breadth: SearchBreadthOption

    @Option(help: ArgumentHelp("Partitions looked at first, more if rows are missing.", valueName: "n"))
    var minProbes: Int?

    @Option(help: ArgumentHelp("Most partitions looked at.", valueName: "n"))
    var maxProbes: Int?

    @Option(help: ArgumentHelp("l2, cosine or dot (default: the index's, without one l2).", valueName: "metric"))
    var metric: DistanceMetric?

    @Option(parsing: .unconditional, help: ArgumentHelp("Only rows at least this far away.", valueName: "distance"))
    var minDistance: Float?

    @Option(parsing: .unconditional, help: ArgumentHelp("Only rows nearer than this.", valueName: "distance"))
    var maxDistance: Float?

    @OptionGroup var condition: WhereOption

    @Flag(help: "Apply the condition to the k nearest rows instead of before the search.")
    var postfilter = false

    @Flag(help: "Compare every row instead of using an index.")
    var exact = false

    @Flag(help: "Leave out rows that the index does not cover.")
    var indexedOnly = false

    @OptionGroup var columns: ColumnsOption
    @OptionGroup var version: VersionOption
    @OptionGroup var output: RowsOutput

    func validate() throws {
        if breadth.nprobes != nil, minProbes != nil || maxProbes != nil {
            throw ValidationError("--nprobes sets both --min-probes and --max-probes; give it or them.")
        }
        if postfilter, condition.condition == nil { throw ValidationError("--postfilter needs --where.") }
        if exact, indexedOnly { throw ValidationError("--exact and --indexed-only exclude each other.") }
    }

    /// The options of the search.
    var search: NearestSearch {
        var search = NearestSearch()
        breadth.apply(to: &search)
        if let minProbes { search.minimumProbes = minProbes }
        if let maxProbes { search.maximumProbes = maxProbes }
        search.metric = metric
        search.minimumDistance = minDistance
        search.maximumDistance = maxDistance
        search.filterTime = postfilter ? .after : .before
        search.useIndex = !exact
        search.indexedRowsOnly = indexedOnly
        return search
    }

    func run() async throws {
        guard try DataFormat.of(path, option: nil, optionName: "an extension") == .lance else {
            throw LanceError(
                .invalidArgument,
                "\(path) is no Lance table; search needs one: lancer convert \(path) DIR.lance"
            )
        }
        let dataset = try await Dataset.open(path, at: version.selector ?? .latest)
        // Before the query is read: a wrong name is the likelier mistake.
        _ = try LancerTable.VectorColumn(column, of: dataset.table.manifest.schema)
        let (queries, isBatch) = try await query.load(dataset, column)
        let batch = try await dataset.search(
            queries,
            column,
            breadth.k,
            condition.condition,
            columns.names,
            search,
            isBatch,
            DatasetWarning.toStandardError
        )
        try await output.write(SingleBatch(batch), verb: "found")
    }
}

extension DistanceMetric: ExpressibleByArgument {
    /// Names as the reference takes them, in any case.
    public init?(argument: String) {
        switch argument.lowercased() {
        case "l2", "euclidean": self = .l2
        case "cosine": self = .cosine
        case "dot": self = .dot
        default: return nil
        }
    }
}
