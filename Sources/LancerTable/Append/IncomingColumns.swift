import LancerArrow
import LancerBytes
import LancerFile

/// How the columns of incoming batches become the columns of a table.
struct IncomingColumns: Sendable {
    /// For each column of the table its position in the batches.
    private let positions: [Int]
    private let schema: ArrowSchema

    /// The schema of a new table.
    ///
    /// - Throws: `schemaMismatch` for names that cannot be, `unsupported` naming a type that Lance cannot store.
    static func tableSchema(for schema: ArrowSchema) throws(LanceError) -> LanceSchema {
        guard !schema.fields.isEmpty else { throw .schemaMismatch("a table needs at least one column") }
        for field in schema.fields where field.name.contains(".") {
            throw .schemaMismatch("the name of column \"\(field.name)\" must not have a \".\" in it; rename it")
        }
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
    /// - Throws: `schemaMismatch` naming the first column that does not fit.
    init(_ incoming: ArrowSchema, into table: LanceSchema) throws(LanceError) {
        var positions: [Int] = []
        for field in table.fields {
            guard let position = incoming.index(of: field.name) else {
                throw .schemaMismatch("column \"\(field.name)\" of the table is missing in the data")
            }
            // The id does not matter for the comparison.
            var id: Int32 = 0
            let given = try LanceField(arrow: incoming.fields[position], nextID: &id, depth: 0)
            try Self.check(given, fits: field, path: field.name, isTop: true)
            positions.append(position)
        }
        if incoming.fields.count != table.fields.count {
            let known = Set(table.fields.map(\.name))
            if let extra = incoming.fields.first(where: { !known.contains($0.name) }) {
                throw .schemaMismatch("column \"\(extra.name)\" of the data is not in the table")
            }
            throw .schemaMismatch("the data has \(incoming.fields.count) columns, the table \(table.fields.count)")
        }
        self.positions = positions
        self.schema = table.arrowSchema
    }

    /// Whether values of a field of the data can be stored in one of the table.
    ///
    /// - Throws: `schemaMismatch` naming what does not fit.
    static func check(
        _ given: LanceField,
        fits field: LanceField,
        path: String,
        isTop: Bool
    ) throws(LanceError) {
        if field.isBlobV2 {
            throw .unsupported(
                "column \"\(path)\" holds blobs in the second form (lance.blob.v2), which is not written"
            )
        }
        guard given.logicalType == field.logicalType, given.children.count == field.children.count else {
            throw .schemaMismatch("column \"\(path)\" is \(field.type) in the table, \(given.type) in the data")
        }
        // A top-level column that may have nulls is fine as long as it has none: the file writer looks.
        if !isTop, given.nullable, !field.nullable {
            throw .schemaMismatch("\"\(path)\" must not be null in the table, the data allows nulls")
        }
        let isStruct = if case .structure = field.type { true } else { false }
        for (givenChild, child) in zip(given.children, field.children) {
            // The names of list items say nothing.
            guard !isStruct || givenChild.name == child.name else {
                throw .schemaMismatch(
                    "\"\(path)\" has a field \"\(child.name)\" in the table, \"\(givenChild.name)\" in the data"
                )
            }
            try check(givenChild, fits: child, path: "\(path).\(child.name)", isTop: false)
        }
    }

    /// A batch with the table's columns in the table's order.
    func batch(_ batch: RecordBatch) throws(LanceError) -> RecordBatch {
        guard batch.columns.count == positions.count else {
            throw .schemaMismatch("a batch has \(batch.columns.count) columns instead of \(positions.count)")
        }
        return RecordBatch(unchecked: schema, positions.map { batch.columns[$0] }, rowCount: batch.rowCount)
    }
}
