import LancerBytes

/// Goes through the entries of rows of a full-zip page: `[control word][value, if the entry is visible]`.
/// Spec: 04-full-zip.md, "Entries".
struct EntryWalk {
    /// The highest definition level of an entry that has a value.
    let maxVisible: UInt16
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private let controlBytes: Int
    private let lengthBytes: Int
    private let definitionBits: UInt32
    private let maxDefinition: UInt32
    private let maxRepetition: UInt32
    private var position = 0

    var isAtEnd: Bool { position >= bytes.count }

    init(_ layout: FullZipLayout) {
        controlBytes = layout.controlWordBytes
        definitionBits = UInt32(layout.definitionBits)
        maxDefinition = UInt32(layout.layers.maxDefinition)
        maxRepetition = UInt32(layout.layers.maxRepetition)
        maxVisible = UInt16(layout.layers.maxVisibleDefinition)
        if case .variable(let bits) = layout.width { lengthBytes = bits / 8 } else { lengthBytes = 0 }
    }

    /// Goes on with other entries.
    mutating func start(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        position = 0
    }

    /// The levels of the next entry, from its control word.
    ///
    /// - Throws: `corrupt` at the end of the entries and for levels that the page does not have.
    @inline(__always)
    mutating func nextLevels() throws(LanceError) -> (repetition: UInt16, definition: UInt16) {
        guard bytes.count - position >= Swift.max(controlBytes, 1), let base = bytes.baseAddress else {
            throw Self.cut(position)
        }
        let word: UInt32
        switch controlBytes {
        case 0: return (0, 0)
        case 1: word = UInt32(base.load(fromByteOffset: position, as: UInt8.self))
        case 2: word = UInt32(UInt16(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt16.self)))
        default: word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
        }
        position += controlBytes
        let definition = word & (UInt32(1) &<< definitionBits &- 1)
        let repetition = word &>> definitionBits
        guard definition <= maxDefinition, repetition <= maxRepetition else {
            throw .corrupt("a control word with levels \(repetition), \(definition)")
        }
        return (UInt16(truncatingIfNeeded: repetition), UInt16(truncatingIfNeeded: definition))
    }

    /// The bytes of the entry's value of variable width: `length | bytes`.
    ///
    /// - Throws: `corrupt` when they go beyond the entries.
    @inline(__always)
    mutating func nextValue() throws(LanceError) -> UnsafeRawBufferPointer {
        guard bytes.count - position >= lengthBytes, let base = bytes.baseAddress else {
            throw Self.cut(position)
        }
        let length =
            lengthBytes == 4
            ? UInt64(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
            : UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        position += lengthBytes
        guard length <= UInt64(bytes.count - position) else { throw Self.cut(position) }
        defer { position += Int(length) }
        return UnsafeRawBufferPointer(start: base + position, count: Int(length))
    }

    /// The `size` bytes of the entry's value of fixed width.
    ///
    /// - Throws: `corrupt` when they go beyond the entries.
    @inline(__always)
    mutating func nextValue(of size: Int) throws(LanceError) -> UnsafeRawBufferPointer {
        guard bytes.count - position >= size, let base = bytes.baseAddress else { throw Self.cut(position) }
        defer { position += size }
        return UnsafeRawBufferPointer(start: base + position, count: size)
    }

    @inline(never)
    private static func cut(_ position: Int) -> LanceError {
        .corrupt("an entry of a full-zip page ends outside its row", offset: UInt64(position))
    }
}
