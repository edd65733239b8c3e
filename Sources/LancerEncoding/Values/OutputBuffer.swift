import LancerBytes

/// Growable memory that a decoder writes values into and that becomes a buffer of an Arrow array without a copy.
package final class OutputBuffer {
    private var storage: BufferStorage
    /// Bytes written.
    package private(set) var count = 0
    /// A buffer handed over whole instead of being copied, as long as nothing else was appended.
    private var adopted: ArrowBuffer?

    private static let noStorage = BufferStorage(capacity: 0)

    package init(capacity: Int = 0) { storage = capacity == 0 ? Self.noStorage : BufferStorage(capacity: capacity) }

    /// Makes room for `extra` more bytes.
    @inline(__always)
    package func reserve(_ extra: Int) {
        if adopted != nil || storage.capacity - count < extra { grow(extra) }
    }

    @inline(never)
    private func grow(_ extra: Int) {
        let needed = count + extra
        let larger = BufferStorage(capacity: Swift.max(needed, 2 * storage.capacity, 64))
        if let adopted {
            adopted.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { larger.base.copyMemory(from: base, byteCount: bytes.count) }
            }
            self.adopted = nil
        } else {
            larger.base.copyMemory(from: storage.base, byteCount: count)
        }
        storage = larger
    }

    /// Where the first byte written is, until more is written.
    var start: UnsafeRawPointer { UnsafeRawPointer(adopted?.start ?? UnsafeRawPointer(storage.base)) }

    /// Starts again, with the memory there is. Not after ``finish()``, whose buffer shares it.
    func removeAll() {
        count = 0
        adopted = nil
    }

    /// Room for `size` bytes at the end, to be written by the caller, all of it.
    @inline(__always)
    package func extend(by size: Int) -> UnsafeMutableRawPointer {
        reserve(size)
        let target = storage.base + count
        count += size
        return target
    }

    /// Room for `size` bytes at the end, of which the caller keeps some by ``advance(by:)``.
    @inline(__always)
    package func room(_ size: Int) -> UnsafeMutableRawPointer {
        reserve(size)
        return storage.base + count
    }

    /// All the room there is at the end, at least `size` bytes, of which the caller keeps some by ``advance(by:)``.
    package func allRoom(_ size: Int) -> UnsafeMutableRawBufferPointer {
        reserve(size)
        return UnsafeMutableRawBufferPointer(start: storage.base + count, count: storage.capacity - count)
    }

    /// Counts bytes written into ``room(_:)``.
    @inline(__always)
    package func advance(by size: Int) { count += size }

    /// Appends a copy of `size` bytes.
    @inline(__always)
    package func append(_ source: UnsafeRawPointer, _ size: Int) {
        extend(by: size).copyMemory(from: source, byteCount: size)
    }

    /// Appends zero bytes.
    package func appendZeros(_ size: Int) {
        extend(by: size).initializeMemory(as: UInt8.self, repeating: 0, count: size)
    }

    /// Appends one value.
    @inline(__always)
    package func append<T: BitwiseCopyable>(value: T) {
        extend(by: MemoryLayout<T>.size).storeBytes(of: value, as: T.self)
    }

    /// Appends a buffer; takes it over without a copy when it is the first thing appended.
    package func append(_ buffer: ArrowBuffer) {
        if count == 0, adopted == nil, buffer.count >= 4096 {
            adopted = buffer
            count = buffer.count
        } else {
            buffer.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { append(base, bytes.count) }
            }
        }
    }

    /// What was written; the object must not be written to afterwards.
    package func finish() -> ArrowBuffer { adopted ?? ArrowBuffer(storage: storage, offset: 0, count: count) }
}

/// Growable bits, least significant first.
package final class BitOutput {
    private let bytes: OutputBuffer
    /// Bits written.
    package private(set) var count = 0
    /// Bits of the last, unfinished byte, low first.
    private var partial: UInt8 = 0

    package init(capacity: Int = 0) { bytes = OutputBuffer(capacity: (capacity + 7) / 8) }

    /// Appends one bit.
    @inline(__always)
    package func append(_ bit: Bool) {
        if bit { partial |= 1 << UInt8(count & 7) }
        count += 1
        if count & 7 == 0 {
            bytes.append(value: partial)
            partial = 0
        }
    }

    /// Appends `length` equal bits.
    package func append(repeating bit: Bool, count length: Int) {
        var left = length
        while left > 0, count & 7 != 0 {
            append(bit)
            left -= 1
        }
        let whole = left / 8
        if whole > 0 {
            bytes.extend(by: whole).initializeMemory(as: UInt8.self, repeating: bit ? 0xFF : 0, count: whole)
            count += whole * 8
            left -= whole * 8
        }
        for _ in 0..<left { append(bit) }
    }

    /// Appends bits `range` of a bitmap; the caller has checked that they are there.
    package func append(_ source: UnsafeRawPointer, _ range: Range<Int>) {
        var bit = range.lowerBound
        let end = range.upperBound
        while bit < end, count & 7 != 0 {
            append(source.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1 == 1)
            bit += 1
        }
        let whole = (end - bit) / 8
        if whole > 0 {
            let target = bytes.extend(by: whole)
            let first = source + (bit >> 3)
            let shift = UInt8(bit & 7)
            if shift == 0 {
                target.copyMemory(from: first, byteCount: whole)
            } else {
                // Bit `bit + whole * 8 - 1` exists, so byte `index + 1` does too.
                for index in 0..<whole {
                    let low = first.load(fromByteOffset: index, as: UInt8.self) >> shift
                    let high = first.load(fromByteOffset: index + 1, as: UInt8.self) << (8 - shift)
                    target.storeBytes(of: low | high, toByteOffset: index, as: UInt8.self)
                }
            }
            count += whole * 8
            bit += whole * 8
        }
        while bit < end {
            append(source.load(fromByteOffset: bit >> 3, as: UInt8.self) >> UInt8(bit & 7) & 1 == 1)
            bit += 1
        }
    }

    /// The bits; the object must not be written to afterwards.
    package func finish() -> ArrowBuffer {
        if count & 7 != 0 { bytes.append(value: partial) }
        return bytes.finish()
    }
}

extension OutputBuffer {
    /// Calls `body` with the values written so far, to be changed in place.
    package func withMutableValues<T: BitwiseCopyable>(of type: T.Type, _ body: (UnsafeMutableBufferPointer<T>) -> Void)
    {
        // An adopted buffer is shared and must be copied before it is written to.
        reserve(1)
        let base = room(1) - count
        body(
            UnsafeMutableBufferPointer(start: base.assumingMemoryBound(to: T.self), count: count / MemoryLayout<T>.size)
        )
    }
}

extension OutputBuffer {
    /// Appends a copy of a buffer.
    package func append(contentsOf buffer: ArrowBuffer) {
        buffer.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { append(base, bytes.count) }
        }
    }
}
