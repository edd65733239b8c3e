import LancerBytes

/// Offsets of variable-width values, 32 or 64 bits wide, little-endian, at any alignment.
///
/// The width is a property and not a type parameter: loops over strings are then compiled once, and well.
struct VariableOffsets {
    // Safe: reads stay below `count` offsets, which the initialiser found to be there.
    private let base: UnsafeRawPointer
    private let isWide: Bool
    /// Number of values, one less than there are offsets.
    let valueCount: Int

    /// - Throws: `truncated` when there are fewer than `valueCount + 1` offsets.
    init<Offset: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer,
        of type: Offset.Type,
        valueCount: Int
    ) throws(LanceError) {
        precondition(Offset.bitWidth == 32 || Offset.bitWidth == 64, "offsets have 32 or 64 bits")
        guard valueCount >= 0, let base = bytes.baseAddress, bytes.count / MemoryLayout<Offset>.size > valueCount else {
            throw .truncated("\(valueCount) values need one more offset than that, there are \(bytes.count) bytes")
        }
        self.base = base
        self.isWide = Offset.bitWidth == 64
        self.valueCount = valueCount
    }

    /// The offset at `index` as it stands there; a negative one of 32 bits comes out as a large number.
    @inline(__always)
    subscript(index: Int) -> Int {
        isWide
            ? Int(Int64(littleEndian: base.loadUnaligned(fromByteOffset: index &* 8, as: Int64.self)))
            : Int(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)))
    }

    /// Checks that the offsets start at 0 or later, never fall, and end inside `dataCount` bytes.
    ///
    /// - Throws: `corrupt` if not.
    func validate(dataCount: Int, _ what: @autoclosure () -> String) throws(LanceError) {
        var previous = self[0]
        var areRising = previous >= 0
        for index in 0..<valueCount {
            let next = self[index &+ 1]
            areRising = (next >= previous) && areRising
            previous = next
        }
        guard areRising, previous <= dataCount else {
            throw .corrupt("offsets of \(what()) fall, or leave the \(dataCount) bytes of data")
        }
    }
}

/// Writes ends of variable-width values, 32 or 64 bits wide.
struct VariableEnds {
    let size: Int
    let maximum: Int

    init<Offset: FixedWidthInteger>(of type: Offset.Type) {
        precondition(Offset.bitWidth == 32 || Offset.bitWidth == 64, "offsets have 32 or 64 bits")
        size = Offset.bitWidth / 8
        maximum = Int(clamping: Offset.max)
    }

    @inline(__always)
    func store(_ value: Int, at index: Int, in room: UnsafeMutableRawBufferPointer) {
        if size == 8 {
            room.storeBytes(of: Int64(value).littleEndian, toByteOffset: index &* 8, as: Int64.self)
        } else {
            let word = UInt32(truncatingIfNeeded: value).littleEndian
            room.storeBytes(of: word, toByteOffset: index &* 4, as: UInt32.self)
        }
    }

    /// The end stored at `index`.
    @inline(__always)
    func load(at index: Int, in room: UnsafeMutableRawBufferPointer) -> Int {
        size == 8
            ? Int(Int64(littleEndian: room.loadUnaligned(fromByteOffset: index &* 8, as: Int64.self)))
            : Int(UInt32(littleEndian: room.loadUnaligned(fromByteOffset: index &* 4, as: UInt32.self)))
    }
}
