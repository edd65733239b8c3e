import LancerArrow
import LancerBytes

/// Makes the flattened schema of a file out of an Arrow schema, and the leaves with their paths.
///
/// Spec: Parquet, LogicalTypes: lists are `LIST > list > element`, maps `MAP > key_value > key, value`. Names and kinds
/// of lists that Parquet has not are in `ARROW:schema`.
struct SchemaTreeWriter {
    private(set) var elements: [SchemaElement] = []
    private(set) var leaves: [WriteLeaf] = []

    /// - Throws: `unsupported` for structs without fields, values of no bytes, and nesting deeper than 100 levels.
    init(_ schema: ArrowSchema) throws(LanceError) {
        var root = SchemaElement()
        root.name = "schema"
        root.repetition = .required
        root.childCount = schema.fields.count
        elements = [root]
        for (index, field) in schema.fields.enumerated() {
            do throws(LanceError) {
                try add(field, named: field.name, Place(column: index))
            } catch {
                throw error.located(part: "column \"\(field.name)\"")
            }
        }
    }

    /// What is known of a field's ancestors.
    private struct Place {
        let column: Int
        var steps: [PathStep] = []
        var names: [String] = []
        var definition = 0
        var repetition = 0
    }

    private mutating func add(
        _ field: ArrowField,
        named name: String,
        _ parent: Place
    ) throws(LanceError) {
        var place = parent
        place.names.append(name)
        guard place.definition < 200, place.names.count <= 256 else {
            throw .limitExceeded("a type nested more than 100 levels deep")
        }
        var element = SchemaElement()
        element.name = name
        let isNullable = field.nullable || field.type == .null
        element.repetition = isNullable ? .optional : .required
        element.fieldID = field.metadata[ArrowSchemaHint.fieldIDKey].flatMap { Int32($0) }
        if isNullable {
            place.definition += 1
            place.steps.append(.optional(UInt8(place.definition)))
        } else {
            place.steps.append(.required(field.name))
        }
        switch field.type {
        case .structure(let fields):
            guard !fields.isEmpty else { throw .unsupported("a struct without fields; Parquet cannot store one") }
            element.childCount = fields.count
            elements.append(element)
            for (index, child) in fields.enumerated() {
                var inner = place
                inner.steps.append(.member(index))
                try add(child, named: child.name, inner)
            }
        case .list(let item), .largeList(let item), .fixedSizeList(let item, _):
            element.annotation = .list
            element.childCount = 1
            elements.append(element)
            addRepeated("list", children: 1, &place)
            try add(item, named: "element", place)
        case .map(let entries, _):
            guard case .structure(let fields) = entries.type, fields.count == 2 else {
                throw .corrupt("a map with entries of type \(entries.type)")
            }
            element.annotation = .map
            element.childCount = 1
            elements.append(element)
            addRepeated("key_value", children: 2, &place)
            place.steps.append(.required(entries.name))
            for (index, child) in fields.enumerated() {
                var inner = place
                inner.steps.append(.member(index))
                var field = child
                if index == 0 { field.nullable = false }
                try add(field, named: index == 0 ? "key" : "value", inner)
            }
        default: try addLeaf(field, element, place)
        }
    }

    private mutating func addRepeated(_ name: String, children: Int, _ place: inout Place) {
        var element = SchemaElement()
        element.name = name
        element.repetition = .repeated
        element.childCount = children
        elements.append(element)
        place.names.append(name)
        place.definition += 1
        place.repetition += 1
        place.steps.append(.items(definition: UInt8(place.definition), repetition: UInt8(place.repetition)))
    }

    private mutating func addLeaf(
        _ field: ArrowField,
        _ started: SchemaElement,
        _ place: Place
    ) throws(LanceError) {
        var element = started
        var type = field.type
        // A dictionary is a way to store values; Parquet has its own.
        while case .dictionary(_, let value, _) = type { type = value }
        guard let storage = LeafStorage(type, extensionName: field.metadata["ARROW:extension:name"]) else {
            throw .unsupported("\(field.type) in Parquet")
        }
        if case .fixedLengthByteArray = storage.physicalType, storage.typeLength < 1 {
            throw .unsupported("values of no bytes in Parquet")
        }
        element.physicalType = storage.physicalType
        element.typeLength = storage.typeLength
        element.annotation = storage.annotation
        elements.append(element)
        leaves.append(
            WriteLeaf(
                column: place.column,
                steps: place.steps,
                names: place.names,
                physicalType: storage.physicalType,
                typeLength: storage.typeLength,
                maximumDefinition: place.definition,
                maximumRepetition: place.repetition,
                conversion: storage.conversion,
                order: storage.order
            )
        )
    }
}
