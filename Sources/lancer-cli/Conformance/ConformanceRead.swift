import Lancer
import LancerFile

/// `lancer conformance read`.
struct ConformanceRead {
    let path: String
    let ask: ConformanceQuestion

    /// More values than this are not an answer anybody can read.
    private static let mostValues = 1 << 24

    init(path: String, ask: String?) throws {
        self.path = path
        self.ask = try ConformanceQuestion(
            ask,
            known: ["columns", "offset", "limit", "take", "version", "tag", "branch", "row_ids"]
        )
    }

    func json() async throws -> JSONText {
        switch PathKind(path) {
        case .directory: return try await readTable()
        case .missing: throw LanceError(.notFound, "there is nothing at \(path)")
        case .file, .other: return try await readFile()
        }
    }

    private var columns: [String]? { ask["columns"]?.items?.compactMap(\.text) }

    private var rows: [Int]? { ask["take"]?.items?.compactMap(\.integer) }

    // MARK: A data file

    private func readFile() async throws -> JSONText {
        for name in ["version", "tag", "branch", "row_ids"] where ask[name] != nil {
            throw LanceError(.invalidArgument, "a data file has no \(name)")
        }
        let file = try await DataFileReport.open(path).reader
        var fields = file.schema.fields
        if let columns { fields = try columns.map { name in try field(name, file.schema) } }
        let columnOf = Dictionary(
            zip(file.schema.leaves.map(\.id), 0...),
            uniquingKeysWith: { first, _ in first }
        )
        let arrays: [ArrowArray]
        let count: Int
        if let rows {
            count = rows.count
            arrays = try await file.take(fields, columnOf: columnOf, rows: rows)
        } else {
            let start = min(ask["offset"]?.integer ?? 0, file.rowCount)
            let range = start..<(start + min(ask["limit"]?.integer ?? file.rowCount, file.rowCount - start))
            count = range.count
            try check(count, fields.count)
            arrays = try await file.read(fields, columnOf: columnOf, rows: range)
        }
        let schema = ArrowSchema(fields.map(\.arrowField), metadata: file.schema.metadata)
        return try ConformanceValues.json(schema, rows: count, arrays)
    }

    /// The field that a path means, with only what the path goes through.
    private func field(_ path: String, _ schema: LanceSchema) throws(LanceError) -> LanceField {
        if let field = schema.field(named: path) { return field }
        let steps = path.split(separator: ".", omittingEmptySubsequences: false)
        guard let top = steps.first, let field = schema.field(named: String(top)),
            let pruned = try field.only(steps.dropFirst())
        else { throw LanceError(.notFound, "there is no column \"\(path)\"") }
        return pruned
    }

    private func check(_ rows: Int, _ columns: Int) throws(LanceError) {
        let (values, overflow) = rows.multipliedReportingOverflow(by: max(columns, 1))
        if overflow || values > Self.mostValues {
            throw LanceError(.limitExceeded, "\(rows) rows of \(columns) columns")
        }
    }

    // MARK: A table

    private func readTable() async throws -> JSONText {
        var root = path
        if let branch = ask["branch"]?.text {
            guard try await BranchPaths(path).contains(branch) else {
                throw LanceError(.notFound, "there is no branch \"\(branch)\"")
            }
            root = "\(path)/tree/\(branch)"
        }
        var selector = VersionSelector.latest
        if let version = ask["version"]?.integer.flatMap({ UInt64(exactly: $0) }) { selector = .version(version) }
        if let tag = ask["tag"]?.text { selector = .tag(tag) }
        let dataset = try await Dataset.open(root, at: selector, onWarning: { _ in })
        var names = columns
        if ask["row_ids"]?.boolean == true { names = (names ?? dataset.schema.fields.map(\.name)) + ["_rowid"] }
        let batch: RecordBatch
        if let rows {
            batch = try await dataset.take(rows, columns: names)
        } else {
            let limit = ask["limit"]?.integer
            try check(try await dataset.countRows(), names?.count ?? dataset.schema.fields.count)
            let scan = try dataset.scan(columns: names, offset: ask["offset"]?.integer ?? 0, limit: limit)
            batch = try await scan.collect()
        }
        var schema = batch.schema
        if ask["row_ids"]?.boolean == true {
            // Every row has an id; the scan says nullable like the reference does.
            schema.fields[schema.fields.count - 1].nullable = false
        }
        return try ConformanceValues.json(schema, rows: batch.rowCount, batch.columns)
    }
}

extension LanceField {
    /// The field with only the parts that lie on a path of names.
    fileprivate func only(_ steps: ArraySlice<Substring>) throws(LanceError) -> LanceField? {
        guard let step = steps.first else { return self }
        guard let child = children.first(where: { $0.name == step }), let part = try child.only(steps.dropFirst())
        else {
            return nil
        }
        return try withChildren([part])
    }
}
