import LancerBytes

extension ArrowArray {
    /// An array of no values.
    public static func empty(_ type: ArrowType) -> ArrowArray { filler(type, length: 0, nullable: false) }

    /// An array of nothing but nulls, of any type.
    public static func nulls(type: ArrowType, length: Int) -> ArrowArray {
        filler(type, length: length, nullable: true)
    }

    /// `length` nulls, or when `nullable` is false as many zeros, empty texts and lists.
    static func filler(_ type: ArrowType, length: Int, nullable: Bool) -> ArrowArray {
        func child(_ field: ArrowField, _ length: Int) -> ArrowArray {
            filler(field.type, length: length, nullable: field.nullable)
        }
        let storage: Storage
        switch type {
        case .null: return ArrowArray(type: type, length: length, storage: .null)
        case .bool: storage = .boolean(Bitmap(repeating: false, count: length))
        case .utf8, .binary: storage = .variableWidth(offsets: ArrowBuffer(zeroed: (length + 1) * 4), data: .empty)
        case .largeUtf8, .largeBinary:
            storage = .variableWidth(offsets: ArrowBuffer(zeroed: (length + 1) * 8), data: .empty)
        case .list(let item), .map(let item, _):
            storage = .list(offsets: ArrowBuffer(zeroed: (length + 1) * 4), child: child(item, 0))
        case .largeList(let item):
            storage = .list(offsets: ArrowBuffer(zeroed: (length + 1) * 8), child: child(item, 0))
        case .fixedSizeList(let item, let size): storage = .fixedSizeList(child: child(item, length * size))
        case .structure(let fields): storage = .structure(fields.map { child($0, length) })
        case .dictionary(let index, let value, _):
            // Index 0 must exist where the slots are not null.
            let values = filler(value, length: nullable || length == 0 ? 0 : 1, nullable: false)
            storage = .dictionary(indices: ArrowBuffer(zeroed: length * (index.byteWidth ?? 0)), values: values)
        default: storage = .fixedWidth(ArrowBuffer(zeroed: length * (type.byteWidth ?? 0)))
        }
        let validity = nullable && length > 0 ? Bitmap(repeating: false, count: length) : nil
        return ArrowArray(type: type, length: length, validity: validity, storage: storage)
    }

    /// The error for an array whose storage is not the one its type calls for.
    var storageMismatch: LanceError { .corrupt("the storage of an array does not fit its type \(type)") }
}
