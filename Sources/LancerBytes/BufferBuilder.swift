/// Growing 64-byte aligned memory that becomes an ``ArrowBuffer`` without a copy.
public struct BufferBuilder: ~Copyable {
    private var storage: BufferStorage
    /// Number of bytes written so far.
    public private(set) var count = 0

    /// An empty builder with room for `capacity` bytes.
    public init(capacity: Int = 0) { storage = BufferStorage(capacity: capacity) }

    /// Makes room for `extra` more bytes.
    @inline(__always)
    public mutating func reserve(_ extra: Int) {
        if storage.capacity - count < extra { grow(extra) }
    }

    @inline(never)
    private mutating func grow(_ extra: Int) {
        let larger = BufferStorage(capacity: Swift.max(count + extra, storage.capacity * 2, 64))
        larger.base.copyMemory(from: storage.base, byteCount: count)
        storage = larger
    }

    /// Appends one fixed-width value in the machine's (little-endian) order.
    @inline(__always)
    public mutating func append<T: BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        (storage.base + count).storeBytes(of: value, as: T.self)
        count += MemoryLayout<T>.size
    }

    /// Appends bytes.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (storage.base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// Appends the bytes of another buffer.
    public mutating func append(contentsOf buffer: ArrowBuffer) { buffer.withUnsafeBytes { append($0) } }

    /// Appends bytes.
    public mutating func append(contentsOf bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    /// Appends `byte` `repeated` times.
    public mutating func append(_ byte: UInt8, repeated: Int) {
        reserve(repeated)
        (storage.base + count).initializeMemory(as: UInt8.self, repeating: byte, count: repeated)
        count += repeated
    }

    /// Appends `byte` until the count is a multiple of `alignment`.
    public mutating func pad(to alignment: Int, with byte: UInt8 = 0) {
        append(byte, repeated: count.rounded(upTo: alignment) - count)
    }

    /// Appends `size` uninitialised bytes and lets `fill` write them; `fill` returns how many it kept.
    public mutating func append<E: Error>(
        upTo size: Int,
        _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) {
        reserve(size)
        let kept = try fill(UnsafeMutableRawBufferPointer(start: storage.base + count, count: size))
        precondition(kept >= 0 && kept <= size)
        count += kept
    }

    /// Forgets the bytes from `count` on; `count` must not be above the present one.
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count = count
    }

    /// Overwrites a value written before.
    public mutating func overwrite<T: BitwiseCopyable>(_ value: T, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count)
        (storage.base + offset).storeBytes(of: value, as: T.self)
    }

    /// Calls `body` with the bytes written so far.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: storage.base, count: count))
    }

    /// Calls `body` with the bytes written so far, to be changed in place.
    public mutating func withUnsafeMutableBytes<R, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeMutableRawBufferPointer(start: storage.base, count: count))
    }

    /// The bytes written, as an immutable buffer; the builder is used up.
    public consuming func finish() -> ArrowBuffer { ArrowBuffer(storage: storage, offset: 0, count: count) }
}
