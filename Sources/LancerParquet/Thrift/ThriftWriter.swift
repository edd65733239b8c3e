import LancerBytes

/// Writes Thrift's compact protocol.
///
/// Fields must be written in the order of their ids. Spec: Thrift compact protocol, "Struct encoding".
struct ThriftWriter: ~Copyable {
    private var bytes = BufferBuilder()
    private var lastID: Int16 = 0
    private var outerIDs: [Int16] = []

    /// A writer inside of a structure, which ``finish()`` ends.
    init() {}

    /// The bytes, the outermost structure ended.
    consuming func finish() -> ArrowBuffer {
        bytes.append(ThriftType.stop.rawValue)
        return bytes.finish()
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    private mutating func header(_ id: Int16, _ type: ThriftType) {
        let delta = id - lastID
        if (1...15).contains(delta) {
            bytes.append(UInt8(delta) << 4 | type.rawValue)
        } else {
            bytes.append(type.rawValue)
            zigzag(Int64(id))
        }
        lastID = id
    }

    private mutating func text(_ value: String) {
        var copy = value
        copy.withUTF8 { utf8 in
            varint(UInt64(utf8.count))
            bytes.append(UnsafeRawBufferPointer(utf8))
        }
    }

    private mutating func listHeader(_ id: Int16, _ type: ThriftType, _ count: Int) {
        header(id, .list)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | type.rawValue)
        } else {
            bytes.append(0xF0 | type.rawValue)
            varint(UInt64(count))
        }
    }

    mutating func field(_ id: Int16, _ value: Bool) { header(id, value ? .boolTrue : .boolFalse) }

    mutating func field(_ id: Int16, byte: Int8) {
        header(id, .byte)
        bytes.append(byte)
    }

    mutating func field(_ id: Int16, int16 value: Int16) {
        header(id, .int16)
        zigzag(Int64(value))
    }

    mutating func field(_ id: Int16, int32 value: Int32) {
        header(id, .int32)
        zigzag(Int64(value))
    }

    mutating func field(_ id: Int16, int64 value: Int64) {
        header(id, .int64)
        zigzag(value)
    }

    mutating func field(_ id: Int16, _ value: String) {
        header(id, .binary)
        text(value)
    }

    mutating func field(_ id: Int16, bytes value: [UInt8]) {
        header(id, .binary)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func field(_ id: Int16, int32List values: [Int32]) {
        listHeader(id, .int32, values.count)
        for value in values { zigzag(Int64(value)) }
    }

    mutating func field(_ id: Int16, int64List values: [Int64]) {
        listHeader(id, .int64, values.count)
        for value in values { zigzag(value) }
    }

    mutating func field(_ id: Int16, boolList values: [Bool]) {
        listHeader(id, .boolTrue, values.count)
        for value in values { bytes.append(value ? ThriftType.boolTrue.rawValue : ThriftType.boolFalse.rawValue) }
    }

    mutating func field(_ id: Int16, textList values: [String]) {
        listHeader(id, .binary, values.count)
        for value in values { text(value) }
    }

    mutating func field(_ id: Int16, bytesList values: [[UInt8]]) {
        listHeader(id, .binary, values.count)
        for value in values {
            varint(UInt64(value.count))
            bytes.append(contentsOf: value)
        }
    }

    /// A nested structure, written by `body`.
    mutating func structure(_ id: Int16, _ body: (inout ThriftWriter) -> Void) {
        header(id, .structure)
        element(body)
    }

    /// A list of structures, each written by `body`.
    mutating func structures<Element>(
        _ id: Int16,
        _ elements: [Element],
        _ body: (inout ThriftWriter, Element) -> Void
    ) {
        listHeader(id, .structure, elements.count)
        for item in elements { element { writer in body(&writer, item) } }
    }

    private mutating func element(_ body: (inout ThriftWriter) -> Void) {
        outerIDs.append(lastID)
        lastID = 0
        body(&self)
        bytes.append(ThriftType.stop.rawValue)
        lastID = outerIDs.removeLast()
    }
}
