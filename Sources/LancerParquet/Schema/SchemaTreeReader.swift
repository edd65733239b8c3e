import LancerArrow
import LancerBytes

/// Makes the tree of ``ColumnNode`` out of the flattened schema.
///
/// Spec: Parquet, LogicalTypes, "Lists" and "Maps" with their backward-compatibility rules.
struct SchemaTreeReader {
    private let elements: [SchemaElement]
    private let limits: DecodeLimits
    private var next = 1
    private var leafCount = 0

    /// - Parameter hint: The Arrow schema that the writer stored beside, if any; decides between types that are stored
    ///   alike.
    /// - Returns: A node for every column of the table, and how many leaves there are.
    static func read(
        _ elements: [SchemaElement],
        hint: ArrowSchema?,
        limits: DecodeLimits
    ) throws(LanceError) -> (columns: [ColumnNode], leafCount: Int) {
        guard let root = elements.first else { throw .corrupt("Parquet schema without a root") }
        var reader = SchemaTreeReader(elements: elements, limits: limits)
        var columns: [ColumnNode] = []
        let count = root.childCount ?? 0
        guard count >= 0 else { throw .corrupt("Parquet schema with \(count) columns") }
        let hints = hint.flatMap { $0.fields.count == count ? $0.fields : nil }
        for index in 0..<count {
            let place = Place(path: "", definition: 0, repetition: 0, depth: 1)
            columns.append(try reader.field(place, hint: reader.hint(hints, index)))
        }
        guard reader.next == elements.count else {
            throw .corrupt("Parquet schema has \(elements.count - reader.next) elements that belong to no column")
        }
        return (columns, reader.leafCount)
    }

    private init(elements: [SchemaElement], limits: DecodeLimits) {
        self.elements = elements
        self.limits = limits
    }

    /// What is known of a field's ancestors.
    private struct Place {
        var path: String
        var definition: Int
        var repetition: Int
        var depth: Int

        func child(of element: SchemaElement) -> Place {
            // Long names above many children must not be repeated for each of them.
            let isShort = path.utf8.count + element.name.utf8.count < 1024
            let name = path.isEmpty || !isShort ? element.name : "\(path).\(element.name)"
            return Place(path: name, definition: definition, repetition: repetition, depth: depth + 1)
        }
    }

    private mutating func take() throws(LanceError) -> SchemaElement {
        guard next < elements.count else { throw .corrupt("Parquet schema ends before its last column") }
        defer { next += 1 }
        return elements[next]
    }

    /// The hint for the next element, unless it is of another name: some programs change columns and keep the metadata.
    private func hint(_ hints: [ArrowField]?, _ index: Int) -> ArrowField? {
        guard let hints, hints.indices.contains(index), next < elements.count else { return nil }
        return hints[index].name == elements[next].name ? hints[index] : nil
    }

    private func check(_ place: Place) throws(LanceError) {
        // A list takes two levels.
        let deepest = limits.schemaDepth * 2
        guard place.depth <= deepest else {
            throw .limitExceeded("Parquet schema nested more than \(deepest) levels deep")
        }
    }

    /// Reads the next field with all below it.
    private mutating func field(_ parent: Place, hint: ArrowField?) throws(LanceError) -> ColumnNode {
        try check(parent)
        let element = try take()
        var place = parent.child(of: element)
        guard let repetition = element.repetition else {
            throw .corrupt("Parquet column \"\(place.path)\" has no repetition")
        }
        switch repetition {
        case .required: return try value(element, place, nullable: false, hint: hint)
        case .optional:
            place.definition += 1
            return try value(element, place, nullable: true, hint: hint)
        case .repeated:
            // Repeated without a list around it: a list that is never null, of values that are never null.
            let definition = place.definition
            place.definition += 1
            place.repetition += 1
            let itemHint = hint.flatMap { $0.type.children.count == 1 ? $0.type.children[0] : nil }
            let item = try value(element, place, nullable: false, hint: itemHint)
            return list(
                of: element,
                nullable: false,
                place: place,
                definition: definition,
                item: item,
                hint: hint
            )
        }
    }

    /// The value of a field, its own repetition being accounted for in `place`.
    private mutating func value(
        _ element: SchemaElement,
        _ place: Place,
        nullable: Bool,
        hint: ArrowField?
    ) throws(LanceError) -> ColumnNode {
        guard let count = element.childCount, count > 0 else {
            guard let physical = element.physicalType else {
                throw .unsupported("Parquet column \"\(place.path)\" is a group without columns")
            }
            return try leaf(element, physical, place, nullable: nullable, hint: hint)
        }
        if element.annotation == .list, count == 1, next < elements.count, elements[next].repetition == .repeated {
            return try annotatedList(element, place, nullable: nullable, hint: hint)
        }
        if element.annotation == .map, count == 1, next < elements.count, elements[next].repetition == .repeated,
            elements[next].childCount == 2
        {
            return try annotatedMap(element, place, nullable: nullable, hint: hint)
        }
        return try group(element, count, place, nullable: nullable, hint: hint)
    }

    /// What the writer said beside, and the id that the schema gives.
    private func metadata(of element: SchemaElement, _ hint: ArrowField?) -> [String: String] {
        var result = hint?.metadata ?? [:]
        if let id = element.fieldID, id >= 0 { result[ArrowSchemaHint.fieldIDKey] = "\(id)" }
        return result
    }

