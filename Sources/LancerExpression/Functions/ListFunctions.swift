import LancerArrow
import LancerBytes

extension FunctionCatalog {
    static let lists: [([String], FunctionSignature)] = [
        (
            ["array_has", "array_contains", "list_has", "list_contains"],
            membership("array_has(list, value)", { $0 }, contained)
        ),
        (
            ["array_has_any", "list_has_any", "arrays_overlap"],
            membership("array_has_any(list, list)", { .list(ArrowField("item", $0)) }, anyContained)
        ),
        (
            ["array_has_all", "list_has_all"],
            membership("array_has_all(list, list)", { .list(ArrowField("item", $0)) }, everyContained)
        ),
        (
            ["array_length", "list_length", "cardinality"],
            FunctionSignature(
                usage: "array_length(list)",
                canFail: false,
                resolve: { given in
                    guard given.count == 1 else { return nil }
                    if case .map = given[0] { return (given, .uint64) }
                    return given[0].listItem == nil && given[0] != .null ? nil : (given, .uint64)
                },
                body: { arguments throws(LanceError) in
                    let list = ListColumn(arguments[0])
                    return try arguments.rows { row, builder in builder.append(raw: UInt64(list.range(row).count)) }
                }
            )
        ),
        (
            ["empty", "array_empty", "list_empty"],
            FunctionSignature(
                usage: "empty(list)",
                canFail: false,
                resolve: { given in given.count == 1 && given[0].listItem != nil ? (given, .bool) : nil },
                body: { arguments throws(LanceError) in
                    let list = ListColumn(arguments[0])
                    return try arguments.truths { row in list.range(row).isEmpty }
                }
            )
        ),
        (
            ["array_element", "list_element", "array_extract", "list_extract"],
            FunctionSignature(
                usage: "array_element(list, index)",
                canFail: false,
                resolve: { given in
                    guard given.count == 2, let item = given[0].listItem, given[1].isInteger || given[1] == .null else {
                        return nil
                    }
                    return ([given[0], .int64], item.type)
                },
                body: { arguments throws(LanceError) in
                    let list = ListColumn(arguments[0])
                    let numbers = try FixedColumn<Int64>(arguments[1])
                    var places: [Int] = []
                    for row in 0..<arguments.rowCount {
                        if arguments.isNull(row) {
                            places.append(-1)
                            continue
                        }
                        // Counted from 1, from the end when negative.
                        let range = list.range(row)
                        let number = numbers[row]
                        let index = number > 0 ? number - 1 : number < 0 ? Int64(range.count) + number : -1
                        places.append(index >= 0 && index < range.count ? range.lowerBound + Int(index) : -1)
                    }
                    withExtendedLifetime(arguments.operands) {}
                    return try list.items.gather(places)
                }
            )
        ),
        (
            ["array_to_string", "list_to_string", "array_join"],
            FunctionSignature(
                usage: "array_to_string(list, separator)",
                canFail: false,
                resolve: { given in
                    guard given.count == 2, let item = given[0].listItem, given[1].isText,
                        Casting.isPossible(item.type, .utf8)
                    else { return nil }
                    return ([.list(ArrowField("item", .utf8)), given[1]], .utf8)
                },
                body: { arguments throws(LanceError) in
                    let list = ListColumn(arguments[0])
                    let items = Operand(array: list.items)
                    let texts = try ByteColumn(items)
                    let separators = try arguments.texts(1)
                    defer { withExtendedLifetime(items) {} }
                    return try arguments.rows { row, builder throws(LanceError) in
                        let parts = list.range(row).filter { !items.array.isNull($0) }.map {
                            TextOperations.string(texts[$0])
                        }
                        try builder.append(text: parts.joined(separator: TextOperations.string(separators[row])))
                    }
                }
            )
        ),
        (["map_keys"], entries("map_keys(map)", 0)),
        (["map_values"], entries("map_values(map)", 1)),
        (
            ["map_extract", "element_at"],
            FunctionSignature(
                usage: "map_extract(map, key)",
                canFail: false,
                resolve: { given in
                    guard given.count == 2, case .map(let entries, _) = given[0], entries.type.children.count == 2,
                        let key = TypeCoercion.comparison(entries.type.children[0].type, given[1]),
                        key == entries.type.children[0].type || key.isBytes
                    else { return nil }
                    let wanted = given[1].isBytes && key.isBytes ? given[1] : key
                    return ([given[0], wanted], .list(ArrowField("item", entries.type.children[1].type)))
                },
                body: { arguments throws(LanceError) in
                    let map = ListColumn(arguments[0])
                    guard case .structure(let members) = map.items.storage, members.count == 2 else {
                        throw .schemaMismatch("\(arguments[0].type) is no map")
                    }
                    let keys = ListColumn(arguments[0], items: members[0])
                    var places: [Int] = []
                    for row in 0..<arguments.rowCount {
                        places.append(arguments.isNull(row) ? -1 : try keys.position(of: arguments[1], row) ?? -1)
                    }
                    let validity = Bitmap(count: arguments.rowCount) { !arguments[0].isNull($0) }
                    let values = ArrowArray.list(
                        of: try members[1].gather(places),
                        lengths: [Int?](repeating: 1, count: arguments.rowCount)
                    )
                    return values.masked(by: validity)
                }
            )
        ),
    ]

