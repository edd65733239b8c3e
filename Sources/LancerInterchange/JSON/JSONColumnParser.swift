import LancerArrow
import LancerBytes

/// Reads JSON values into columns whose types are known.
///
/// - Objects fill structs (by key, in any order) and maps (in order); arrays fill lists, and maps as `{key, value}`
///   objects. A key that is missing is null. A key that comes twice, or that the struct does not have, is an error,
///   unless ``skipsOtherKeys``.
/// - Numbers fill every numeric type as text would, strings every type but bool (`"NaN"`, `"12.50"`, base64, dates).
struct JSONColumnParser {
    /// Whether keys that a struct does not have are left out.
    var skipsOtherKeys = false

    /// Appends the next value of the scanner to `column`.
    @inline(__always)
    func parse(
        _ scanner: inout JSONScanner,
        into column: TextColumn,
        nullable: Bool,
        depth: Int
    ) throws(JSONFault) {
        switch try scanner.peek() {
        case .null:
            try scanner.null()
            try appendNull(column, nullable: nullable)
        case .bool:
            let value = try scanner.bool()
            guard try caught({ () throws(LanceError) in try column.append(bool: value) }) else {
                throw mismatch("a boolean", column)
            }
        case .number:
            let token = try scanner.number()
            if column.isText { throw mismatch("the number \(token.string)", column) }
            guard try caught({ () throws(LanceError) in try column.append(token.start, token.count) }) else {
                throw JSONFault("\(token.string) is no value of \(column.type)")
            }
        case .string:
            let token = try scanner.string()
            guard try caught({ () throws(LanceError) in try column.append(token.start, token.count, ascii: true) }),
                column.form.takesStrings
            else { throw JSONFault("the string \(token.bytes.quotedForMessage) is no value of \(column.type)") }
        case .array: try array(&scanner, into: column, depth: depth)
        case .object: try object(&scanner, into: column, depth: depth)
        }
    }

    private func appendNull(_ column: TextColumn, nullable: Bool) throws(JSONFault) {
        guard nullable else { throw JSONFault("null, but the schema says not null") }
        column.builder.appendNull()
    }

    /// Ends a nested value.
    private func end(_ column: TextColumn) throws(JSONFault) {
        _ = try caught { () throws(LanceError) in
            try column.builder.endValue()
            return true
        }
    }

    // MARK: Arrays

    private func array(
        _ scanner: inout JSONScanner,
        into column: TextColumn,
        depth: Int
    ) throws(JSONFault) {
        try JSONScanner.check(depth: depth)
        let item: TextColumn
        let nullable: Bool
        var expected: Int?
        switch column.form {
        case .list: (item, nullable) = (column.children[0], column.fields[0].nullable)
        case .fixedList(let size): (item, nullable, expected) = (column.children[0], column.fields[0].nullable, size)
        case .map: return try mapEntries(&scanner, into: column, depth: depth)
        default: throw mismatch("an array", column)
        }
        var count = 0
        if scanner.open(0x5D) {
            repeat {
                if let expected, count == expected {
                    throw JSONFault("more than the \(expected) items of \(column.type)")
                }
                do throws(JSONFault) {
                    try parse(&scanner, into: item, nullable: nullable, depth: depth + 1)
                } catch { throw error.under(index: count) }
                count += 1
            } while try scanner.hasMore(0x5D)
        }
        if let expected, count < expected { throw JSONFault("\(count) items, \(column.type) has \(expected)") }
        try end(column)
    }

    /// A map written as `[{"key": …, "value": …}, …]`.
    private func mapEntries(
        _ scanner: inout JSONScanner,
        into column: TextColumn,
        depth: Int
    ) throws(JSONFault) {
        var count = 0
        if scanner.open(0x5D) {
            repeat {
                do throws(JSONFault) {
                    guard try scanner.peek() == .object else {
                        throw JSONFault("a map's entry is {\"key\": …, \"value\": …}")
                    }
                    try structure(&scanner, into: column.children[0], depth: depth + 1)
                } catch { throw error.under(index: count) }
                count += 1
            } while try scanner.hasMore(0x5D)
        }
        try end(column)
    }

    // MARK: Objects

    private func object(
        _ scanner: inout JSONScanner,
        into column: TextColumn,
        depth: Int
    ) throws(JSONFault) {
        switch column.form {
        case .structure: try structure(&scanner, into: column, depth: depth)
        case .map: try map(&scanner, into: column, depth: depth)
        default: throw mismatch("an object", column)
        }
    }

    /// An object's members into the struct's children.
    func structure(
        _ scanner: inout JSONScanner,
        into column: TextColumn,
        depth: Int
    ) throws(JSONFault) {
        try JSONScanner.check(depth: depth)
        let length = column.builder.length
        // Keys mostly come in the order of the fields.
        var next = 0
        if scanner.open(0x7D) {
            repeat {
                let key = try scanner.key()
                guard let index = column.place(of: key.bytes, near: next) else {
                    let name = key.string
                    guard skipsOtherKeys else { throw JSONFault("the schema has no such key").under(name) }
                    do throws(JSONFault) {
                        try scanner.skipValue(depth: depth + 1)
                    } catch { throw error.under(name) }
                    continue
                }
                next = index + 1
                let child = column.children[index]
                guard child.builder.length == length else {
                    throw JSONFault("the key comes twice in one object").under(column.fields[index].name)
                }
                do throws(JSONFault) {
                    try parse(&scanner, into: child, nullable: column.fields[index].nullable, depth: depth + 1)
                } catch { throw error.under(column.fields[index].name) }
            } while try scanner.hasMore(0x7D)
        }
        for (index, child) in column.children.enumerated() where child.builder.length == length {
            do throws(JSONFault) {
                guard column.fields[index].nullable else { throw JSONFault("missing, but the schema says not null") }
                child.builder.appendNull()
            } catch { throw error.under(column.fields[index].name) }
        }
        try end(column)
    }

    /// An object whose keys are the keys of a map; repeated keys are entries of their own.
    private func map(
        _ scanner: inout JSONScanner,
        into column: TextColumn,
        depth: Int
    ) throws(JSONFault) {
        try JSONScanner.check(depth: depth)
        let entries = column.children[0]
        let (keys, values) = (entries.children[0], entries.children[1])
        if scanner.open(0x7D) {
            repeat {
                let key = try scanner.key()
                let name = key.string
                guard try caught({ () throws(LanceError) in try keys.append(key.start, key.count, ascii: true) }) else {
                    throw JSONFault("the key \(key.bytes.quotedForMessage) is no value of \(keys.type)")
                }
                do throws(JSONFault) {
                    try parse(&scanner, into: values, nullable: entries.fields[1].nullable, depth: depth + 1)
                } catch { throw error.under(name) }
                try end(entries)
            } while try scanner.hasMore(0x7D)
        }
        try end(column)
    }

    // MARK: Faults

    private func mismatch(_ what: String, _ column: TextColumn) -> JSONFault {
        JSONFault("\(what) where the schema says \(column.type)")
    }

    @inline(__always)
    private func caught(_ body: () throws(LanceError) -> Bool) throws(JSONFault) -> Bool {
        do throws(LanceError) { return try body() } catch { throw JSONFault(error.message) }
    }
}

extension TextColumn.Form {
    /// Whether a JSON string can stand for a value.
    fileprivate var takesStrings: Bool { if case .bool = self { false } else { true } }
}
