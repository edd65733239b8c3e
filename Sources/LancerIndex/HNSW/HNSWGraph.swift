import LancerBytes
import LancerKernels

/// A hierarchical navigable small world graph of one partition, as the format lays it out: per level its members in ascending
/// order and their neighbour lists, one after another.
///
/// Numbers of vectors are positions in the partition. Level 0 has all of them. Spec: 13-vector-index.md, "HNSW".
package struct HNSWGraph: Sendable {
    /// One level.
    package struct Level: Sendable, Adjacency {
        /// Its vectors, ascending; empty for level 0, which has all.
        package let members: [UInt32]
        /// Where each list starts in ``neighborIDs``; one more at the end.
        package let offsets: [UInt32]
        /// The lists.
        package let neighborIDs: [UInt32]
        /// The neighbours' distances, or empty if they were not kept.
        package let distances: [Float]
        /// The longest list.
        let longest: Int

        /// Number of vectors on the level.
        package var count: Int { offsets.count - 1 }

        init(members: [UInt32], offsets: [UInt32], neighborIDs: [UInt32], distances: [Float]) {
            self.members = members
            self.offsets = offsets
            self.neighborIDs = neighborIDs
            self.distances = distances
            var longest = 0
            for i in offsets.indices.dropFirst() { longest = max(longest, Int(offsets[i] - offsets[i - 1])) }
            self.longest = longest
        }

        func neighbors(_ node: UInt32) -> UnsafeBufferPointer<UInt32> {
            var slot = Int(node)
            if !members.isEmpty {
                slot = members.firstIndexNotBelow(node)
                guard slot < members.count, members[slot] == node else {
                    return UnsafeBufferPointer(start: nil, count: 0)
                }
            }
            let begin = Int(offsets[slot])
            let end = Int(offsets[slot + 1])
            // Safe: the array is held by the graph, which outlives every search in it.
            return neighborIDs.withUnsafeBufferPointer { UnsafeBufferPointer(rebasing: $0[begin..<end]) }
        }

        func willRead(_ node: UInt32) {
            let list = neighbors(node)
            if let start = list.baseAddress { MemoryHint.willRead(start, byteCount: 4 * list.count) }
        }
    }

    /// The levels from the ground up; those above the highest vector are empty and not listed.
    package let levels: [Level]
    /// Where searches begin.
    package let entryPoint: UInt32

    /// Number of vectors.
    package var count: Int { levels.first?.count ?? 0 }

    init(levels: [Level], entryPoint: UInt32) {
        self.levels = levels
        self.entryPoint = entryPoint
    }

    /// A level as read from a file.
    package struct StoredLevel: Sendable {
        package var members: [UInt32]
        package var offsets: [UInt32]
        package var neighborIDs: [UInt32]

        /// Members, list starts and lists.
        package init(members: [UInt32], offsets: [UInt32], neighborIDs: [UInt32]) {
            self.members = members
            self.offsets = offsets
            self.neighborIDs = neighborIDs
        }
    }

    /// A graph that was read, checked: afterwards no search leaves its arrays.
    ///
    /// - Parameter count: number of vectors in the partition.
    /// - Throws: `LanceError` (`corrupt`) if members are not ascending or beyond the partition, level 0 lacks one, lists do not
    ///   cover their values in order, a neighbour is beyond the partition, or the entry point is not on the highest level.
    package init(validating stored: [StoredLevel], entryPoint: UInt32, count: Int) throws(LanceError) {
        var levels: [Level] = []
        for (number, level) in stored.enumerated() {
            if level.members.isEmpty, number > 0 || count == 0 { break }
            try Self.check(level, number, count)
            let members = number == 0 ? [] : level.members
            levels.append(
                Level(members: members, offsets: level.offsets, neighborIDs: level.neighborIDs, distances: [])
            )
        }
        if count > 0 {
            guard let top = stored.prefix(levels.count).last, Int(entryPoint) < count else {
                throw LanceError.corrupt("the entry point \(entryPoint) of a graph is beyond its \(count) vectors")
            }
            let slot = top.members.firstIndexNotBelow(entryPoint)
            guard slot < top.members.count, top.members[slot] == entryPoint else {
                throw LanceError.corrupt("the entry point \(entryPoint) of a graph is not on its highest level")
            }
        }
        self.init(levels: levels, entryPoint: entryPoint)
    }

    private static func check(_ level: StoredLevel, _ number: Int, _ count: Int) throws(LanceError) {
        let members = level.members
        guard level.offsets.count == members.count + 1, level.offsets.first == 0,
            level.offsets.last.map(Int.init) == level.neighborIDs.count
        else { throw LanceError.corrupt("level \(number) of a graph has lists that do not cover its neighbours") }
        guard number > 0 || members.count == count else {
            throw LanceError.corrupt("level 0 of a graph has \(members.count) of \(count) vectors")
        }
        for i in members.indices {
            guard Int(members[i]) < count, i == 0 || members[i - 1] < members[i] else {
                throw LanceError.corrupt("level \(number) of a graph has vectors out of order or beyond \(count)")
            }
            guard level.offsets[i] <= level.offsets[i + 1] else {
                throw LanceError.corrupt("level \(number) of a graph has a list that ends before it begins")
            }
        }
        guard level.neighborIDs.allSatisfy({ Int($0) < count }) else {
            throw LanceError.corrupt("level \(number) of a graph has a neighbour beyond its \(count) vectors")
        }
    }

    /// Moves the lists of the ground level to large pages.
    func moveToLargePages() async {
        guard let lists = levels.first?.neighborIDs else { return }
        // Safe: an array that is held and not changed stays where it is.
        guard let start = lists.withUnsafeBytes({ $0.baseAddress }) else { return }
        await LargePages.moveGradually(start, byteCount: 4 * lists.count)
        withExtendedLifetime(lists) {}
    }

    /// The nearest vectors to a prepared query.
    ///
    /// - Parameters:
    ///   - space: the partition's vectors, as many as the graph has.
    ///   - query: prepared by the space.
    ///   - ef: how many candidates the search keeps; at least as many as results are wanted.
    ///   - filter: says which vectors may be results; others only lead the way.
    /// - Returns: at most `ef` vectors, nearest first, equal distances by number.
    package func search<Space: VectorSpace>(
        _ space: Space,
        query: UnsafeRawPointer,
        ef: Int,
        filter: NodeFilter? = nil,
        scratch: GraphScratch
    ) -> [(node: UInt32, distance: Float)] {
        guard let ground = levels.first, ground.count > 0, ef > 0 else { return [] }
        precondition(space.count == count, "a graph is searched with its own vectors")
        let longest = levels.reduce(1) { max($0, $1.longest) }
        scratch.reserve(nodes: count, neighbors: longest, queryByteCount: 0)
        var start = entryPoint
        space.distances(from: query, to: &start, count: 1, into: scratch.distances.pointer)
        var key = GraphKey(distance: scratch.distances.pointer[0], node: entryPoint)
        for level in levels.dropFirst().reversed() {
            key = GraphSearch.descend(level, space, query: query, from: key, scratch)
        }
        GraphSearch.nearest(ground, space, query: query, from: [key], ef: ef, filter: filter, scratch)
        let found = scratch.best.all.sorted().map { (node: $0.node, distance: $0.distance) }
        scratch.clear()
        return found
    }
}

extension [UInt32] {
    /// The first position whose number is not below `value`, in an ascending list.
    func firstIndexNotBelow(_ value: UInt32) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
