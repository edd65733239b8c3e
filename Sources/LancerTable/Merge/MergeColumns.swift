import LancerArrow
import LancerBytes
import LancerFile

/// Which columns of a table the source of a merge has, matched by name. The keys must be among them; others, and fields of
/// structs, may be missing: rows that match keep what they have there, new rows get nulls.
struct MergeColumns: Sendable {
    /// The table's schema.
    let schema: LanceSchema
    /// Where each column of the table is in the source.
    private let matches: [FieldMatch?]

    /// - Throws: `schemaMismatch` naming the first column that does not fit.
    init(_ source: ArrowSchema, into schema: LanceSchema) throws(LanceError) {
        var names: Set<String> = []
        for field in source.fields {
            guard names.insert(field.name).inserted else {
                throw .schemaMismatch("the data has two columns called \"\(field.name)\"")
            }
            guard schema.field(named: field.name) != nil else {
                throw .schemaMismatch("column \"\(field.name)\" of the data is not in the table")
            }
        }
        var matches: [FieldMatch?] = []
        for field in schema.fields {
            guard let position = source.index(of: field.name) else {
                matches.append(nil)
                continue
            }
            // The id does not matter for the comparison.
            var id: Int32 = 0
            let given = try LanceField(arrow: source.fields[position], nextID: &id, depth: 0)
            let match = try FieldMatch(given, as: field, position: position, path: field.name)
            guard StructOverlay.isPossible(match.field, of: field) else {
                throw .schemaMismatch("the data lacks fields of the structs in the lists of \"\(field.name)\"")
            }
            matches.append(match)
        }
        self.schema = schema
        self.matches = matches
    }

    /// The table's columns that the source has, without the fields of structs that it does not have.
    var present: [LanceField] { matches.compactMap { $0?.field } }

    /// The table's columns that the source does not have.
    var missing: [LanceField] { zip(schema.fields, matches).filter { $1 == nil }.map(\.0) }

    /// The table's columns whose values the source does not have, or not all of each.
    var incomplete: [LanceField] { zip(schema.fields, matches).filter { $1?.field != $0 }.map(\.0) }

    /// What the source has of a column of the table; nil for nothing.
    func part(of column: Int) -> LanceField? { matches[column]?.field }

    /// The source's values of ``part(of:)`` a column of the table; nil when it has none.
    func array(_ column: Int, of batch: RecordBatch) throws(LanceError) -> ArrowArray? {
        guard let match = matches[column] else { return nil }
        return try match.arrange(batch.columns[match.position])
    }

    /// The source's values at the end of a path of fields, null where a struct on the way is.
    ///
    /// - Throws: `schemaMismatch` when the source does not have the column.
    func array(at path: [LanceField], of batch: RecordBatch) throws(LanceError) -> ArrowArray {
        guard let top = path.first, let column = schema.fields.firstIndex(where: { $0.id == top.id }),
            var array = try array(column, of: batch), var field = part(of: column)
        else { throw .schemaMismatch("the data has no column \"\(path.text)\"") }
        for step in path.dropFirst() {
            guard case .structure(let children) = array.storage,
                let index = field.children.firstIndex(where: { $0.id == step.id }), index < children.count
            else { throw .schemaMismatch("the data has no column \"\(path.text)\"") }
            array = children[index].withValidity(Bitmap.both(array.validity, children[index].validity))
            field = field.children[index]
        }
        return array
    }

    /// The fields from a column of the table to the one that names mean.
    ///
    /// - Throws: `notFound`.
    static func path(_ names: [String], in schema: LanceSchema) throws(LanceError) -> [LanceField] {
        var level = schema.fields
        var path: [LanceField] = []
        for name in names {
            guard let field = level.first(where: { $0.name == name }) else {
                throw LanceError(.notFound, "there is no column \"\(names.joined(separator: "."))\"")
            }
            path.append(field)
            level = field.children
        }
        return path
    }
}

extension [LanceField] {
    /// The path as people write it.
    var text: String { map(\.name).joined(separator: ".") }
}
