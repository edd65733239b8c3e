/// Owned memory behind one or more ``ArrowBuffer`` values; freed with the last of them.
///
/// Written only by the code that allocates it, before any `ArrowBuffer` over it is shared.
public final class BufferStorage: @unchecked Sendable {
    // Safe to share: mutated only while uniquely held by the allocating function, read-only afterwards.
    @usableFromInline package let base: UnsafeMutableRawPointer
    @usableFromInline package let capacity: Int
    private let release: (() -> Void)?

    /// Bytes every allocation is aligned to (the Arrow recommendation, and a cache line).
    @usableFromInline package static let alignment = 64

    /// Uninitialised memory of at least `capacity` bytes, 64-byte aligned.
    @usableFromInline package init(capacity: Int) {
        precondition(capacity >= 0)
        (base, self.capacity) = BufferPool.take(capacity)
        self.release = nil
    }

    /// Memory owned by somebody else; `release` is called once, when the last buffer over it is gone.
    package init(foreign base: UnsafeMutableRawPointer, capacity: Int, release: @escaping () -> Void) {
        self.base = base
        self.capacity = capacity
        self.release = release
    }

    deinit {
        if let release { release() } else { BufferPool.giveBack(base, capacity) }
    }
}

/// An immutable run of bytes: a slice of shared, usually 64-byte aligned memory. Copying and slicing are free.
public struct ArrowBuffer: @unchecked Sendable {
    // Safe to share: the bytes never change after the buffer is made, and `storage` keeps them alive.
    @usableFromInline package let storage: BufferStorage
    @usableFromInline package let start: UnsafeRawPointer
    /// Number of bytes.
    public let count: Int

    @inlinable
    package init(storage: BufferStorage, offset: Int, count: Int) {
        precondition(offset >= 0 && count >= 0 && offset <= storage.capacity && count <= storage.capacity - offset)
        self.storage = storage
        self.start = UnsafeRawPointer(storage.base) + offset
        self.count = count
    }

    private static let emptyStorage = BufferStorage(capacity: 0)

    /// A buffer of no bytes.
    public static var empty: ArrowBuffer { ArrowBuffer(storage: emptyStorage, offset: 0, count: 0) }

    /// A copy of `bytes`.
    public init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    /// A copy of the values' memory.
    public init<T: BitwiseCopyable>(_ values: [T]) {
        self = values.withUnsafeBytes { ArrowBuffer(copying: $0) }
    }

    /// `count` zero bytes.
    public init(zeroed count: Int) {
        self.init(count: count) { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
    }

    /// Allocates `count` bytes and lets `fill` write them all.
    @inlinable
    public init<E: Error>(count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
        let storage = BufferStorage(capacity: count)
        try fill(UnsafeMutableRawBufferPointer(start: storage.base, count: count))
        self.init(storage: storage, offset: 0, count: count)
    }

    /// Calls `body` with the bytes; the pointer must not leave the closure.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Calls `body` with the bytes seen as values of `T` (a trailing part of a value is left out).
    ///
    /// The bytes must be aligned for `T`; see ``aligned(to:)``.
    @inlinable
    public func withValues<T: BitwiseCopyable, R, E: Error>(
        of type: T.Type,
        _ body: (UnsafeBufferPointer<T>) throws(E) -> R
    ) throws(E) -> R {
        precondition(Int(bitPattern: start) % MemoryLayout<T>.alignment == 0, "misaligned buffer")
        defer { withExtendedLifetime(storage) {} }
        let pointer = start.assumingMemoryBound(to: T.self)
        return try body(UnsafeBufferPointer(start: pointer, count: count / MemoryLayout<T>.stride))
    }

    /// The buffer itself if it starts at a multiple of `alignment`, else an aligned copy.
    public func aligned(to alignment: Int) -> ArrowBuffer {
        Int(bitPattern: start) % alignment == 0 ? self : withUnsafeBytes { ArrowBuffer(copying: $0) }
    }

    /// A part of the bytes, without a copy. `range` must lie inside.
    @inlinable
    public func slice(_ range: Range<Int>) -> ArrowBuffer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice outside the buffer")
        let offset = start - UnsafeRawPointer(storage.base)
        return ArrowBuffer(storage: storage, offset: offset + range.lowerBound, count: range.count)
    }

    /// A part of bytes that come from outside; throws `truncated` when the range is not inside.
    @inlinable
    package func checkedSlice(
        offset: Int,
        count length: Int,
        _ what: @autoclosure () -> String
    ) throws(LanceError)
        -> ArrowBuffer
    {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else {
            throw .truncated("\(what()) needs bytes \(offset)..<\(offset &+ length), only \(count) are there")
        }
        return slice(offset..<(offset + length))
    }

    /// The bytes as an array.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}
