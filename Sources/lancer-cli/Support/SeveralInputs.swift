import Lancer

/// Several files or tables read as one, one after the other.
struct SeveralInputs {
    private let paths: [String]
    private let options: SourceOption
    /// The schema of all of them.
    private let union: SchemaUnion

    /// Looks at the schema of each input, so that a misfit is found before anything is written.
    init(_ paths: [String], _ options: SourceOption) async throws {
        self.paths = paths
        self.options = options
        var union: SchemaUnion?
        for path in paths {
            let schema = try await Input.open(path, options, version: nil).schema
            if union == nil { union = SchemaUnion(schema) } else { try union?.add(schema, path: path) }
        }
        guard let union else { throw LanceError(.invalidArgument, "there is no input") }
        self.union = union
    }

    var schema: ArrowSchema { union.schema }

    /// Rows of all inputs.
    var rowCount: Int {
        get async throws {
            var total = 0
            for path in paths { total += try await Input.open(path, options, version: nil).rowCount }
            return total
        }
    }

    /// All rows.
    func batches() -> any BatchSource { ChainedBatches(paths: paths[...], options: options, union: union) }

    private struct ChainedBatches: BatchSource {
        var paths: ArraySlice<String>
        let options: SourceOption
        let union: SchemaUnion
        var current: (any BatchSource)?

        var schema: ArrowSchema { union.schema }

        mutating func next() async throws -> RecordBatch? {
            while true {
                if let batch = try await current?.next() { return try union.adopt(batch) }
                guard let path = paths.popFirst() else { return nil }
                // Texts get the types that were found already.
                current = try await Input.open(path, options, fitting: union.schema)
                    .batches(columns: nil, offset: 0, limit: nil)
            }
        }
    }
}

/// Source paths of the command line.
enum InputPaths {
    /// Replaces patterns that the shell left alone (quoted, or longer than it allows) by the files they stand for.
    ///
    /// - Throws: `notFound` for a pattern that nothing fits.
    static func expanded(_ paths: [String]) throws(LanceError) -> [String] {
        var result: [String] = []
        for path in paths {
            guard path != "-", case .missing = PathKind(path), path.contains(where: { "*?[".contains($0) }) else {
                result.append(path)
                continue
            }
            let found = matches(path)
            guard !found.isEmpty else { throw LanceError(.notFound, "\(path): no file fits this pattern") }
            result.append(contentsOf: found)
        }
        return result
    }

    private static func matches(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0, let paths = found.gl_pathv else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }
}
