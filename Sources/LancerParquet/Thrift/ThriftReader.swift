import LancerBytes

/// Type of a value in Thrift's compact protocol.
///
/// Spec: Thrift compact protocol, "Struct encoding".
enum ThriftType: UInt8 {
    case stop = 0
    case boolTrue = 1
    case boolFalse = 2
    case byte = 3
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
}

/// Reads Thrift's compact protocol from bytes nobody vouches for.
///
/// Every read is checked against the end, nesting against a limit, and every count against the bytes left (each element
/// of a list takes at least one), so that no allocation exceeds what the bytes can hold.
struct ThriftReader {
    private let buffer: ArrowBuffer
    private(set) var offset: Int
    private let maximumDepth: Int
    private var depth = 0

    init(_ buffer: ArrowBuffer, at offset: Int = 0, maximumDepth: Int = 64) {
        self.buffer = buffer
        self.offset = offset
        self.maximumDepth = maximumDepth
    }

    private var remaining: Int { buffer.count - offset }

    /// One byte.
    mutating func byte() throws(LanceError) -> UInt8 {
        guard offset < buffer.count else { throw short(1) }
        defer { offset += 1 }
        return buffer.start.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// An unsigned number, seven bits a byte, least significant first.
    private mutating func varint() throws(LanceError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            result |= UInt64(next & 0x7F) &<< shift
            if next < 0x80 { return result }
            shift += 7
            if shift > 63 { throw .corrupt("Thrift number of more than 64 bits", offset: UInt64(offset)) }
        }
    }

    private mutating func zigzag() throws(LanceError) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: raw &>> 1) ^ -Int64(bitPattern: raw & 1)
    }

    /// The header of the next field of a structure, nil at its end.
    ///
    /// - Parameter id: The id of the previous field; becomes the one of this field.
    mutating func nextField(_ id: inout Int16) throws(LanceError) -> ThriftType? {
        let header = try byte()
        guard header != 0 else { return nil }
        guard let type = ThriftType(rawValue: header & 0x0F), type != .stop else {
            throw .corrupt("Thrift field of unknown type \(header & 0x0F)", offset: UInt64(offset))
        }
        let delta = header >> 4
        if delta == 0 {
            guard let exact = Int16(exactly: try zigzag()) else { throw .corrupt("Thrift field id out of range") }
            id = exact
        } else {
            let (next, overflow) = id.addingReportingOverflow(Int16(delta))
            if overflow { throw .corrupt("Thrift field id out of range") }
            id = next
        }
        return type
    }

    /// Marks the start of a nested structure; ``leave()`` its end.
    mutating func enter(_ type: ThriftType = .structure) throws(LanceError) {
        guard type == .structure else { throw unexpected(type, "a structure") }
        depth += 1
        guard depth <= maximumDepth else {
            throw .limitExceeded("Thrift structures nested more than \(maximumDepth) deep")
        }
    }

    /// See ``enter(_:)``.
    mutating func leave() { depth -= 1 }

    /// An integer of any width.
    mutating func integer(_ type: ThriftType) throws(LanceError) -> Int64 {
        switch type {
        case .byte: return Int64(Int8(bitPattern: try byte()))
        case .int16, .int32, .int64: return try zigzag()
        default: throw unexpected(type, "an integer")
        }
    }

    /// An integer that must fit 32 bits.
    mutating func int32(_ type: ThriftType) throws(LanceError) -> Int32 {
        let value = try integer(type)
        guard let exact = Int32(exactly: value) else { throw .corrupt("Thrift integer \(value) does not fit 32 bits") }
        return exact
    }

    /// A flag; fields carry it in their type.
    func bool(_ type: ThriftType) throws(LanceError) -> Bool {
        switch type {
        case .boolTrue: return true
        case .boolFalse: return false
        default: throw unexpected(type, "a flag")
        }
    }

    /// Bytes, not copied.
    mutating func binary(_ type: ThriftType) throws(LanceError) -> ArrowBuffer {
        guard type == .binary else { throw unexpected(type, "bytes") }
        let raw = try varint()
        guard let count = Int(exactly: raw), count <= remaining else { throw short(Int(clamping: raw)) }
        defer { offset += count }
        return buffer.slice(offset..<(offset + count))
    }

    /// Text.
    mutating func string(_ type: ThriftType) throws(LanceError) -> String {
        try binary(type).withUnsafeBytes { bytes throws(LanceError) in
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .corrupt("Thrift text is not UTF-8")
            }
            return text
        }
    }

    /// The header of a list: how many elements of which type follow.
    mutating func list(_ type: ThriftType) throws(LanceError) -> (count: Int, element: ThriftType) {
        guard type == .list || type == .set else { throw unexpected(type, "a list") }
        let header = try byte()
        guard let element = ThriftType(rawValue: header & 0x0F), element != .stop || header >> 4 == 0 else {
            throw .corrupt("Thrift list of unknown type \(header & 0x0F)", offset: UInt64(offset))
        }
        let raw = header >> 4 == 15 ? try varint() : UInt64(header >> 4)
        guard let count = Int(exactly: raw), count <= remaining else {
            throw .truncated("Thrift list of \(raw) elements in \(remaining) bytes", offset: UInt64(offset))
        }
        return (count, element)
    }

    /// Passes over a value.
    mutating func skip(_ type: ThriftType) throws(LanceError) {
        switch type {
        case .stop: throw .corrupt("Thrift value without a type")
        case .boolTrue, .boolFalse: break
        case .byte: _ = try byte()
        case .int16, .int32, .int64: _ = try varint()
        case .double:
            guard remaining >= 8 else { throw short(8) }
            offset += 8
        case .binary: _ = try binary(type)
        case .list, .set:
            let (count, element) = try list(type)
            try enter()
            for _ in 0..<count { try skipElement(element) }
            leave()
        case .map:
            let raw = try varint()
            guard raw > 0 else { return }
            guard raw <= UInt64(remaining) else { throw short(Int(clamping: raw)) }
            let types = try byte()
            guard let key = ThriftType(rawValue: types >> 4), let value = ThriftType(rawValue: types & 0x0F) else {
                throw .corrupt("Thrift map of unknown types")
            }
            try enter()
            for _ in 0..<raw {
                try skipElement(key)
                try skipElement(value)
            }
            leave()
        case .structure:
            try enter()
            var id: Int16 = 0
            while let type = try nextField(&id) { try skip(type) }
            leave()
        }
    }

    /// In lists and maps a flag takes a byte of its own.
    private mutating func skipElement(_ type: ThriftType) throws(LanceError) {
        if type == .boolTrue || type == .boolFalse { _ = try byte() } else { try skip(type) }
    }

    @inline(never)
    private func short(_ count: Int) -> LanceError {
        .truncated("Thrift data needs \(count) more bytes, \(remaining) are left", offset: UInt64(offset))
    }

    @inline(never)
    private func unexpected(_ type: ThriftType, _ expected: String) -> LanceError {
        .corrupt("Thrift field is \(type) where \(expected) is expected", offset: UInt64(offset))
    }
}
