import Synchronization

/// Memory of large buffers, kept for the next one of about the same size.
///
/// A scan frees as much as it allocates. Without the pool each batch would be given back to the system and come in
/// again page by page, zeroed: that cost more than decoding (two thirds of a scan's time was spent in the kernel).
package enum BufferPool {
    /// Smaller buffers are left to the allocator.
    private static let smallest = 128 << 10
    /// Up to this size buffers are aligned by hand: an aligned allocation costs ten plain ones, which was a tenth of the
    /// time of a take of one row.
    private static let alignedByHand = 16 << 10
    /// Larger buffers are given back at once.
    private static let largest = 32 << 20
    /// Most memory kept, in bytes, unless somebody wants less.
    private static let usualLimit = 128 << 20

    private struct State {
        var free: [Int: [UnsafeMutableRawPointer]] = [:]
        var bytes = 0
        var limit = BufferPool.usualLimit
        /// Limits of those who want less.
        var wishes: [Int] = []

        /// Takes out what is over the limit.
        mutating func trim() -> [UnsafeMutableRawPointer] {
            limit = Swift.min(BufferPool.usualLimit, wishes.min() ?? .max)
            var surplus: [UnsafeMutableRawPointer] = []
            for (size, pointers) in free.sorted(by: { $0.key > $1.key }) where bytes > limit {
                let count = Swift.min(pointers.count, (bytes - limit + size - 1) / size)
                surplus += pointers.suffix(count)
                free[size]?.removeLast(count)
                bytes -= count * size
            }
            return surplus
        }
    }

    /// Keeps at most so many bytes until ``raise(from:)``: for work that is to stay within little memory.
    package static func lower(to limit: Int) {
        let surplus = pool.withLock { box -> [Int] in
            box.state.wishes.append(limit)
            return box.state.trim().map { Int(bitPattern: $0) }
        }
        for address in surplus { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }

    /// Ends what ``lower(to:)`` began.
    package static func raise(from limit: Int) {
        pool.withLock { box in
            if let place = box.state.wishes.firstIndex(of: limit) { box.state.wishes.remove(at: place) }
            box.state.limit = Swift.min(usualLimit, box.state.wishes.min() ?? .max)
        }
    }

    // Safe to share: pointers in the pool belong to nobody, and the state is behind the lock.
    private struct Box: @unchecked Sendable {
        var state = State()
    }

    private static let pool = Mutex(Box())

    /// Memory of at least `capacity` bytes and its real size.
    static func take(_ capacity: Int) -> (UnsafeMutableRawPointer, Int) {
        if capacity <= alignedByHand { return (allocateSmall(capacity), capacity) }
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
        if size <= alignedByHand {
            // Where the allocation begins; see `allocateSmall`.
            return pointer.load(fromByteOffset: -8, as: UnsafeMutableRawPointer.self).deallocate()
        }
        guard size >= smallest, size <= largest, sizeClass(size) == size else { return pointer.deallocate() }
        let address = Int(bitPattern: pointer)
        let isKept = pool.withLock { box -> Bool in
            guard box.state.bytes + size <= box.state.limit, let pointer = UnsafeMutableRawPointer(bitPattern: address)
            else {
                return false
            }
            box.state.bytes += size
            box.state.free[size, default: []].append(pointer)
            return true
        }
        if !isKept { pointer.deallocate() }
    }

    /// Aligned memory inside of a plain allocation, whose address is kept in front of it.
    private static func allocateSmall(_ capacity: Int) -> UnsafeMutableRawPointer {
        let alignment = BufferStorage.alignment
        // The allocator's own alignment, 16 bytes, leaves at least as many in front.
        let start = UnsafeMutableRawPointer.allocate(byteCount: capacity + alignment, alignment: 16)
        let gap = alignment - Int(bitPattern: start) % alignment
        (start + gap).storeBytes(of: start, toByteOffset: -8, as: UnsafeMutableRawPointer.self)
        return start + gap
    }

    /// Sizes in steps of an eighth of a power of two: at most an eighth is wasted.
    private static func sizeClass(_ capacity: Int) -> Int {
        let step = Swift.max(1 << (Int.bitWidth - 1 - (capacity - 1).leadingZeroBitCount - 3), BufferStorage.alignment)
        return capacity.rounded(upTo: step)
    }
}
