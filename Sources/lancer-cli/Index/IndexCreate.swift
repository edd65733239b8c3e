import ArgumentParser
import Lancer

/// The kinds of index that `--type` names.
enum IndexType: String, CaseIterable, ExpressibleByArgument {
    case ivfFlat = "ivf-flat"
    case ivfPQ = "ivf-pq"
    case ivfSQ = "ivf-sq"
    case ivfHNSWFlat = "ivf-hnsw-flat"
    case ivfHNSWSQ = "ivf-hnsw-sq"
    case ivfHNSWPQ = "ivf-hnsw-pq"

    /// Names as the reference spells them, too: IVF_PQ.
    init?(argument: String) {
        self.init(rawValue: String(argument.lowercased().map { $0 == "_" ? "-" : $0 }))
    }

    var hasCodebook: Bool { self == .ivfPQ || self == .ivfHNSWPQ }
    var hasGraph: Bool { [.ivfHNSWFlat, .ivfHNSWSQ, .ivfHNSWPQ].contains(self) }
}

/// `lancer index create`.
struct IndexCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make an index of a column's vectors.",
        discussion: """
            ivf-flat keeps the vectors as they are, ivf-sq a byte for each number, ivf-pq a code for each sub-vector \
            (smallest; search with --refine). ivf-hnsw-… keep a graph as well: fastest at high recall. The number of \
            partitions follows from the rows unless it is given.

            Rows appended later are found all the same, by comparing them one by one, until lancer index optimize takes \
            them in.
            """
    )

    @Argument(help: "A Lance table.")
    var path: String

    @Argument(help: "A column of vectors: fixed-size lists of float16, float32 or float64.")
    var column: String

    @Option(help: ArgumentHelp("Kind of the index.", valueName: "kind"))
    var type: IndexType

    @Option(help: ArgumentHelp("l2 (the default), cosine or dot.", valueName: "metric"))
    var metric = DistanceMetric.l2

    @Option(help: ArgumentHelp("Partitions (default: rows / 4096, 8192 or 1048576 by the kind).", valueName: "n"))
    var partitions: Int?

    @Option(help: ArgumentHelp("Rows a partition shall have, instead of --partitions.", valueName: "n"))
    var partitionRows: Int?

    @Option(help: ArgumentHelp("Sub-vectors of ivf-pq and ivf-hnsw-pq (default: dimension / 8).", valueName: "n"))
    var subVectors: Int?

    @Option(help: ArgumentHelp("Bits of a code of ivf-pq and ivf-hnsw-pq: 8 (the default) or 4.", valueName: "n"))
    var bits: Int?

    @Option(name: .customLong("m"), help: ArgumentHelp("Neighbours in a graph (default 20).", valueName: "n"))
    var connections: Int?

    @Option(help: ArgumentHelp("Candidates while a graph is built (default 150).", valueName: "n"))
    var efConstruction: Int?

    @Option(help: ArgumentHelp("Levels of a graph (default 7).", valueName: "n"))
    var maxLevel: Int?

    @Option(help: ArgumentHelp("Rows sampled for each partition to find the centroids (default 256).", valueName: "n"))
    var sampleRate: Int?

    @Option(help: ArgumentHelp("Rounds of k-means at most (default 25).", valueName: "n"))
    var iterations: Int?

    @Option(help: ArgumentHelp("Name of the index (default COLUMN_idx).", valueName: "name"))
    var name: String?

    @Flag(help: "Replace an index of that name.")
    var replace = false

    @OptionGroup var build: IndexBuildOption
    @OptionGroup var message: MessageOption
    @OptionGroup var output: JSONOption

    func validate() throws {
        if !type.hasCodebook, subVectors != nil || bits != nil {
            throw ValidationError("--sub-vectors and --bits are for ivf-pq and ivf-hnsw-pq.")
        }
        if !type.hasGraph, connections != nil || efConstruction != nil || maxLevel != nil {
            throw ValidationError("--m, --ef-construction and --max-level are for the ivf-hnsw kinds.")
        }
        if partitions != nil, partitionRows != nil {
            throw ValidationError("--partitions and --partition-rows exclude each other.")
        }
    }

    private var kind: VectorIndexKind {
        let defaults = VectorIndexKind.Graph()
        let graph = VectorIndexKind.Graph(
            maxConnections: connections ?? defaults.maxConnections,
            efConstruction: efConstruction ?? defaults.efConstruction,
            maxLevel: maxLevel ?? defaults.maxLevel
        )
        return switch type {
        case .ivfFlat: .ivfFlat(partitions: partitions)
        case .ivfPQ: .ivfPQ(partitions: partitions, subVectors: subVectors, bits: bits ?? 8)
        case .ivfSQ: .ivfSQ(partitions: partitions)
        case .ivfHNSWFlat: .ivfHNSWFlat(partitions: partitions, graph: graph)
        case .ivfHNSWSQ: .ivfHNSWSQ(partitions: partitions, graph: graph)
        case .ivfHNSWPQ: .ivfHNSWPQ(partitions: partitions, subVectors: subVectors, bits: bits ?? 8, graph: graph)
        }
    }

    func run() async throws {
        var options = VectorIndexOptions()
        options.name = name
        options.replace = replace
        options.targetPartitionSize = partitionRows
        if let sampleRate { options.sampleRate = sampleRate }
        if let iterations { options.iterations = iterations }
        options.seed = build.seed
        options.memoryLimit = build.memoryLimit
        options.threads = build.threads
        options.durable = !message.noSync
        options.message = message.message
        let dataset = try await Dataset.open(path)
        let progress = IndexProgressLine(build.progress)
        defer { progress.finish() }
        let start = ContinuousClock.now
        let new = try await Interruption.cancelling { [column, kind, metric, options] in
            try await dataset.createVectorIndex(on: column, kind, metric: metric, options: options) {
                progress.show($0)
            }
        }
        progress.finish()
        let made = name ?? "\(column)_idx"
        let index = try await new.indices().first { $0.name == made }
        let seconds = (ContinuousClock.now - start).inSeconds
        let isEmpty = index?.segments.allSatisfy(\.fragments.isEmpty) ?? true
        let size = index?.sizeInBytes ?? 0
        let text =
            isEmpty
            ? "index \(made) has no rows yet: the table has too few to train it; lancer index optimize will"
            : "made index \(made) (\(index?.kind ?? "")) of \((index?.indexedRowCount ?? 0).counted("row")), "
                + "\(size.byteText), in \(seconds.fixed(1)) s"
        try ChangeReport(
            dataset: new,
            text: text,
            members: [
                ("index", .string(made)), ("kind", .optional(index?.kind)),
                ("indexedRows", .count(isEmpty ? 0 : index?.indexedRowCount ?? 0)),
                ("bytes", .unsigned(size)), ("seconds", .number(seconds)),
            ]
        ).show(json: output.json)
    }
}

/// Means of a build.
struct IndexBuildOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Memory for the work: 512MB, 4GiB (the default is 2GiB, the least 16MiB). The program takes about 64 MiB besides.",
            valueName: "size"
        )
    )
    var memory: ByteSize?

    @Option(help: ArgumentHelp("The same seed, rows and settings give the same index (default 42).", valueName: "n"))
    var seed: UInt64 = 42

    @Option(help: ArgumentHelp("Threads (default: one for each core).", valueName: "n"))
    var threads: Int?

    @Flag(inversion: .prefixedNo, help: "Show progress on standard error (the default when it is a terminal).")
    var progress: Bool?

    var memoryLimit: Int { memory.map { Int(clamping: $0.bytes) } ?? 2 << 30 }

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
