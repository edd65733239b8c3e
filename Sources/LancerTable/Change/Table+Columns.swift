import LancerArrow
import LancerBytes
import LancerFile

extension Table {
    /// The field that a name or a dotted path means.
    ///
    /// - Throws: `notFound`.
    package func field(at path: String) throws(LanceError) -> LanceField {
        guard let field = try Projection.resolve(path, manifest.schema).last else {
            throw LanceError(.notFound, "there is no column \"\(path)\"")
        }
        return field
    }

    /// Takes columns, or fields of structs, out of the schema. Their data stays in the files.
    ///
    /// - Throws: `notFound`, `schemaMismatch` when no column would be left, `conflict`, `io`.
    package func dropColumns(_ paths: [String], commitMessage: String?) async throws -> Table {
        if paths.isEmpty { return self }
        return try await changingSchema(commitMessage) { (table) throws(LanceError) in
            var edits: [SchemaEdit] = []
            for path in paths { edits.append(.drop(try table.field(at: path).id)) }
            return .project(edits)
        }
    }

    /// Gives a column, or a field of a struct, another name.
    ///
    /// - Throws: `notFound`, `schemaMismatch` for a name that is taken or cannot be, `conflict`, `io`.
    package func renameColumn(_ path: String, to name: String, commitMessage: String?) async throws -> Table {
        guard !name.isEmpty, !name.contains(".") else {
            throw LanceError.schemaMismatch("\"\(name)\" is no name for a column: not empty, and no \".\"")
        }
        return try await changingSchema(commitMessage) { (table) throws(LanceError) in
            .project([.rename(try table.field(at: path).id, to: name)])
        }
    }

    /// Allows or forbids nulls in a column or a field of a struct. To forbid them, the column is read.
    ///
    /// - Throws: `schemaMismatch` when there are nulls, `notFound`, `conflict`, `corrupt`, `io`.
    package func setNullable(_ path: String, _ nullable: Bool, commitMessage: String?) async throws -> Table {
        try await retrying { table in
            try table.manifest.writerFlags.requireKnown(to: "write")
            let field = try table.field(at: path)
            if field.nullable == nullable { return table }
            if !nullable { try await table.checkHasNoNulls(path) }
            return try await table.committing(.project([.setNullable(field.id, nullable)]), commitMessage)
        }
    }

    private func checkHasNoNulls(_ path: String) async throws {
        let projection = try Projection([path], of: manifest.schema)
        let scan = try TableScan(table: self, projection: projection)
        let iterator = scan.makeIterator()
        var row = 0
        while let batch = try await iterator.next() {
            let column = batch.columns[0]
            if column.nullCount > 0 {
                let first = (0..<column.length).first { column.isNull($0) } ?? 0
                throw LanceError.schemaMismatch("column \"\(path)\" has nulls, the first in row \(row + first)")
            }
            row += batch.rowCount
        }
    }

    private func changingSchema(
        _ commitMessage: String?,
        _ operation: (Table) throws(LanceError) -> Operation
    ) async throws -> Table {
        try await retrying { table in
            try table.manifest.writerFlags.requireKnown(to: "write")
            return try await table.committing(try operation(table), commitMessage)
        }
    }

    /// Sets and removes keys of config and metadata.
    ///
    /// - Throws: `conflict` when another writer set the same key meanwhile, `notFound`, `io`.
    package func updateConfig(_ change: ConfigChange, commitMessage: String?) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        for key in change.config.values.keys where key == Manifest.fieldIDKey {
            throw LanceError.invalidArgument("\"\(key)\" is kept by Lancer itself")
        }
        return try await committing(.updateConfig(change), commitMessage)
    }
}
