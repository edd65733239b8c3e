import Lancer

/// One schema for several inputs: the first one's columns, nullable where one of them is.
struct SchemaUnion {
    /// The columns of all.
    private(set) var schema: ArrowSchema

    /// Starts with the schema of the first input.
    init(_ first: ArrowSchema) { schema = first }

    /// Takes another input in; its columns may stand in another order.
    ///
    /// - Throws: `schemaMismatch` that names the first column that is missing, superfluous or of another type.
    mutating func add(_ other: ArrowSchema, path: String) throws(LanceError) {
        var fields = schema.fields
        for (index, field) in schema.fields.enumerated() {
            guard let place = Self.place(of: index, in: schema, other) else {
                throw LanceError(.schemaMismatch, "\(path) has no column \"\(field.name)\", the first input has one")
            }
            guard let merged = Self.union(field, other.fields[place]) else {
                throw LanceError(
                    .schemaMismatch,
                    "column \"\(field.name)\" is \(other.fields[place].type) in \(path) and \(field.type) in the first input"
                )
            }
            fields[index] = merged
        }
        if let extra = other.fields.first(where: { schema.index(of: $0.name) == nil }) {
            throw LanceError(.schemaMismatch, "\(path) has a column \"\(extra.name)\", the first input has none")
        }
        guard other.fields.count == fields.count else {
            throw LanceError(
                .schemaMismatch,
                "\(path) has \(other.fields.count) columns, the first input \(fields.count)"
            )
        }
        schema = ArrowSchema(fields, metadata: schema.metadata)
    }

    /// Where the union's column is in another input: at its own place when it is called so, else by name.
    static func place(of index: Int, in union: ArrowSchema, _ other: ArrowSchema) -> Int? {
        let name = union.fields[index].name
        return other.fields.indices.contains(index) && other.fields[index].name == name
            ? index : other.index(of: name)
    }

    private static func union(_ left: ArrowField, _ right: ArrowField) -> ArrowField? {
        guard let type = union(left.type, right.type) else { return nil }
        return ArrowField(left.name, type, nullable: left.nullable || right.nullable, metadata: left.metadata)
    }

    private static func union(_ left: ArrowType, _ right: ArrowType) -> ArrowType? {
        if left == right { return left }
        switch (left, right) {
        case (.list(let item), .list(let other)): return union(item, other).map { .list($0) }
        case (.largeList(let item), .largeList(let other)): return union(item, other).map { .largeList($0) }
        case (.fixedSizeList(let item, let size), .fixedSizeList(let other, let otherSize)) where size == otherSize:
            return union(item, other).map { .fixedSizeList($0, size) }
        case (.map(let entries, let isSorted), .map(let other, let isOtherSorted)):
            return union(entries, other).map { .map($0, keysSorted: isSorted && isOtherSorted) }
        case (.structure(let fields), .structure(let others)):
            guard fields.map(\.name) == others.map(\.name) else { return nil }
            let merged = zip(fields, others).compactMap { union($0, $1) }
            return merged.count == fields.count ? .structure(merged) : nil
        default: return nil
        }
    }

    /// A batch of one of the inputs as one of all.
    func adopt(_ batch: RecordBatch) throws(LanceError) -> RecordBatch {
        if batch.schema.fields == schema.fields {
            return try RecordBatch(schema: schema, columns: batch.columns, rowCount: batch.rowCount)
        }
        var columns: [ArrowArray] = []
        for (index, field) in schema.fields.enumerated() {
            guard let place = Self.place(of: index, in: schema, batch.schema) else {
                throw LanceError(.schemaMismatch, "there is no column \"\(field.name)\"")
            }
            columns.append(batch.columns[place].relabelled(field.type))
        }
        return try RecordBatch(schema: schema, columns: columns, rowCount: batch.rowCount)
    }
}

extension ArrowArray {
    /// The same memory under a type that differs in names and nullability only.
    func relabelled(_ type: ArrowType) -> ArrowArray {
        if type == self.type { return self }
        let children = type.children
        let changed: Storage
        switch storage {
        case .list(let offsets, let child) where children.count == 1:
            changed = .list(offsets: offsets, child: child.relabelled(children[0].type))
        case .fixedSizeList(let child) where children.count == 1:
            changed = .fixedSizeList(child: child.relabelled(children[0].type))
        case .structure(let members) where children.count == members.count:
            changed = .structure(zip(members, children).map { $0.relabelled($1.type) })
        default: changed = storage
        }
        return ArrowArray(type: type, length: length, validity: validity, storage: changed)
    }
}
