import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex

/// A column of vectors: a fixed-size list of floats.
package struct VectorColumn: Sendable {
    /// The column's name as it was given, dots between the parts.
    package let name: String
    /// Id of the field with the vectors.
    package let fieldID: Int32
    /// Numbers in a vector, at least 1.
    package let dimension: Int
    package let element: VectorElementType
    let projection: Projection
    /// Bytes of a vector.
    var byteCount: Int { dimension * element.byteCount }

    /// Finds a column that can be searched.
    ///
    /// - Throws: `notFound` for a column that does not exist, `invalidArgument` for one that holds no vectors,
    ///   `unsupported` for vectors of bytes.
    package init(_ name: String, of schema: LanceSchema) throws(LanceError) {
        let path = try Projection.resolve(name, schema)
        guard let field = path.last else { throw LanceError(.notFound, "there is no column \"\(name)\"") }
        guard case .fixedSizeList(let item, let size) = field.type, size > 0 else {
            throw .invalidArgument("column \"\(name)\" is \(field.type); vectors are fixed-size lists of floats")
        }
        switch item.type {
        case .float16: element = .float16
        case .float32: element = .float32
        case .float64: element = .float64
        case .uint8: throw .unsupported("vectors of bytes (hamming distance), those of column \"\(name)\"")
        default:
            throw .invalidArgument("column \"\(name)\" is \(field.type); vectors are fixed-size lists of floats")
        }
        self.name = name
        fieldID = field.id
        dimension = size
        projection = try Projection([path], names: [name])
    }

    /// The column that a field id means.
    ///
    /// - Throws: `notFound` for an unknown id, and what ``init(_:of:)`` throws.
    package init(fieldID: Int32, of schema: LanceSchema) throws(LanceError) {
        func path(_ fields: [LanceField]) -> [String]? {
            for field in fields {
                if field.id == fieldID { return [field.name] }
                if let rest = path(field.children) { return [field.name] + rest }
            }
            return nil
        }
        guard let names = path(schema.fields) else {
            throw LanceError(.notFound, "there is no field \(fieldID)")
        }
        try self.init(names.joined(separator: "."), of: schema)
    }

    /// The vectors of an array of the column.
    ///
    /// - Throws: `corrupt` when the array is not what the type says.
    func values(_ array: ArrowArray) throws(LanceError) -> VectorValues {
        guard case .fixedSizeList(let child) = array.storage, case .fixedWidth(let buffer) = child.storage,
            child.length >= array.length * dimension, buffer.count >= array.length * dimension * element.byteCount
        else { throw .corrupt("column \"\(name)\" was read as \(array.type)") }
        var valid = array.validity
        if let items = child.validity, items.slice(0..<(array.length * dimension)).setCount < array.length * dimension {
            // A vector without one of its numbers is none.
            var builder = BitmapBuilder(capacity: array.length)
            for row in 0..<array.length {
                let numbers = items.slice((row * dimension)..<((row + 1) * dimension))
                builder.append(!array.isNull(row) && numbers.setCount == dimension)
            }
            valid = builder.finish()
        }
        if let bitmap = valid, bitmap.setCount == bitmap.count { valid = nil }
        return VectorValues(buffer: buffer, count: array.length, valid: valid)
    }
}

/// Vectors back to back, some of which may be null.
struct VectorValues: Sendable {
    let buffer: ArrowBuffer
    /// Number of vectors.
    let count: Int
    /// 1 = there is a vector; nil when all are there.
    let valid: Bitmap?
}
