import LancerBytes

/// A table inside a FlatBuffers message that nobody vouches for.
///
/// Layout: at ``start`` a signed 32-bit distance back to the table's vtable, then the fields. The vtable is a list of
/// 16-bit numbers: its own size, the table's size, then for each slot the field's distance from ``start`` (0 = absent,
/// the default applies). References are unsigned 32-bit distances forward from where they stand.
/// Spec: FlatBuffers, "Internals".
package struct FlatTable {
    private let message: ArrowBuffer
    private let start: Int
    private let size: Int
    private let vtable: Int
    private let vtableSize: Int

    /// The root table of a message.
    ///
    /// - Throws: `corrupt` when the table or its vtable do not lie inside the message.
    package init(rootOf message: ArrowBuffer) throws(LanceError) {
        let distance: UInt32 = try message.flatValue(at: 0)
        try self.init(message, at: Int(distance))
    }

    fileprivate init(_ message: ArrowBuffer, at start: Int) throws(LanceError) {
        let back: Int32 = try message.flatValue(at: start)
        let vtable = start - Int(back)
        let vtableSize: UInt16 = try message.flatValue(at: vtable)
        guard vtableSize >= 4, vtableSize & 1 == 0, Int(vtableSize) <= message.count - vtable else {
            throw .corrupt("a FlatBuffers vtable of \(vtableSize) bytes is outside its message", offset: UInt64(vtable))
        }
        let size: UInt16 = try message.flatValue(at: vtable + 2)
        guard size >= 4, Int(size) <= message.count - start else {
            throw .corrupt("a FlatBuffers table of \(size) bytes is outside its message", offset: UInt64(start))
        }
        self.message = message
        self.start = start
        self.size = Int(size)
        self.vtable = vtable
        self.vtableSize = Int(vtableSize)
    }

    /// Where the field of a slot is, or nil when it is absent.
    private func place(_ slot: Int, size fieldSize: Int) throws(LanceError) -> Int? {
        let entry = 4 + 2 * slot
        guard entry + 2 <= vtableSize else { return nil }
        let distance: UInt16 = try message.flatValue(at: vtable + entry)
        if distance == 0 { return nil }
        guard distance >= 4, Int(distance) + fieldSize <= size else {
            throw .corrupt("FlatBuffers field \(slot) is outside its table", offset: UInt64(start))
        }
        return start + Int(distance)
    }

    /// Where the thing referred to by a slot is, or nil when the reference is absent.
    private func target(_ slot: Int) throws(LanceError) -> Int? {
        guard let place = try place(slot, size: 4) else { return nil }
        let distance: UInt32 = try message.flatValue(at: place)
        return place + Int(distance)
    }

    /// The number in a slot, or `absent`.
    package func number<T: FixedWidthInteger & BitwiseCopyable>(_ slot: Int, absent: T) throws(LanceError) -> T {
        guard let place = try place(slot, size: MemoryLayout<T>.size) else { return absent }
        return try message.flatValue(at: place)
    }

    /// The boolean in a slot; false when absent.
    package func flag(_ slot: Int) throws(LanceError) -> Bool { try number(slot, absent: UInt8(0)) != 0 }

    /// The table a slot refers to, or nil.
    package func table(_ slot: Int) throws(LanceError) -> FlatTable? {
        guard let target = try target(slot) else { return nil }
        return try FlatTable(message, at: target)
    }

    /// The text a slot refers to, or nil.
    ///
    /// - Throws: `corrupt` when it is not inside the message or not UTF-8.
    package func text(_ slot: Int) throws(LanceError) -> String? {
        guard let target = try target(slot) else { return nil }
        let count: UInt32 = try message.flatValue(at: target)
        guard Int(count) <= message.count - target - 4 else {
            throw .corrupt("a FlatBuffers string of \(count) bytes is outside its message", offset: UInt64(target))
        }
        let bytes = message.slice((target + 4)..<(target + 4 + Int(count)))
        guard let text = bytes.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else {
            throw .corrupt("a FlatBuffers string is not UTF-8", offset: UInt64(target))
        }
        return text
    }

    /// The vector a slot refers to, or nil; `stride` is the size of its elements in bytes.
    package func vector(_ slot: Int, stride: Int) throws(LanceError) -> FlatVector? {
        guard let target = try target(slot) else { return nil }
        let count: UInt32 = try message.flatValue(at: target)
        guard Int(count) <= (message.count - target - 4) / stride else {
            throw .corrupt("a FlatBuffers vector of \(count) elements is outside its message", offset: UInt64(target))
        }
        return FlatVector(message: message, start: target + 4, count: Int(count), stride: stride)
    }
}

/// A vector inside a FlatBuffers message: numbers, structs or references to tables, back to back.
package struct FlatVector {
    fileprivate let message: ArrowBuffer
    fileprivate let start: Int
    /// Number of elements.
    package let count: Int
    fileprivate let stride: Int

    /// The number `offset` bytes into element `index`; throws `corrupt` beyond the end.
    package func number<T: FixedWidthInteger & BitwiseCopyable>(
        _ index: Int,
        at offset: Int = 0,
        as type: T.Type = T.self
    ) throws(LanceError) -> T {
        guard index >= 0, index < count, offset + MemoryLayout<T>.size <= stride else {
            throw .corrupt("element \(index) of a FlatBuffers vector of \(count) is wanted")
        }
        return try message.flatValue(at: start + index * stride + offset)
    }

    /// The table element `index` refers to.
    package func table(_ index: Int) throws(LanceError) -> FlatTable {
        let distance: UInt32 = try number(index)
        return try FlatTable(message, at: start + index * stride + Int(distance))
    }
}

extension ArrowBuffer {
    /// A little-endian number anywhere in a FlatBuffers message; throws `corrupt` outside of it.
    fileprivate func flatValue<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int) throws(LanceError) -> T {
        guard offset >= 0, offset <= count - MemoryLayout<T>.size else {
            throw .corrupt("a FlatBuffers message of \(count) bytes refers to byte \(offset)")
        }
        return withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }
}
