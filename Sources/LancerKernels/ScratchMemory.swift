import CLancerKernels

/// Memory of a fixed number of plain values, aligned to a cache line and freed with its owner.
///
/// Safe to hand between threads as long as no two of them use the same values at once: its users see to that.
package final class ScratchMemory<Value: BitwiseCopyable>: @unchecked Sendable {
    /// The values.
    package let pointer: UnsafeMutablePointer<Value>
    /// How many there are.
    package let count: Int

    /// Room for `count` values, all `value`.
    package init(count: Int, repeating value: Value) {
        precondition(count >= 0, "a count is not negative")
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(count, 1) * MemoryLayout<Value>.stride,
            alignment: 64
        )
        pointer = raw.bindMemory(to: Value.self, capacity: max(count, 1))
        self.count = count
        guard count > 0 else { return }
        // By copies of twice as much each time: filled value by value, it would go through a table of functions.
        pointer.initialize(to: value)
        let stride = MemoryLayout<Value>.stride
        var filled = 1
        while filled < count {
            let more = min(filled, count - filled)
            (raw + filled * stride).copyMemory(from: raw, byteCount: more * stride)
            filled += more
        }
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }

    /// The values as a buffer.
    package var buffer: UnsafeMutableBufferPointer<Value> { UnsafeMutableBufferPointer(start: pointer, count: count) }
}

/// What the processor may do ahead.
package enum MemoryHint {
    /// Some bytes will be read soon. Nothing happens where there is no memory.
    package static func willRead(_ bytes: UnsafeRawPointer, byteCount: Int) { lk_prefetch_bytes(bytes, byteCount) }
}
