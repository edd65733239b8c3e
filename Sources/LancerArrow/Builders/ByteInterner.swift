import LancerBytes

/// Gives every distinct run of bytes a number, in order of first appearance.
///
/// Open addressing over power-of-two slots, at most half full; the runs lie back to back in one buffer.
package struct ByteInterner: ~Copyable {
    private var slots: [Int32]
    private var hashes: [UInt64] = []
    private var ends: [Int] = []
    private var bytes = BufferBuilder()

    /// An interner that knows nothing yet.
    package init() { slots = [Int32](repeating: -1, count: 64) }

    /// Number of distinct runs.
    package var count: Int { ends.count }

    /// The number of `key`, or nil when it was never interned.
    package func index(of key: UnsafeRawBufferPointer) -> Int? {
        let slot = slot(of: key, Self.hash(key))
        return slots[slot] >= 0 ? Int(slots[slot]) : nil
    }

    /// The number of `key`; a new one if need be. At most 2^31 - 1 runs can be known.
    package mutating func intern(_ key: UnsafeRawBufferPointer) -> Int {
        let hash = Self.hash(key)
        let slot = slot(of: key, hash)
        if slots[slot] >= 0 { return Int(slots[slot]) }
        let index = ends.count
        slots[slot] = Int32(index)
        hashes.append(hash)
        bytes.append(key)
        ends.append(bytes.count)
        if ends.count * 2 > slots.count { grow() }
        return index
    }

    /// Where `key` is, or the free slot where it belongs.
    private func slot(of key: UnsafeRawBufferPointer, _ hash: UInt64) -> Int {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if hashes[index] == hash, matches(index, key) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func matches(_ index: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        let start = index == 0 ? 0 : ends[index - 1]
        guard ends[index] - start == key.count else { return false }
        return bytes.withUnsafeBytes { all in
            UnsafeRawBufferPointer(rebasing: all[start..<ends[index]]).hasSameBytes(as: key)
        }
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        let mask = slots.count - 1
        for (index, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] >= 0 { slot = (slot + 1) & mask }
            slots[slot] = Int32(index)
        }
    }

    /// Random start of every hash in this process, so that chosen inputs cannot make all keys collide.
    private static let seed = UInt64.random(in: .min ... .max)

    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed ^ UInt64(truncatingIfNeeded: key.count) &* 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while key.count - offset >= 8 {
            state = mix(state, key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < key.count {
            tail = tail << 8 | UInt64(key[offset])
            offset += 1
        }
        return mix(state, tail)
    }

    @inline(__always)
    private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB ^ seed | 1)
        return product.high ^ product.low &+ word
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes.
    package func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var offset = 0
        while count - offset >= 8 {
            let mine = loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard mine == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else { return false }
            offset += 8
        }
        while offset < count {
            guard self[offset] == other[offset] else { return false }
            offset += 1
        }
        return true
    }
}
