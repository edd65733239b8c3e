import LancerKernels

/// The neighbour lists of one level.
protocol Adjacency {
    func neighbors(_ node: UInt32) -> UnsafeBufferPointer<UInt32>
    /// A vector's list will probably be read soon.
    func willRead(_ node: UInt32)
}

extension Adjacency {
    func willRead(_ node: UInt32) {}
}

/// Best-first search in one level (Malkov, Yashunin 2016, algorithm 2).
enum GraphSearch {
    /// Walks to ever nearer neighbours until there is none: the search with one result on the upper levels.
    static func descend<Level: Adjacency, Space: VectorSpace>(
        _ level: Level,
        _ space: Space,
        query: UnsafeRawPointer,
        from start: GraphKey,
        _ scratch: GraphScratch
    ) -> GraphKey {
        var best = start
        while true {
            let list = level.neighbors(best.node)
            guard let ids = list.baseAddress, list.count > 0 else { return best }
            space.distances(from: query, to: ids, count: list.count, into: scratch.distances.pointer)
            var next = best
            for i in 0..<list.count {
                next = min(next, GraphKey(distance: scratch.distances.pointer[i], node: ids[i]))
            }
            if next == best { return best }
            best = next
        }
    }

    /// Leaves the `ef` nearest vectors found (that the filter allows) in `scratch.best`. Call `scratch.clear()` when they were taken.
    static func nearest<Level: Adjacency, Space: VectorSpace>(
        _ level: Level,
        _ space: Space,
        query: UnsafeRawPointer,
        from starts: [GraphKey],
        ef: Int,
        filter: NodeFilter?,
        _ scratch: GraphScratch
    ) {
        let allowed = filter?.rows
        for key in starts where scratch.visit(key.node) {
            scratch.open.push(key)
            keep(key, ef, allowed, scratch)
        }
        let ids = scratch.ids.pointer
        let distances = scratch.distances.pointer
        while let key = scratch.open.pop() {
            if scratch.best.count >= ef, let worst = scratch.best.first, key > worst { break }
            // Unless one of these neighbours is nearer it comes next.
            if let next = scratch.open.first { level.willRead(next.node) }
            var fresh = 0
            for node in level.neighbors(key.node) where scratch.visit(node) {
                ids[fresh] = node
                fresh += 1
            }
            space.distances(from: query, to: ids, count: fresh, into: distances)
            for i in 0..<fresh {
                let key = GraphKey(distance: distances[i], node: ids[i])
                if scratch.best.count >= ef, let worst = scratch.best.first, key > worst { continue }
                scratch.open.push(key)
                keep(key, ef, allowed, scratch)
            }
        }
        withExtendedLifetime(filter) {}
    }

    @inline(__always)
    private static func keep(_ key: GraphKey, _ ef: Int, _ allowed: NodeFilter.Rows?, _ scratch: GraphScratch) {
        if let allowed, !allowed.allows(key.node, key.distance) { return }
        if scratch.best.count < ef {
            scratch.best.push(key)
        } else if let worst = scratch.best.first, key < worst {
            scratch.best.replaceFirst(key)
        }
    }
}
