import Lancer
import LancerArrow
import LancerFile
import LancerStorage
import LancerTable

/// `lancer conformance commit`: a change by a writer that knows an old version.
struct ConformanceCommit {
    let path: String
    let operation: ConformanceQuestion

    init(path: String, operation: String) throws {
        self.path = path
        self.operation = try ConformanceQuestion(
            operation,
            known: [
                "read_version", "kind", "values", "where", "set", "on", "field", "column", "target_rows", "version",
                "key",
                "value",
            ]
        )
    }

    func json() async throws -> JSONText {
        let version = try operation.required("read_version") { $0.integer.flatMap { UInt64(exactly: $0) } }
        let stale = try await Dataset.open(path, at: .version(version))
        do {
            let changed = try await change(stale)
            return .object([("committed", .unsigned(changed))])
        } catch let error as LanceError where error.code == .conflict {
            return .object([("conflict", .string(error.isRetryable ? "retryable" : "incompatible"))])
        }
    }

    /// Makes the change.
    ///
    /// - Returns: The version it became.
    private func change(_ dataset: Dataset) async throws -> UInt64 {
        var options = ChangeOptions()
        options.durable = false
        switch try operation.required("kind", \.text) {
        case "append":
            var write = WriteOptions()
            write.durable = false
            return try await dataset.append(OneBatch(try values()), options: write).version
        case "overwrite": return try await overwrite(dataset)
        case "delete": return try await dataset.delete(where: operation.condition(), options: options).dataset.version
        case "update":
            return try await dataset.update(set: try assignments(), where: operation.condition(), options: options)
                .dataset.version
        case "merge":
            var merge = MergeOptions()
            merge.durable = false
            let keys = try operation.required("on", \.items).compactMap(\.text)
            return try await dataset.merge(OneBatch(try values()), on: keys, options: merge).dataset.version
        case "add-column":
            let field = try ConformanceSchema.field(try operation.required("field") { $0 })
            return try await dataset.addNullColumns([field], options: options).version
        case "drop-column":
            return try await dataset.dropColumns([try operation.required("column", \.text)], options: options).version
        case "compact":
            var compaction = CompactionOptions()
            compaction.durable = false
            compaction.targetRows = try operation.required("target_rows", \.integer)
            return try await dataset.compact(compaction).version
        case "restore":
            let version = try operation.required("version") { $0.integer.flatMap { UInt64(exactly: $0) } }
            return try await Dataset.open(path, at: .version(version)).restore(options: options).version
        case "set-config":
            let key = try operation.required("key", \.text)
            return try await dataset.updateConfig([key: try operation.required("value", \.text)], options: options)
                .version
        case let other: throw QuestionNotSupported(what: "operation \(other)")
        }
    }

    private func values() throws -> RecordBatch {
        try ConformanceValues.batch(try operation.required("values") { $0 })
    }

    /// The public call replaces whatever is there; here the writer must know its old version only.
    private func overwrite(_ dataset: Dataset) async throws -> UInt64 {
        let write = TableWriteOptions(
            limits: try FragmentLimits(rowsPerFile: 1 << 20, bytesPerFile: 1 << 36),
            commitMessage: nil,
            fileVersion: .v2_2,
            naming: dataset.table.name.naming
        )
        return try await dataset.table.overwrite(from: ReaderSource(OneBatch(try values())), write).manifest.version
    }

    private func assignments() throws(LanceError) -> [String: String] {
        guard case .object(let members)? = operation["set"] else {
            throw LanceError(.invalidArgument, "the question has no set, or in another form")
        }
        return members.mapValues { value in
            switch value {
            case .string(let text): ConformanceQuestion.literal(text)
            case .bool(let flag): flag ? "true" : "false"
            default: "null"
            }
        }
    }
}
