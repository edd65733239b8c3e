import LancerKernels

/// A vector's number and its distance in one integer that orders as (distance, number): NaN last.
@usableFromInline
typealias GraphKey = UInt64

extension GraphKey {
    @inline(__always)
    init(distance: Float, node: UInt32) {
        let bits = distance.bitPattern
        // IEEE 754 numbers order like integers once negative ones are inverted and positive ones get the top bit.
        var ordered = bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
        if distance != distance { ordered = .max }
        if distance == 0 { ordered = 0x8000_0000 }
        self = UInt64(ordered) << 32 | UInt64(node)
    }

    @inline(__always)
    var node: UInt32 { UInt32(truncatingIfNeeded: self) }

    @inline(__always)
    var distance: Float {
        let ordered = UInt32(truncatingIfNeeded: self >> 32)
        return Float(bitPattern: ordered >> 31 == 1 ? ordered & 0x7FFF_FFFF : ~ordered)
    }
}

/// Memory of one search at a time; one per thread, reused.
package final class GraphScratch {
    /// A bit per vector that was met, cleared behind each search.
    private var visited: ScratchMemory<UInt64>
    private var touched: [UInt32] = []
    /// Vectors whose neighbours are to be looked at, nearest first.
    var open = KeyHeap(isMinimumFirst: true)
    /// The nearest vectors so far, farthest first.
    var best = KeyHeap(isMinimumFirst: false)
    private(set) var ids: ScratchMemory<UInt32>
    private(set) var distances: ScratchMemory<Float>
    private(set) var query: ScratchMemory<UInt64>
    private(set) var other: ScratchMemory<UInt64>

    /// Room for graphs of up to `nodes` vectors, neighbour lists of up to `neighbors`, and queries of `queryByteCount`; it grows
    /// when more is needed.
    package init(nodes: Int = 0, neighbors: Int = 64, queryByteCount: Int = 0) {
        visited = ScratchMemory(count: (nodes + 63) / 64, repeating: 0)
        ids = ScratchMemory(count: neighbors, repeating: 0)
        distances = ScratchMemory(count: neighbors, repeating: 0)
        query = ScratchMemory(count: (queryByteCount + 7) / 8, repeating: 0)
        other = ScratchMemory(count: (queryByteCount + 7) / 8, repeating: 0)
    }

    func reserve(nodes: Int, neighbors: Int, queryByteCount: Int) {
        if visited.count * 64 < nodes { visited = ScratchMemory(count: (nodes + 63) / 64, repeating: 0) }
        if ids.count < neighbors {
            ids = ScratchMemory(count: neighbors, repeating: 0)
            distances = ScratchMemory(count: neighbors, repeating: 0)
        }
        if query.count * 8 < queryByteCount {
            query = ScratchMemory(count: (queryByteCount + 7) / 8, repeating: 0)
            other = ScratchMemory(count: (queryByteCount + 7) / 8, repeating: 0)
        }
    }

    /// Marks a vector as met; false if it was before.
    @inline(__always)
    func visit(_ node: UInt32) -> Bool {
        let word = visited.pointer + Int(node >> 6)
        let bit = UInt64(1) << UInt64(node & 63)
        if word.pointee & bit != 0 { return false }
        word.pointee |= bit
        touched.append(node)
        return true
    }

    func clear() {
        for node in touched { visited.pointer[Int(node >> 6)] = 0 }
        touched.removeAll(keepingCapacity: true)
        open.removeAll()
        best.removeAll()
    }
}

/// A binary heap of keys.
struct KeyHeap {
    private var keys: [GraphKey] = []
    /// Keys are inverted in a heap that gives the greatest first.
    private let flip: GraphKey

    init(isMinimumFirst: Bool) { flip = isMinimumFirst ? 0 : .max }

    var count: Int { keys.count }
    var first: GraphKey? { keys.first.map { $0 ^ flip } }
    var all: [GraphKey] { keys.map { $0 ^ flip } }

    mutating func removeAll() { keys.removeAll(keepingCapacity: true) }

    mutating func push(_ key: GraphKey) {
        let key = key ^ flip
        keys.append(key)
        keys.withUnsafeMutableBufferPointer { keys in
            var child = keys.count - 1
            while child > 0 {
                let parent = (child - 1) >> 1
                if keys[parent] <= key { break }
                keys[child] = keys[parent]
                child = parent
            }
            keys[child] = key
        }
    }

    mutating func pop() -> GraphKey? {
        guard let last = keys.popLast() else { return nil }
        guard let top = keys.first else { return last ^ flip }
        sink(last)
        return top ^ flip
    }

    /// Takes the first key away and puts in another.
    mutating func replaceFirst(_ key: GraphKey) { sink(key ^ flip) }

    private mutating func sink(_ key: GraphKey) {
        keys.withUnsafeMutableBufferPointer { keys in
            var parent = 0
            while true {
                var child = 2 * parent + 1
                if child >= keys.count { break }
                if child + 1 < keys.count, keys[child + 1] < keys[child] { child += 1 }
                if keys[child] >= key { break }
                keys[parent] = keys[child]
                parent = child
            }
            keys[parent] = key
        }
    }
}
