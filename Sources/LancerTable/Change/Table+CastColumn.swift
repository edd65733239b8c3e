import LancerArrow
import LancerBytes
import LancerExpression
import LancerFile
import LancerProto
import LancerStorage

extension Table {
    /// Gives a column, or a field of a struct, another type. Its values are converted into new data files; the column gets
    /// a field id of its own, so that rows that another writer prepares for the old one are not mistaken for new ones.
    ///
    /// - Throws: `notFound`, `unsupported` when there is no conversion, `invalidArgument` for a value that does not fit,
    ///   `schemaMismatch` for a column with indices, `conflict`, `corrupt`, `io`.
    package func castColumn(
        _ path: String,
        to type: ArrowType,
        commitMessage: String?,
        progress: WriteProgress? = nil
    ) async throws -> Table {
        try await retrying { try await $0.castOnce(path, type, commitMessage, progress) }
    }

    private func castOnce(
        _ path: String,
        _ type: ArrowType,
        _ commitMessage: String?,
        _ progress: WriteProgress?
    ) async throws -> Table {
        try manifest.writerFlags.requireKnown(to: "write")
        let steps = try Projection.resolve(path, manifest.schema)
        guard let field = steps.last else { throw LanceError(.notFound, "there is no column \"\(path)\"") }
        if field.type == type { return self }
        guard ArrayCast.isPossible(field.type, type) else {
            throw LanceError.unsupported("values of \"\(path)\" are \(field.type) and cannot become \(type)")
        }
        if steps.dropLast().contains(where: \.isPackedStruct) {
            throw LanceError.unsupported("\"\(path)\" is part of a packed struct and has no column of its own")
        }
        try requireNoIndex(on: field, path)
        let arrow = ArrowField(field.name, type, nullable: field.nullable, metadata: field.metadata)
        guard var new = try LanceSchema(arrow: ArrowSchema([arrow]), firstID: try nextFieldID()).fields.first else {
            throw LanceError.unsupported("columns of \(type)")
        }
        new.primaryKeyPosition = field.primaryKeyPosition
        // The structs above the field, with nothing else in them.
        var (source, target) = (field, new)
        for parent in steps.dropLast().reversed() {
            source = try parent.withChildren([source])
            target = try parent.withChildren([target])
        }
        let schema = ArrowSchema([target.arrowField])
        let depth = steps.count - 1
        let projection = try Projection(nil, of: LanceSchema(fields: [source]))
        return try await addingFiles([.replace(field.id, with: new)], [target], commitMessage) { fragment, writer in
            let scan = try TableScan(table: self, projection: projection, fragments: [fragment])
            let iterator = scan.makeIterator()
            while let batch = try await iterator.next() {
                do throws(LanceError) {
                    let array = try Self.cast(batch.columns[0], target, depth: depth)
                    try writer.write(RecordBatch(unchecked: schema, [array], rowCount: batch.rowCount))
                } catch {
                    throw error.located(part: "column \"\(path)\"")
                }
                progress?(batch.rowCount, batch.sizeInBytes)
            }
        }
    }

    /// Converts the field `depth` structs below the top.
    private static func cast(_ array: ArrowArray, _ field: LanceField, depth: Int) throws(LanceError) -> ArrowArray {
        if depth == 0 { return try ArrayCast.cast(array, to: field.type, zone: ZoneDatabase.rules) }
        guard case .structure(let children) = array.storage, children.count == 1 else {
            throw .corrupt("\"\(field.name)\" was read as \(array.type)")
        }
        let child = try cast(children[0], field.children[0], depth: depth - 1)
        return ArrowArray(
            type: field.type,
            length: array.length,
            validity: array.validity,
            storage: .structure([child])
        )
    }

    private func requireNoIndex(on field: LanceField, _ path: String) throws(LanceError) {
        let ids = Set(field.subtree.map(\.id))
        let entries = try IndexEntries(manifest.indexSection).message.indices
        let names = Set(entries.filter { !ids.isDisjoint(with: $0.fields) }.map(\.name)).sorted()
        guard names.isEmpty else {
            throw .schemaMismatch(
                "\"\(path)\" has an index (\(names.joined(separator: ", "))); drop it before the type is changed"
            )
        }
    }
}
