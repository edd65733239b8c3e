import CArrowData
import LancerBytes

extension ArrowCData {
    /// Takes a field over; the structure is released in any case.
    ///
    /// - Throws: `unsupported` for a type Lancer does not have, `corrupt` for a structure that makes no sense.
    public static func importField(from source: UnsafeMutablePointer<CArrowSchema>) throws(LanceError) -> ArrowField {
        defer { source.pointee.release?(source) }
        return try field(source.pointee, depth: 0)
    }

    /// Takes a schema over (a structure of columns); the structure is released in any case.
    ///
    /// - Throws: `unsupported` for a type Lancer does not have, `corrupt` for a structure that makes no sense.
    public static func importSchema(from source: UnsafeMutablePointer<CArrowSchema>) throws(LanceError) -> ArrowSchema {
        let field = try importField(from: source)
        guard case .structure(let columns) = field.type else {
            throw .schemaMismatch("the schema of a table must be a structure, not \(field.type)")
        }
        return ArrowSchema(columns, metadata: field.metadata)
    }

    private static func field(_ source: CArrowSchema, depth: Int) throws(LanceError) -> ArrowField {
        let limits = DecodeLimits.standard
        guard source.release != nil else { throw .invalidArgument("an Arrow C schema that is released already") }
        guard depth <= limits.schemaDepth else {
            throw .limitExceeded("types are nested more than \(limits.schemaDepth) deep")
        }
        let format = try text(source.format, "format")
        guard source.n_children >= 0, source.n_children <= limits.fieldCount else {
            throw .corrupt("an Arrow C schema with \(source.n_children) children")
        }
        var children: [ArrowField] = []
        for index in 0..<Int(source.n_children) {
            guard let child = source.children?[index] else {
                throw .corrupt("an Arrow C schema without child \(index)")
            }
            children.append(try field(child.pointee, depth: depth + 1))
        }
        let keysSorted = source.flags & Int64(ARROW_FLAG_MAP_KEYS_SORTED) != 0
        var type = try FormatString.type(of: format, children: children, keysSorted: keysSorted)
        if let dictionary = source.dictionary {
            guard type.isInteger else { throw .corrupt("a dictionary's index type is \(type)") }
            let value = try field(dictionary.pointee, depth: depth + 1).type
            type = .dictionary(
                index: type,
                value: value,
                ordered: source.flags & Int64(ARROW_FLAG_DICTIONARY_ORDERED) != 0
            )
        }
        return ArrowField(
            source.name == nil ? "" : try text(source.name, "name"),
            type,
            nullable: source.flags & Int64(ARROW_FLAG_NULLABLE) != 0,
            metadata: try decode(metadata: source.metadata)
        )
    }

    private static func text(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(LanceError) -> String {
        guard let pointer, let text = String(validatingCString: pointer) else {
            throw .corrupt("the \(what) of an Arrow C schema is missing or not UTF-8")
        }
        return text
    }

    private static func decode(metadata: UnsafePointer<CChar>?) throws(LanceError) -> [String: String] {
        guard let metadata else { return [:] }
        let bytes = UnsafeRawPointer(metadata)
        var offset = 0
        // The interface gives no size to check against; lengths must at least make sense.
        func number() throws(LanceError) -> Int {
            let value = bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)
            guard value >= 0 else { throw .corrupt("metadata of an Arrow C schema with a length of \(value)") }
            offset += 4
            return Int(value)
        }
        func string() throws(LanceError) -> String {
            let count = try number()
            defer { offset += count }
            return String(decoding: UnsafeRawBufferPointer(start: bytes + offset, count: count), as: UTF8.self)
        }
        var result: [String: String] = [:]
        for _ in 0..<(try number()) {
            let key = try string()
            result[key] = try string()
        }
        return result
    }
}