    private mutating func leaf(
        _ element: SchemaElement,
        _ physical: PhysicalType,
        _ place: Place,
        nullable: Bool,
        hint: ArrowField?
    ) throws(LanceError) -> ColumnNode {
        let type: ArrowType
        do throws(LanceError) {
            type = try LeafType.arrowType(element, physical, hint: hint?.type)
        } catch {
            throw error.located(part: "column \"\(place.path)\"")
        }
        let leaf = LeafColumn(
            index: leafCount,
            path: place.path,
            physicalType: physical,
            typeLength: element.typeLength,
            annotation: element.annotation,
            maximumDefinition: place.definition,
            maximumRepetition: place.repetition,
            type: type
        )
        leafCount += 1
        let field = ArrowField(
            element.name,
            type,
            nullable: nullable || type == .null,
            metadata: metadata(of: element, hint)
        )
        return .leaf(field, leaf)
    }

    private mutating func group(
        _ element: SchemaElement,
        _ count: Int,
        _ place: Place,
        nullable: Bool,
        hint: ArrowField?
    ) throws(LanceError) -> ColumnNode {
        var hints: [ArrowField]?
        if case .structure(let fields)? = hint?.type, fields.count == count { hints = fields }
        var children: [ColumnNode] = []
        for index in 0..<count { children.append(try field(place, hint: self.hint(hints, index))) }
        let field = ArrowField(
            element.name,
            .structure(children.map(\.field)),
            nullable: nullable,
            metadata: metadata(of: element, hint)
        )
        return .structure(field, definition: place.definition, children: children)
    }

    /// The repeated field below an annotated list or map, the definition level of the list around it, and the place of
    /// what is repeated.
    private mutating func takeRepeated(
        in outer: Place
    ) throws(LanceError) -> (field: SchemaElement, definition: Int, place: Place) {
        let repeated = try take()
        var place = outer.child(of: repeated)
        try check(place)
        let definition = place.definition
        place.definition += 1
        place.repetition += 1
        return (repeated, definition, place)
    }

    private mutating func annotatedList(
        _ element: SchemaElement,
        _ outer: Place,
        nullable: Bool,
        hint: ArrowField?
    ) throws(LanceError) -> ColumnNode {
        let (repeated, definition, place) = try takeRepeated(in: outer)
        let itemHint = hint.flatMap { $0.type.children.count == 1 ? $0.type.children[0] : nil }
        let item: ColumnNode
        if isItem(repeated, of: element) {
            item = try value(repeated, place, nullable: false, hint: itemHint)
        } else {
            item = try field(place, hint: itemHint)
        }
        return list(
            of: element,
            nullable: nullable,
            place: place,
            definition: definition,
            item: item,
            hint: hint
        )
    }

    /// Whether the repeated field is the item itself (the old form of two levels) and not a group around it.
    private func isItem(_ repeated: SchemaElement, of list: SchemaElement) -> Bool {
        guard let count = repeated.childCount, count > 0 else { return true }
        if count > 1 || repeated.annotation == .list || repeated.annotation == .map { return true }
        if next < elements.count, elements[next].repetition == .repeated { return true }
        return repeated.name == "array" || repeated.name == "\(list.name)_tuple"
    }

    private func list(
        of element: SchemaElement,
        nullable: Bool,
        place: Place,
        definition: Int,
        item: ColumnNode,
        hint: ArrowField?
    ) -> ColumnNode {
        var itemField = item.field
        var type = ArrowType.list(itemField)
        switch hint?.type {
        case .list(let child): itemField.name = child.name
        case .largeList(let child): itemField.name = child.name
        case .fixedSizeList(let child, _): itemField.name = child.name
        default: break
        }
        switch hint?.type {
        case .largeList: type = .largeList(itemField)
        case .fixedSizeList(_, let size): type = .fixedSizeList(itemField, size)
        default: type = .list(itemField)
        }
        return .list(
            ArrowField(element.name, type, nullable: nullable, metadata: metadata(of: element, hint)),
            definition: definition,
            itemDefinition: place.definition,
            repetition: place.repetition,
            item: item
        )
    }

    private mutating func annotatedMap(
        _ element: SchemaElement,
        _ outer: Place,
        nullable: Bool,
        hint: ArrowField?
    ) throws(LanceError) -> ColumnNode {
        let (_, definition, place) = try takeRepeated(in: outer)
        var entriesHint: ArrowField?
        var isSorted = false
        if case .map(let entries, let sorted)? = hint?.type, entries.type.children.count == 2 {
            entriesHint = entries
            isSorted = sorted
        }
        let key = try field(place, hint: entriesHint?.type.children[0])
        let item = try field(place, hint: entriesHint?.type.children[1])
        // Some writers say that keys may be null; Arrow's maps cannot.
        var keyField = key.field
        keyField.nullable = false
        var itemField = item.field
        if let entriesHint {
            keyField.name = entriesHint.type.children[0].name
            itemField.name = entriesHint.type.children[1].name
        }
        let entries = ArrowField(
            entriesHint?.name ?? "entries",
            .structure([keyField, itemField]),
            nullable: false,
            metadata: entriesHint?.metadata ?? [:]
        )
        return .list(
            ArrowField(
                element.name,
                .map(entries, keysSorted: isSorted),
                nullable: nullable,
                metadata: metadata(of: element, hint)
            ),
            definition: definition,
            itemDefinition: place.definition,
            repetition: place.repetition,
            item: .structure(entries, definition: place.definition, children: [key, item])
        )
    }
}
