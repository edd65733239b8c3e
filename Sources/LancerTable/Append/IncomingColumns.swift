import LancerArrow
import LancerBytes
import LancerFile

/// How the columns of incoming batches become the columns of a table: found by name in any order, at every level.
struct IncomingColumns: Sendable {
    /// What is written: the table's schema, without the columns and struct fields that the batches do not have.
    let schema: LanceSchema
    private let arrowSchema: ArrowSchema
    /// For each column of ``schema`` its position in the batches.
    private let columns: [FieldMatch]
    private let incomingCount: Int

    /// The schema of a new table.
    ///
    /// - Throws: `schemaMismatch` for names that cannot be, `unsupported` naming a type that Lance cannot store.
    static func tableSchema(for schema: ArrowSchema) throws(LanceError) -> LanceSchema {
        guard !schema.fields.isEmpty else { throw .schemaMismatch("a table needs at least one column") }
        for field in schema.fields { try ColumnName.check(field.name) }
        try checkUnique(schema.fields, "the table")
        return try LanceSchema(arrow: schema)
    }

    private static func checkUnique(_ fields: [ArrowField], _ where: String) throws(LanceError) {
        var names: Set<String> = []
        for field in fields {
            guard names.insert(field.name).inserted else {
                throw .schemaMismatch("\(`where`) has two columns called \"\(field.name)\"")
            }
            if case .structure(let children) = field.type { try checkUnique(children, "\"\(field.name)\"") }
        }
    }

    /// Matches the columns of batches with those of a table by name.
    ///
    /// Columns and struct fields that allow nulls may be missing; they read as null.
    ///
    /// - Throws: `schemaMismatch` naming the first column that does not fit.
    init(_ incoming: ArrowSchema, into table: LanceSchema) throws(LanceError) {
        try Self.checkUnique(incoming.fields, "the data")
        var fields: [LanceField] = []
        var columns: [FieldMatch] = []
        for field in table.fields {
            guard let position = incoming.index(of: field.name) else {
                guard field.nullable else {
                    throw .schemaMismatch(
                        "column \"\(field.name)\" of the table, which must not be null, is missing in the data"
                    )
                }
                continue
            }
            // The id does not matter for the comparison.
            var id: Int32 = 0
            let given = try LanceField(arrow: incoming.fields[position], nextID: &id, depth: 0)
            // A top-level column that may have nulls is fine as long as it has none: the file writer looks.
            let match = try FieldMatch(given, as: field, position: position, path: field.name)
            fields.append(match.field)
            columns.append(match)
        }
        let known = Set(table.fields.map(\.name))
        if let extra = incoming.fields.first(where: { !known.contains($0.name) }) {
            throw .schemaMismatch("column \"\(extra.name)\" of the data is not in the table")
        }
        guard !fields.isEmpty else { throw .schemaMismatch("the data has no column of the table") }
        schema = LanceSchema(fields: fields, metadata: table.metadata)
        arrowSchema = schema.arrowSchema
        self.columns = columns
        incomingCount = incoming.fields.count
    }

    /// A batch with the columns of ``schema`` in their order.
    ///
    /// - Throws: `schemaMismatch` for a batch that does not have the schema it was said to have.
    func batch(_ batch: RecordBatch) throws(LanceError) -> RecordBatch {
        guard batch.columns.count == incomingCount else {
            throw .schemaMismatch("a batch has \(batch.columns.count) columns instead of \(incomingCount)")
        }
        var arrays: [ArrowArray] = []
        arrays.reserveCapacity(columns.count)
        for column in columns { arrays.append(try column.arrange(batch.columns[column.position])) }
        return RecordBatch(unchecked: arrowSchema, arrays, rowCount: batch.rowCount)
    }
}
