import LancerBytes

/// Makes `Schema` tables.
///
/// Spec: Schema.fbs. Metadata is written sorted by key, so that equal schemas make equal bytes.
enum IPCSchemaWriter {
    /// Numbers the dictionaries of a schema from 0, a dictionary before those in its values.
    ///
    /// - Throws: `unsupported` for a dictionary whose values are a dictionary again, which Arrow IPC cannot say.
    static func layouts(of schema: ArrowSchema) throws(LanceError) -> [IPCLayout] {
        var nextID: Int64 = 0
        var result: [IPCLayout] = []
        for field in schema.fields { result.append(try layout(field.type, path: field.name, nextID: &nextID)) }
        return result
    }

    private static func layout(_ type: ArrowType, path: String, nextID: inout Int64) throws(LanceError) -> IPCLayout {
        if case .dictionary(let index, let value, _) = type {
            guard index.isInteger else {
                throw .invalidArgument("column \"\(path)\" is a dictionary with indices of type \(index)")
            }
            if case .dictionary = value {
                throw .unsupported("column \"\(path)\" is a dictionary of dictionaries, which Arrow IPC cannot hold")
            }
            let id = nextID
            nextID += 1
            let values = try layout(value, path: path, nextID: &nextID)
            return IPCLayout(type: type, shape: .dictionary(id: id, values: values), path: path)
        }
        guard type.isNested else { return IPCLayout(type: type, shape: .direct, path: path) }
        var children: [IPCLayout] = []
        for child in type.children {
            children.append(try layout(child.type, path: "\(path).\(child.name)", nextID: &nextID))
        }
        return IPCLayout(type: type, shape: .nested(children), path: path)
    }

    /// Adds a `Schema` table.
    static func schema(
        _ schema: ArrowSchema,
        layouts: [IPCLayout],
        in builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference {
        var fields: [FlatBufferBuilder.Reference] = []
        for (child, layout) in zip(schema.fields, layouts) {
            fields.append(field(child, layout: layout, in: &builder))
        }
        var slots = [(slot: 1, field: FlatBufferBuilder.Field.reference(builder.vector(fields)))]
        if let metadata = metadata(schema.metadata, in: &builder) { slots.append((2, .reference(metadata))) }
        return builder.table(slots)
    }

    private static func metadata(
        _ metadata: [String: String],
        in builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference? {
        if metadata.isEmpty { return nil }
        var pairs: [FlatBufferBuilder.Reference] = []
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let keyText = builder.text(key)
            let valueText = builder.text(value)
            pairs.append(builder.table([(0, .reference(keyText)), (1, .reference(valueText))]))
        }
        return builder.vector(pairs)
    }

    private static func field(
        _ field: ArrowField,
        layout: IPCLayout,
        in builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference {
        var valueLayout = layout
        var slots: [(slot: Int, field: FlatBufferBuilder.Field)] = []
        if case .dictionary(let id, let values) = layout.shape,
            case .dictionary(let index, _, let ordered) = layout.type
        {
            valueLayout = values
            let indexType = typeTable(index, in: &builder).table
            var encoding: [(slot: Int, field: FlatBufferBuilder.Field)] = [
                (0, .number(id)), (1, .reference(indexType)),
            ]
            if ordered { encoding.append((2, .flag(true))) }
            slots.append((4, .reference(builder.table(encoding))))
        }
        var children: [FlatBufferBuilder.Reference] = []
        if case .nested(let layouts) = valueLayout.shape {
            for (child, childLayout) in zip(valueLayout.type.children, layouts) {
                children.append(Self.field(child, layout: childLayout, in: &builder))
            }
        }
        let name = builder.text(field.name)
        let type = typeTable(valueLayout.type, in: &builder)
        slots += [(0, .reference(name)), (2, .number(type.id)), (3, .reference(type.table))]
        slots.append((5, .reference(builder.vector(children))))
        if field.nullable { slots.append((1, .flag(true))) }
        if let metadata = metadata(field.metadata, in: &builder) { slots.append((6, .reference(metadata))) }
        return builder.table(slots)
    }

    /// Adds the table of the `Type` union and says which one it is.
    private static func typeTable(
        _ type: ArrowType,
        in builder: inout FlatBufferBuilder
    ) -> (id: UInt8, table: FlatBufferBuilder.Reference) {
        var slots: [(slot: Int, field: FlatBufferBuilder.Field)] = []
        let id: UInt8
        switch type {
        case .null: id = IPCFormat.TypeID.null
        case .bool: id = IPCFormat.TypeID.bool
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
            id = IPCFormat.TypeID.int
            slots = [(0, .number(Int32(type.bitWidth ?? 0)))]
            if type.isSignedInteger { slots.append((1, .flag(true))) }
        case .float16, .float32, .float64:
            id = IPCFormat.TypeID.floatingPoint
            slots = [(0, .number(Int16(type == .float16 ? 0 : type == .float32 ? 1 : 2)))]
        case .decimal128(let precision, let scale), .decimal256(let precision, let scale):
            id = IPCFormat.TypeID.decimal
            slots = [
                (0, .number(Int32(clamping: precision))), (1, .number(Int32(clamping: scale))),
                (2, .number(Int32(type.bitWidth ?? 128))),
            ]
        case .date32, .date64:
            id = IPCFormat.TypeID.date
            slots = [(0, .number(Int16(type == .date32 ? 0 : 1)))]
        case .time32(let unit), .time64(let unit):
            id = IPCFormat.TypeID.time
            slots = [(0, .number(unit.number)), (1, .number(Int32(type.bitWidth ?? 32)))]
        case .timestamp(let unit, let zone):
            id = IPCFormat.TypeID.timestamp
            if let zone { slots = [(1, .reference(builder.text(zone)))] }
            slots.append((0, .number(unit.number)))
        case .duration(let unit):
            id = IPCFormat.TypeID.duration
            slots = [(0, .number(unit.number))]
        case .utf8: id = IPCFormat.TypeID.utf8
        case .largeUtf8: id = IPCFormat.TypeID.largeUtf8
        case .binary: id = IPCFormat.TypeID.binary
        case .largeBinary: id = IPCFormat.TypeID.largeBinary
        case .fixedSizeBinary(let size):
            id = IPCFormat.TypeID.fixedSizeBinary
            slots = [(0, .number(Int32(clamping: size)))]
        case .list: id = IPCFormat.TypeID.list
        case .largeList: id = IPCFormat.TypeID.largeList
        case .fixedSizeList(_, let size):
            id = IPCFormat.TypeID.fixedSizeList
            slots = [(0, .number(Int32(clamping: size)))]
        case .structure: id = IPCFormat.TypeID.structure
        case .map(_, let sorted):
            id = IPCFormat.TypeID.map
            if sorted { slots = [(0, .flag(true))] }
        case .dictionary(_, let value, _): return typeTable(value, in: &builder)
        }
        return (id, builder.table(slots))
    }
}

extension ArrowType {
    /// True for types with children, even when a struct has none.
    fileprivate var isNested: Bool {
        switch self {
        case .list, .largeList, .fixedSizeList, .structure, .map: true
        default: false
        }
    }
}
