import LancerArrow
import LancerBytes
import LancerEncoding

/// A column of a file as the writer sees it: a leaf field and the way to it.
struct LeafColumn: Sendable {
    /// Position of its top-level field in the schema.
    let topLevelIndex: Int
    /// The leaf's id.
    let fieldID: Int32
    let encoder: PageEncoder
    /// Values lie beside the column.
    let isBlob: Bool

    /// The columns of a schema, in file order.
    ///
    /// - Throws: `unsupported` naming column, type and version when the file version cannot store it.
    static func columns(of schema: LanceSchema, version: FileVersion) throws(LanceError) -> [LeafColumn] {
        var columns: [LeafColumn] = []
        for (index, field) in schema.fields.enumerated() {
            try collect(field, [], field.name, index, version, &columns)
        }
        return columns
    }

    private static func collect(
        _ field: LanceField,
        _ steps: [LeafPath.Step],
        _ name: String,
        _ topLevelIndex: Int,
        _ version: FileVersion,
        _ columns: inout [LeafColumn]
    ) throws(LanceError) {
        func refuse(_ what: String) -> LanceError {
            LanceError(.unsupported, "column \"\(name)\": \(what) cannot be stored in a \(version) file")
        }
        func below(_ index: Int, _ step: LeafPath.Step) throws(LanceError) {
            let child = field.children[index]
            try collect(child, steps + [step], name + "." + child.name, topLevelIndex, version, &columns)
        }
        if field.isLeaf {
            if field.isBlobV2 { throw refuse("a blob in the second form (lance.blob.v2)") }
            if field.isPackedStruct { try checkPacked(field.type, version, refuse) }
            try checkLeaf(field.type, refuse)
            let hints = EncodingHints(metadata: field.metadata)
            if hints.isBlob {
                guard field.type == .largeBinary else { throw refuse("a blob of type \(field.type)") }
                guard steps.allSatisfy({ if case .structure = $0 { true } else { false } }) else {
                    throw refuse("a blob inside a list")
                }
            }
            let path = LeafPath(steps: steps, leafType: field.type)
            columns.append(
                LeafColumn(
                    topLevelIndex: topLevelIndex,
                    fieldID: field.id,
                    encoder: PageEncoder(
                        path: path,
                        name: name,
                        hints: hints,
                        format: version == .v2_1 ? .v2_1 : .v2_2
                    ),
                    isBlob: hints.isBlob
                )
            )
            return
        }
        let insideVectors = steps.contains { if case .fixedSizeList = $0 { true } else { false } }
        switch field.type {
        case .structure:
            for index in field.children.indices {
                try below(index, .structure(child: index, isNullable: field.nullable))
            }
        case .list, .largeList, .map:
            if insideVectors { throw refuse("a list inside a fixed-size list") }
            if version == .v2_1, case .map = field.type { throw refuse("a map") }
            try below(0, .list)
        case .fixedSizeList(_, let dimension):
            if version == .v2_1 { throw refuse("a fixed-size list of structs") }
            if insideVectors || steps.contains(.list) {
                throw refuse("a fixed-size list of structs inside another list")
            }
            guard dimension > 0 else { throw refuse("a fixed-size list of dimension \(dimension)") }
            try below(0, .fixedSizeList(dimension: dimension))
        default: throw refuse("\(field.type)")
        }
    }

    private static func checkLeaf(_ type: ArrowType, _ refuse: (String) -> LanceError) throws(LanceError) {
        guard case .fixedSizeList(let item, let dimension) = type else {
            if case .dictionary(_, let value, _) = type {
                switch value {
                case .dictionary, .structure, .list, .largeList, .map, .fixedSizeList, .null: throw refuse("\(type)")
                default: break
                }
            }
            return
        }
        guard dimension > 0 else { throw refuse("a fixed-size list of dimension \(dimension)") }
        switch item.type {
        case .utf8, .largeUtf8, .binary, .largeBinary, .list, .largeList, .map, .structure, .dictionary, .null:
            throw refuse("\(type)")
        default: try checkLeaf(item.type, refuse)
        }
    }

    /// A vector in a packed struct has items of fixed width and fills whole bytes.
    private static func checkPackedVector(_ type: ArrowType, _ refuse: (String) -> LanceError) throws(LanceError) {
        var item = type
        var bits = 1
        while case .fixedSizeList(let field, let dimension) = item {
            guard dimension > 0 else { throw refuse("a packed struct with \(type)") }
            bits = try bits.multiplied(by: dimension, "items of a vector") % 8
            item = field.type
        }
        if case .bool = item, bits == 0 { return }
        guard item.byteWidth != nil else { throw refuse("a packed struct with \(type)") }
    }

    private static func checkPacked(
        _ type: ArrowType,
        _ version: FileVersion,
        _ refuse: (String) -> LanceError
    ) throws(LanceError) {
        for field in type.children {
            switch field.type {
            case .utf8, .largeUtf8, .binary, .largeBinary:
                if version == .v2_1 { throw refuse("a packed struct with \(field.type)") }
            case .fixedSizeList:
                if version == .v2_1 { throw refuse("a packed struct with \(field.type)") }
                try checkPackedVector(field.type, refuse)
            default:
                guard field.type.byteWidth != nil else { throw refuse("a packed struct with \(field.type)") }
            }
        }
    }
}
