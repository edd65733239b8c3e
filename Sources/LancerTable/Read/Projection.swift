import LancerArrow
import LancerBytes
import LancerFile

/// Which columns to read and what to call them.
///
/// A dotted path names a field inside structs and becomes a column of its own called by the whole path; it is null
/// where a struct on the way is.
package struct Projection: Sendable {
    struct Column: Sendable {
        /// Position in ``fields``.
        var topLevel: Int
        /// Ids of the fields on the way from the top-level column to the one wanted; empty for the column itself.
        var steps: [Int32]
    }

    /// Top-level fields to read, without the parts nobody asked for.
    package let fields: [LanceField]
    /// Ids of the fields that must be read from columns of files.
    let leafIDs: [Int32]
    /// Columns of the result.
    package let schema: ArrowSchema
    let columns: [Column]
    /// For each column the fields from the top-level one down to it.
    let paths: [[LanceField]]
    /// Columns of the result that are not stored, with their places in it, ascending.
    let system: [(place: Int, column: SystemColumn)]

    /// Finds columns by name.
    ///
    /// - Parameter names: Names or dotted paths in the order wanted; nil for all columns.
    /// - Throws: `notFound` for a name that does not exist, `invalidArgument` for one given twice.
    package init(_ names: [String]?, of schema: LanceSchema) throws(LanceError) {
        guard let names else {
            try self.init(schema.fields.map { [$0] }, names: schema.fields.map(\.name), metadata: schema.metadata)
            return
        }
        var paths: [[LanceField]] = []
        var seen: Set<String> = []
        var stored: [String] = []
        var system: [(place: Int, column: SystemColumn)] = []
        for (place, name) in names.enumerated() {
            guard seen.insert(name).inserted else { throw .invalidArgument("column \"\(name)\" is asked for twice") }
            if let column = SystemColumn(rawValue: name), schema.field(named: name) == nil {
                system.append((place, column))
                continue
            }
            paths.append(try Self.resolve(name, schema))
            stored.append(name)
        }
        try self.init(paths, names: stored, metadata: schema.metadata, system: system)
    }

    /// The fields at the end of paths that are known to exist.
    ///
    /// - Parameter names: What the columns of the result are called.
    init(
        _ paths: [[LanceField]],
        names: [String],
        metadata: [String: String] = [:],
        system: [(place: Int, column: SystemColumn)] = []
    ) throws(LanceError) {
        let wanted = Set(paths.compactMap { $0.last?.id })
        var fields: [LanceField] = []
        var columns: [Column] = []
        var positions: [Int32: Int] = [:]
        for path in paths {
            let top = path[0]
            if positions[top.id] == nil {
                positions[top.id] = fields.count
                fields.append(try top.pruned { wanted.contains($0.id) } ?? top)
            }
            columns.append(Column(topLevel: positions[top.id] ?? 0, steps: path.dropFirst().map(\.id)))
        }
        self.fields = fields
        leafIDs = fields.flatMap(\.leaves).map(\.id)
        self.columns = columns
        self.paths = paths
        self.system = system
        var result = zip(names, paths).map { name, path in
            var field = path[path.count - 1].arrowField
            field.name = name
            field.nullable = path.contains { $0.nullable }
            return field
        }
        for (place, column) in system { result.insert(column.arrowField, at: place) }
        self.schema = ArrowSchema(result, metadata: metadata)
    }

    /// The fields from the top-level column down to the one a name means.
    static func resolve(_ name: String, _ schema: LanceSchema) throws(LanceError) -> [LanceField] {
        if let field = schema.field(named: name) { return [field] }
        var path: [LanceField] = []
        var level = schema.fields
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            guard let field = level.first(where: { $0.name == part }) else {
                throw notFound(name, schema)
            }
            path.append(field)
            guard case .structure = field.type else {
                level = []
                continue
            }
            level = field.children
        }
        return path
    }

    private static func notFound(_ name: String, _ schema: LanceSchema) -> LanceError {
        let names = schema.fields.prefix(20).map(\.name).joined(separator: ", ")
        let more = schema.fields.count > 20 ? ", …" : ""
        return LanceError(.notFound, "there is no column \"\(name)\"; the columns are: \(names)\(more)")
    }

    /// Makes the result's columns from the arrays of ``fields``, and those that are not stored.
    func batch(
        _ arrays: [ArrowArray],
        rowCount: Int,
        system values: (SystemColumn) throws(LanceError) -> ArrowArray
    ) throws(LanceError) -> RecordBatch {
        if system.isEmpty { return try batch(arrays, rowCount: rowCount) }
        var columns = try stored(arrays)
        for (place, column) in system { columns.insert(try values(column), at: place) }
        return try RecordBatch(schema: schema, columns: columns, rowCount: rowCount)
    }

    /// Makes the result's columns from the arrays of ``fields``, of which all must be stored.
    func batch(_ arrays: [ArrowArray], rowCount: Int) throws(LanceError) -> RecordBatch {
        try RecordBatch(schema: schema, columns: try stored(arrays), rowCount: rowCount)
    }

    private func stored(_ arrays: [ArrowArray]) throws(LanceError) -> [ArrowArray] {
        var results: [ArrowArray] = []
        results.reserveCapacity(columns.count)
        for column in columns {
            var array = arrays[column.topLevel]
            var field = fields[column.topLevel]
            for step in column.steps {
                guard case .structure(let children) = array.storage,
                    let index = field.children.firstIndex(where: { $0.id == step }), index < children.count
                else { throw .corrupt("column \"\(field.name)\" was read as \(array.type)") }
                array = children[index].withValidity(Bitmap.both(array.validity, children[index].validity))
                field = field.children[index]
            }
            results.append(array)
        }
        return results
    }
}

extension LanceField {
    /// The field with only those parts of its subtree for which `isWanted` holds, or nil when there are none. A packed
    /// struct has one column for all its children and stays whole.
    func pruned(where isWanted: (LanceField) -> Bool) throws(LanceError) -> LanceField? {
        if isWanted(self) { return self }
        var kept: [LanceField] = []
        for child in children {
            if let part = try child.pruned(where: isWanted) { kept.append(part) }
        }
        if kept.isEmpty { return nil }
        return isPackedStruct || kept == children ? self : try withChildren(kept)
    }
}

extension ArrowArray {
    /// The same values with another validity. An array of type null has none and stays as it is.
    func withValidity(_ validity: Bitmap?) -> ArrowArray {
        if case .null = storage { return self }
        return ArrowArray(type: type, length: length, validity: validity, storage: storage)
    }
}

extension Bitmap {
    /// Bits set in both; nil stands for all bits set. The counts must be equal.
    static func both(_ left: Bitmap?, _ right: Bitmap?) -> Bitmap? {
        guard let left else { return right }
        guard let right else { return left }
        let (first, second) = (left.compacted(), right.compacted())
        let bytes = first.buffer.withUnsafeBytes { one in
            second.buffer.withUnsafeBytes { two in
                ArrowBuffer(count: one.count) { target in
                    for index in 0..<target.count { target[index] = one[index] & two[index] }
                }
            }
        }
        return Bitmap(bytes, count: left.count)
    }
}
