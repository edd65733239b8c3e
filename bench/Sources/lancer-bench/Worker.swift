import Foundation
import Lancer

/// One order from the driver: a JSON object on a line of standard input.
struct Order: Decodable {
    /// `load`, `write`, `append`, `commit`, `open`, `count`, `scan`, `take`, `compact`, `index` or `search`.
    var task: String
    var path: String
    var columns: [String]?
    var rows: [Int]?
    /// Rows of several takes, one after the other without a pause.
    var takes: [[Int]]?
    var fileVersion: String?
    var durable: Bool?
    /// Whether a scan compares pages with their checksums; it does if nothing is said.
    var checksums: Bool?
    /// What an index or a search of vectors wants.
    var vectors: VectorOrder?
    /// Condition of a scan or count.
    var `where`: String?
}

/// The answer, a JSON object on a line of standard output.
struct Answer: Encodable {
    /// Time of the work itself, in seconds.
    var seconds = 0.0
    /// Time of each of several takes.
    var each: [Double]?
    /// Time that all threads worked, where it is measured.
    var processorSeconds: Double?
    var rowCount = 0
    /// Bytes of Arrow data that passed through, where the task knows.
    var bytes = 0
    var error: String?
}

/// Holds what stays between orders: the source in memory and open tables.
struct Worker {
    private var source: [RecordBatch] = []
    private var tables: [String: Dataset] = [:]

    mutating func carryOut(_ order: Order) async throws -> Answer {
        var answer = Answer()
        let clock = ContinuousClock()
        switch order.task {
        case "load":
            source = []
            for try await batch in try await Dataset.open(order.path).scan(columns: order.columns) {
                source.append(batch)
                answer.rowCount += batch.rowCount
            }
        case "write":
            var options = WriteOptions()
            options.durable = order.durable ?? false
            if let version = order.fileVersion.flatMap(WriteOptions.FileVersion.init(rawValue:)) {
                options.fileVersion = version
            }
            let batches = try order.columns.map { names in try source.map { try $0.selecting(names) } } ?? source
            guard let reader = MemoryReader(batches) else {
                throw LanceError(.invalidArgument, "nothing is loaded; load first")
            }
            answer.seconds = try await clock.measure {
                _ = try await Dataset.create(at: order.path, from: reader, options: options)
            }.seconds
            answer.rowCount = source.reduce(0) { $0 + $1.rowCount }
        case "append":
            // One commit a row of `rows`, each on the newest version as a process that has just come would see it.
            var options = WriteOptions()
            options.durable = order.durable ?? false
            let schema = ArrowSchema([ArrowField("id", .int64)])
            answer.seconds = try await clock.measure {
                for row in order.rows ?? [] {
                    let batch = try RecordBatch(schema: schema, columns: [.int64([Int64(row)])])
                    guard let reader = MemoryReader([batch]) else { continue }
                    _ = try await Dataset.open(order.path).append(reader, options: options)
                }
            }.seconds
            answer.rowCount = order.rows?.count ?? 0
        case "commit":
            // The loaded rows behind those there are, by the handle of the last commit.
            var options = WriteOptions()
            options.durable = order.durable ?? false
            guard let reader = MemoryReader(source) else {
                throw LanceError(.invalidArgument, "nothing is loaded; load first")
            }
            let table = try await opened(order.path)
            answer.seconds = try await clock.measure {
                tables[order.path] = try await table.append(reader, options: options)
            }.seconds
        case "compact":
            var options = CompactionOptions()
            options.durable = order.durable ?? false
            let table = try await opened(order.path)
            answer.seconds = try await clock.measure {
                tables[order.path] = try await table.compact(options)
            }.seconds
        case "count":
            let table = try await opened(order.path)
            answer.seconds = try await clock.measure {
                if let condition = order.where {
                    answer.rowCount = try await table.countRows(where: condition)
                } else {
                    answer.rowCount = try await table.countRows()
                }
            }.seconds
        case "open":
            answer.seconds = try await clock.measure {
                tables[order.path] = try await Dataset.open(order.path)
            }.seconds
        case "scan":
            let table = try await opened(order.path, order.checksums == false ? .off : .scans)
            answer.seconds = try await clock.measure {
                let scan = try table.scan(columns: order.columns, where: order.where)
                for try await batch in scan { answer.rowCount += batch.rowCount }
            }.seconds
        case "take":
            let table = try await opened(order.path)
            var each: [Double] = []
            for rows in order.takes ?? [order.rows ?? []] {
                each.append(
                    try await clock.measure {
                        answer.rowCount += try await table.take(rows, columns: order.columns).rowCount
                    }.seconds
                )
            }
            answer.seconds = each.reduce(0, +)
            answer.each = each
        case "index":
            guard let vectors = order.vectors else { throw LanceError(.invalidArgument, "no vectors in the order") }
            let table = try await Dataset.open(order.path)
            answer.seconds = try await clock.measure { tables[order.path] = try await vectors.index(table) }.seconds
        case "search":
            guard let vectors = order.vectors else { throw LanceError(.invalidArgument, "no vectors in the order") }
            let table = try await opened(order.path)
            let result = try await vectors.search(table)
            answer.seconds = result.seconds
            answer.processorSeconds = result.processor
            answer.rowCount = result.count
        default:
            throw LanceError(.invalidArgument, "unknown task \(order.task)")
        }
        return answer
    }

    private mutating func opened(_ path: String, _ checksums: ChecksumPolicy = .scans) async throws -> Dataset {
        let key = checksums == .off ? "\(path) unchecked" : path
        if let table = tables[key] { return table }
        let table = try await Dataset.open(path, checksums: checksums)
        tables[key] = table
        return table
    }
}

/// Batches that are in memory already.
struct MemoryReader: RecordBatchReader {
    let schema: ArrowSchema
    private var rest: ArraySlice<RecordBatch>

    /// Nil without batches: there would be no schema.
    init?(_ batches: [RecordBatch]) {
        guard let first = batches.first else { return nil }
        schema = first.schema
        rest = batches[...]
    }

    mutating func next() throws -> RecordBatch? { rest.popFirst() }
}

extension RecordBatch {
    /// The batch with only the named columns, in the order of the names.
    func selecting(_ names: [String]) throws -> RecordBatch {
        let places = names.compactMap { schema.index(of: $0) }
        let chosen = ArrowSchema(places.map { schema.fields[$0] }, metadata: schema.metadata)
        return try RecordBatch(schema: chosen, columns: places.map { columns[$0] }, rowCount: rowCount)
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
