import CArrowData
import LancerBytes

extension ArrowCData {
    /// Fills `target` with a field; the receiver calls its `release`.
    public static func export(_ field: ArrowField, to target: UnsafeMutablePointer<CArrowSchema>) {
        let exported = ExportedSchema(field)
        var flags: Int64 = field.nullable ? Int64(ARROW_FLAG_NULLABLE) : 0
        switch field.type {
        case .map(_, keysSorted: true): flags |= Int64(ARROW_FLAG_MAP_KEYS_SORTED)
        case .dictionary(_, _, ordered: true): flags |= Int64(ARROW_FLAG_DICTIONARY_ORDERED)
        default: break
        }
        target.initialize(
            to: CArrowSchema(
                format: exported.format.pointer,
                name: exported.name.pointer,
                metadata: exported.metadata?.pointer,
                flags: flags,
                n_children: Int64(exported.children.count),
                children: exported.children.pointers,
                dictionary: exported.dictionary.pointers?.pointee,
                release: { schema in
                    guard let schema, let owner = schema.pointee.private_data else { return }
                    schema.pointee.release = nil
                    schema.pointee.private_data = nil
                    Unmanaged<ExportedSchema>.fromOpaque(owner).release()
                },
                private_data: Unmanaged.passRetained(exported).toOpaque()
            )
        )
    }

    /// Fills `target` with a schema, as a structure of its columns.
    public static func export(_ schema: ArrowSchema, to target: UnsafeMutablePointer<CArrowSchema>) {
        export(ArrowField("", .structure(schema.fields), nullable: false, metadata: schema.metadata), to: target)
    }
}

/// The memory behind an exported schema.
private final class ExportedSchema {
    let format: CText
    let name: CText
    let metadata: CText?
    let children: ReleasableList<CArrowSchema>
    let dictionary: ReleasableList<CArrowSchema>

    init(_ field: ArrowField) {
        format = CText(FormatString.format(of: field.type))
        name = CText(field.name)
        metadata = field.metadata.isEmpty ? nil : CText(bytes: ArrowCData.encode(metadata: field.metadata))
        let fields = field.type.children
        children = ReleasableList(count: fields.count)
        for (index, child) in fields.enumerated() { ArrowCData.export(child, to: children[index]) }
        if case .dictionary(_, let value, _) = field.type {
            dictionary = ReleasableList(count: 1)
            ArrowCData.export(ArrowField("", value), to: dictionary[0])
        } else {
            dictionary = ReleasableList(count: 0)
        }
    }
}

/// Bytes at a fixed address, with a zero behind them.
final class CText {
    let pointer: UnsafePointer<CChar>
    private let memory: UnsafeMutablePointer<CChar>

    init(bytes: [UInt8]) {
        memory = .allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { memory[index] = CChar(bitPattern: byte) }
        memory[bytes.count] = 0
        pointer = UnsafePointer(memory)
    }

    convenience init(_ text: String) { self.init(bytes: Array(text.utf8)) }

    deinit { memory.deallocate() }
}

/// A structure of the C data interface that is released by a callback of its own.
protocol CReleasable {
    /// Calls the callback, unless the structure was released or moved before.
    static func releaseIfHeld(_ item: UnsafeMutablePointer<Self>)
}

extension CArrowSchema: CReleasable {
    static func releaseIfHeld(_ item: UnsafeMutablePointer<CArrowSchema>) { item.pointee.release?(item) }
}

extension CArrowArray: CReleasable {
    static func releaseIfHeld(_ item: UnsafeMutablePointer<CArrowArray>) { item.pointee.release?(item) }
}

/// Structures at fixed addresses and a list of pointers to them; releases those that nobody has moved out.
final class ReleasableList<Item: CReleasable> {
    let count: Int
    /// The list of pointers; nil when it is empty.
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<Item>?>?
    private let items: UnsafeMutablePointer<Item>

    /// Room for `count` structures, all of which must be filled before the list goes away.
    init(count: Int) {
        self.count = count
        items = .allocate(capacity: count)
        if count == 0 {
            pointers = nil
        } else {
            let list = UnsafeMutablePointer<UnsafeMutablePointer<Item>?>.allocate(capacity: count)
            for index in 0..<count { (list + index).initialize(to: items + index) }
            pointers = list
        }
    }

    subscript(index: Int) -> UnsafeMutablePointer<Item> { items + index }

    deinit {
        for index in 0..<count { Item.releaseIfHeld(items + index) }
        items.deallocate()
        pointers?.deallocate()
    }
}

extension ArrowCData {
    /// Spec: C data interface, `ArrowSchema.metadata`: a 32-bit count, then for each pair the length and bytes of the key
    /// and of the value, all in the machine's byte order.
    static func encode(metadata: [String: String]) -> [UInt8] {
        var encoded = BufferBuilder()
        encoded.append(Int32(metadata.count))
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            for text in [key, value] {
                encoded.append(Int32(text.utf8.count))
                encoded.append(contentsOf: Array(text.utf8))
            }
        }
        return encoded.finish().bytes
    }
}
