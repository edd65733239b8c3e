import LancerBytes

/// Reads a `Schema` table.
///
/// Tables of a FlatBuffers message may be shared, so that a short message can describe an endless tree; depth, fields
/// and text are counted against what the message's bytes can honestly hold.
/// Spec: Schema.fbs.
struct IPCSchemaReader {
    private let options: IPCReadOptions
    private var elementsLeft: Int
    private var textLeft: Int
    private var dictionaries: [Int64: IPCLayout] = [:]

    /// Reads the schema in `table`, part of a message of `messageSize` bytes.
    ///
    /// - Throws: `unsupported` for types Lancer has not and for big-endian data, `corrupt`, `limitExceeded`.
    static func read(_ table: FlatTable, messageSize: Int, options: IPCReadOptions) throws(LanceError) -> IPCSchema {
        var reader = IPCSchemaReader(messageSize: messageSize, options: options)
        return try reader.schema(table)
    }

    private init(messageSize: Int, options: IPCReadOptions) {
        self.options = options
        // Every field and every key-value pair costs at least the four bytes of the reference to it.
        elementsLeft = Swift.min(messageSize / 4, options.limits.fieldCount)
        textLeft = messageSize * 4
    }

    private mutating func schema(_ table: FlatTable) throws(LanceError) -> IPCSchema {
        guard try table.number(0, absent: Int16(0)) == 0 else {
            throw .unsupported("the Arrow data is big-endian; Lancer reads little-endian only")
        }
        var fields: [ArrowField] = []
        var layouts: [IPCLayout] = []
        if let vector = try table.vector(1, stride: 4) {
            for index in 0..<vector.count {
                let (field, layout) = try field(vector.table(index), parent: "", depth: 1)
                fields.append(field)
                layouts.append(layout)
            }
        }
        let schema = ArrowSchema(fields, metadata: try metadata(table, slot: 2))
        return IPCSchema(schema: schema, layouts: layouts, dictionaries: dictionaries)
    }

    private mutating func metadata(_ table: FlatTable, slot: Int) throws(LanceError) -> [String: String] {
        guard let vector = try table.vector(slot, stride: 4) else { return [:] }
        var result: [String: String] = [:]
        for index in 0..<vector.count {
            try countElement()
            let pair = try vector.table(index)
            let key = try text(pair, 0) ?? ""
            result[key] = try text(pair, 1) ?? ""
        }
        return result
    }

    private mutating func text(_ table: FlatTable, _ slot: Int) throws(LanceError) -> String? {
        let text = try table.text(slot)
        textLeft -= text?.utf8.count ?? 0
        guard textLeft >= 0 else { throw .corrupt("the schema's texts overlap and come to more than its message") }
        return text
    }

    private mutating func countElement() throws(LanceError) {
        elementsLeft -= 1
        guard elementsLeft >= 0 else { throw .limitExceeded("the schema has more fields than its message can hold") }
    }

    private mutating func field(
        _ table: FlatTable,
        parent: String,
        depth: Int
    ) throws(LanceError) -> (ArrowField, IPCLayout) {
        try countElement()
        guard depth <= options.limits.schemaDepth else {
            throw .limitExceeded("the schema is nested more than \(options.limits.schemaDepth) levels deep")
        }
        let name = try text(table, 0) ?? ""
        // Paths are for messages only; a long name above many children must not be repeated for each of them.
        let isShort = parent.utf8.count + name.utf8.count < 256
        let path = parent.isEmpty || !isShort ? name : "\(parent).\(name)"
        var children: [(ArrowField, IPCLayout)] = []
        if let vector = try table.vector(5, stride: 4) {
            for index in 0..<vector.count {
                children.append(try field(vector.table(index), parent: path, depth: depth + 1))
            }
        }
        var layout = try valueLayout(table, path: path, children: children)
        if let encoding = try table.table(4) { layout = try dictionaryLayout(encoding, values: layout, path: path) }
        let field = ArrowField(
            name,
            layout.type,
            nullable: try table.flag(1),
            metadata: try metadata(table, slot: 6)
        )
        return (field, layout)
    }

    private func valueLayout(
        _ table: FlatTable,
        path: String,
        children: [(ArrowField, IPCLayout)]
    ) throws(LanceError) -> IPCLayout {
        let id = try table.number(2, absent: UInt8(0))
        let details = try table.table(3)
        let fields = children.map(\.0)
        let isView = id == IPCFormat.TypeID.utf8View || id == IPCFormat.TypeID.binaryView
        var reader = IPCTypeReader(path: path, details: details, children: fields, largeViews: options.largeViews)
        reader.substitutes = options.substitutesTypes
        let type = try reader.type(id)
        let isNested = [
            IPCFormat.TypeID.list, IPCFormat.TypeID.largeList, IPCFormat.TypeID.fixedSizeList,
            IPCFormat.TypeID.map, IPCFormat.TypeID.structure,
        ].contains(id)
        guard isNested || children.isEmpty || options.substitutesTypes else {
            throw .corrupt("column \"\(path)\" is \(type) and has \(children.count) children")
        }
        let shape: IPCLayout.Shape = isView ? .view : isNested ? .nested(children.map(\.1)) : .direct
        return IPCLayout(type: type, shape: shape, path: path)
    }

    private mutating func dictionaryLayout(
        _ encoding: FlatTable,
        values: IPCLayout,
        path: String
    ) throws(LanceError) -> IPCLayout {
        let id = try encoding.number(0, absent: Int64(0))
        var index = ArrowType.int32
        if let details = try encoding.table(1) {
            index = try IPCTypeReader(path: path, details: details, children: []).type(IPCFormat.TypeID.int)
        }
        guard try encoding.number(3, absent: Int16(0)) == 0 else {
            throw .unsupported("column \"\(path)\" has a dictionary that is not a plain array")
        }
        if let known = dictionaries[id], known.type != values.type {
            throw .corrupt("dictionary \(id) is \(known.type) in one column and \(values.type) in \"\(path)\"")
        }
        dictionaries[id] = dictionaries[id] ?? values
        let type = ArrowType.dictionary(index: index, value: values.type, ordered: try encoding.flag(2))
        return IPCLayout(type: type, shape: .dictionary(id: id, values: values), path: path)
    }
}
