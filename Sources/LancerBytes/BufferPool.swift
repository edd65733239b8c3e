import Synchronization

/// Memory of large buffers, kept for the next one of about the same size.
///
/// A scan frees as much as it allocates. Without the pool each batch would be given back to the system and come in
/// again page by page, zeroed: that cost more than decoding (two thirds of a scan's time was spent in the kernel).
enum BufferPool {
    /// Smaller buffers are left to the allocator.
    private static let smallest = 128 << 10
    /// Larger buffers are given back at once.
    private static let largest = 32 << 20
    /// Most memory kept, in bytes.
    private static let limit = 128 << 20

    private struct State {
        var free: [Int: [UnsafeMutableRawPointer]] = [:]
        var bytes = 0
    }

    // Safe to share: pointers in the pool belong to nobody, and the state is behind the lock.
    private struct Box: @unchecked Sendable {
        var state = State()
    }

    private static let pool = Mutex(Box())

    /// Memory of at least `capacity` bytes and its real size.
    static func take(_ capacity: Int) -> (UnsafeMutableRawPointer, Int) {
        guard capacity >= smallest, capacity <= largest else {
            let rounded = Swift.max(capacity, 1).rounded(upTo: BufferStorage.alignment)
            return (.allocate(byteCount: rounded, alignment: BufferStorage.alignment), capacity)
        }
        let size = sizeClass(capacity)
        let kept = pool.withLock { box -> Int? in
            guard let pointer = box.state.free[size]?.popLast() else { return nil }
            box.state.bytes -= size
            return Int(bitPattern: pointer)
        }
        if let kept, let pointer = UnsafeMutableRawPointer(bitPattern: kept) { return (pointer, size) }
        return (.allocate(byteCount: size, alignment: BufferStorage.alignment), size)
    }

    /// Takes memory back that came from ``take(_:)``.
    static func giveBack(_ pointer: UnsafeMutableRawPointer, _ size: Int) {
        guard size >= smallest, size <= largest, sizeClass(size) == size else { return pointer.deallocate() }
        let address = Int(bitPattern: pointer)
        let isKept = pool.withLock { box -> Bool in
            guard box.state.bytes + size <= limit, let pointer = UnsafeMutableRawPointer(bitPattern: address) else {
                return false
            }
            box.state.bytes += size
            box.state.free[size, default: []].append(pointer)
            return true
        }
        if !isKept { pointer.deallocate() }
    }

    /// Sizes in steps of an eighth of a power of two: at most an eighth is wasted.
    private static func sizeClass(_ capacity: Int) -> Int {
        let step = Swift.max(1 << (Int.bitWidth - 1 - (capacity - 1).leadingZeroBitCount - 3), BufferStorage.alignment)
        return capacity.rounded(upTo: step)
    }
}