    private static func contained(_ arguments: FunctionArguments) throws(LanceError) -> ArrowArray {
        let found = try ListColumn(arguments[0]).holds(arguments[1], arguments.rowCount)
        return try arguments.truths { row in found[row] }
    }

    private static func anyContained(_ arguments: FunctionArguments) throws(LanceError) -> ArrowArray {
        try quantified(arguments, all: false)
    }

    private static func everyContained(_ arguments: FunctionArguments) throws(LanceError) -> ArrowArray {
        try quantified(arguments, all: true)
    }

    private static func membership(
        _ usage: String,
        _ parameter: @escaping @Sendable (ArrowType) -> ArrowType,
        _ body: @escaping @Sendable (FunctionArguments) throws(LanceError) -> ArrowArray
    ) -> FunctionSignature {
        FunctionSignature(
            usage: usage,
            canFail: true,
            resolve: { given in
                guard given.count == 2, let item = given[0].listItem else { return nil }
                let isList = parameter(.null) != .null
                guard let other = isList ? (given[1].listItem?.type ?? (given[1] == .null ? .null : nil)) : given[1],
                    let type = TypeCoercion.comparison(item.type.plain, other.plain)
                else { return nil }
                // Text in a list of numbers is refused rather than read as numbers.
                if item.type.plain.isText != other.plain.isText, item.type != .null, other != .null,
                    !other.plain.isBytes
                {
                    return nil
                }
                if other.plain.isText, !item.type.plain.isBytes, item.type != .null { return nil }
                let same = item.type.isBytes && other.isBytes
                let list: ArrowType = same || item.type == type ? given[0] : .list(ArrowField("item", type))
                return ([list, same ? given[1] : parameter(type)], .bool)
            },
            body: body
        )
    }

    /// Whether a list holds any or all items of another.
    private static func quantified(_ arguments: FunctionArguments, all: Bool) throws(LanceError) -> ArrowArray {
        let list = ListColumn(arguments[0])
        let wanted = ListColumn(arguments[1])
        let order = try NestedOrder(list.items.type, wanted.items.type)
        let builder = ColumnBuilder(.bool)
        for row in 0..<arguments.rowCount {
            let items = arguments[1].isNull(row) ? nil : wanted.range(row)
            // An empty list asks for nothing, whatever the other is.
            if let items, items.isEmpty {
                try builder.append(bool: all)
                continue
            }
            guard let items, !arguments[0].isNull(row) else {
                builder.appendNull()
                continue
            }
            let range = list.range(row)
            func holds(_ item: Int) -> Bool {
                range.contains { order.compare(list.items, $0, wanted.items, item) == 0 }
            }
            try builder.append(bool: all ? items.allSatisfy(holds) : items.contains(where: holds))
        }
        return builder.finish()
    }

    private static func entries(_ usage: String, _ member: Int) -> FunctionSignature {
        FunctionSignature(
            usage: usage,
            canFail: false,
            resolve: { given in
                guard given.count == 1, case .map(let entries, _) = given[0], entries.type.children.count == 2 else {
                    return nil
                }
                return (given, .list(ArrowField("item", entries.type.children[member].type)))
            },
            body: { arguments throws(LanceError) in
                let array = try arguments.expanded(0)
                guard case .list(let offsets, let child) = array.storage, case .structure(let members) = child.storage
                else {
                    throw .schemaMismatch("\(array.type) is no map")
                }
                let items = members[member]
                let type = ArrowType.list(ArrowField("item", items.type))
                let storage = ArrowArray.Storage.list(offsets: offsets, child: items)
                return ArrowArray(type: type, length: array.length, validity: array.validity, storage: storage)
            }
        )
    }
}

/// The lists (or maps) of an operand.
struct ListColumn {
    private let operand: Operand
    /// The items of all lists.
    let items: ArrowArray

    init(_ operand: Operand) { self.init(operand, items: operand.array.child ?? ArrowArray.empty(.null)) }

    /// - Parameter items: What stands in place of the items.
    init(_ operand: Operand, items: ArrowArray) {
        self.operand = operand
        self.items = items
    }

    /// Where the items of a row are; empty for a null.
    func range(_ row: Int) -> Range<Int> {
        let index = operand.isConstant ? 0 : row
        if operand.array.isNull(index) { return 0..<0 }
        return operand.array.items(at: index)?.1 ?? 0..<0
    }

    /// For each row whether its list holds the row's value; a null item is no value.
    func holds(_ value: Operand, _ rowCount: Int) throws(LanceError) -> [Bool] {
        if value.isConstant {
            let found = try ComparisonKernels.compare(
                .equal,
                Operand(array: items),
                value,
                items.length,
                joinsZeros: false
            ).isTrue
            return (0..<rowCount).map { row in range(row).contains { found[$0 >> 6] >> UInt64($0 & 63) & 1 == 1 } }
        }
        let order = try NestedOrder(items.type, value.type)
        return (0..<rowCount).map { row in
            range(row).contains { !items.isNull($0) && order.compare(items, $0, value.array, row) == 0 }
        }
    }

    /// The first item equal to the row's value.
    func position(of value: Operand, _ row: Int) throws(LanceError) -> Int? {
        let order = try NestedOrder(items.type, value.type)
        return range(row).first { order.compare(items, $0, value.array, value.isConstant ? 0 : row) == 0 }
    }
}
