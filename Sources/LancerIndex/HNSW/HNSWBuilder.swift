import LancerBytes
import LancerKernels

/// Builds a graph (Malkov, Yashunin 2016): random levels, neighbours chosen by the heuristic of algorithm 4, which keeps
/// pruned connections.
///
/// Vectors are put in by batches, in random order. A batch's searches run at the same time in the graph as it was before the
/// batch; its links are then set in an order that does not depend on the threads. So no lock is needed, and a seed gives one graph
/// whatever the number of threads.
package struct HNSWBuilder: Sendable {
    /// How to build.
    package struct Options: Sendable {
        /// Neighbours of a vector on the upper levels; twice as many at the ground.
        package var maxConnections = 20
        /// Candidates that are kept while a vector's neighbours are looked for.
        package var efConstruction = 150
        /// Number of levels at most.
        package var maxLevel = 7
        /// Decides levels and order.
        package var seed: UInt64 = 42

        /// The format's usual settings.
        package init() {}
    }

    /// Builds the graph of a space's vectors.
    ///
    /// Memory: about 8 · (2·maxConnections + 1) bytes per vector besides the result.
    ///
    /// - Throws: `LanceError` (`invalidArgument`) for options that make no sense or more than 2³² − 1 vectors;
    ///   `CancellationError`.
    package static func build<Space: VectorSpace>(
        _ space: Space,
        _ options: Options = Options(),
        control: BuildControl = BuildControl()
    ) throws -> HNSWGraph {
        guard options.maxConnections >= 4 else {
            throw LanceError.invalidArgument("a graph needs at least 4 connections, not \(options.maxConnections)")
        }
        guard options.efConstruction >= options.maxConnections, options.maxLevel >= 1 else {
            throw LanceError.invalidArgument(
                "a graph needs at least one level, and candidates (\(options.efConstruction)) "
                    + "no fewer than connections (\(options.maxConnections))"
            )
        }
        guard space.count < Int(UInt32.max) / (2 * options.maxConnections) else {
            throw LanceError.invalidArgument("\(space.count) vectors are too many for one graph; use more partitions")
        }
        if space.count == 0 { return HNSWGraph(levels: [], entryPoint: 0) }
        let work = GraphWork(space, options, control)
        try work.run()
        return work.graph()
    }
}

/// Neighbour lists of a level that still grow: a fixed number of places for each member.
struct GrowingLevel: Adjacency {
    let room: Int
    /// Place of a vector's list; nil where all have one, at their number.
    let slots: [UInt32: Int]?
    let counts: ScratchMemory<UInt32>
    let ids: ScratchMemory<UInt32>
    let distances: ScratchMemory<Float>

    init(members: [UInt32]?, count: Int, room: Int) {
        self.room = room
        slots = members.map { members in
            Dictionary(uniqueKeysWithValues: members.enumerated().map { ($0.element, $0.offset) })
        }
        counts = ScratchMemory(count: count, repeating: 0)
        ids = ScratchMemory(count: count * room, repeating: 0)
        distances = ScratchMemory(count: count * room, repeating: 0)
        LargePages.move(ids.pointer, byteCount: 4 * ids.count)
    }

    @inline(__always)
    func slot(_ node: UInt32) -> Int { slots.map { $0[node] ?? 0 } ?? Int(node) }

    func neighbors(_ node: UInt32) -> UnsafeBufferPointer<UInt32> {
        let slot = slot(node)
        return UnsafeBufferPointer(start: ids.pointer + slot * room, count: Int(counts.pointer[slot]))
    }

    func replace(_ node: UInt32, _ keys: [GraphKey]) {
        let slot = slot(node)
        for (i, key) in keys.prefix(room).enumerated() {
            ids.pointer[slot * room + i] = key.node
            distances.pointer[slot * room + i] = key.distance
        }
        counts.pointer[slot] = UInt32(min(keys.count, room))
    }

    func keys(_ node: UInt32) -> [GraphKey] {
        let slot = slot(node)
        return (0..<Int(counts.pointer[slot])).map {
            GraphKey(distance: distances.pointer[slot * room + $0], node: ids.pointer[slot * room + $0])
        }
    }
}

/// The state of one build.
private final class GraphWork<Space: VectorSpace> {
    /// Vectors put in at once, at most, and the share of those already there.
    private static var largestBatch: Int { 1024 }
    private static var share: Int { 32 }

    private struct Link {
        var target: UInt32
        var key: GraphKey
    }

    private let space: Space
    private let options: HNSWBuilder.Options
    private let control: BuildControl
    private let levelOf: [UInt8]
    private let order: [UInt32]
    private let members: [[UInt32]]
    private let levels: [GrowingLevel]
    private let scratches: [GraphScratch]
    private var entry: UInt32
    private var top: Int

    init(_ space: Space, _ options: HNSWBuilder.Options, _ control: BuildControl) {
        self.space = space
        self.options = options
        self.control = control
        var random = SeededRandom(seed: options.seed)
        let count = space.count
        let most = options.maxLevel - 1
        // The paper's floor(−ln(u) / ln(m)) is a geometric draw: one level up with probability 1/m, again and again.
        levelOf = (0..<count).map { _ in
            var level = 0
            while level < min(most, 255), random.below(options.maxConnections) == 0 { level += 1 }
            return UInt8(level)
        }
        order = random.permutation(count)
        let levelOf = self.levelOf
        let height = Int(levelOf.max() ?? 0) + 1
        members = (1..<max(height, 1)).map { level in
            (0..<UInt32(count)).filter { levelOf[Int($0)] >= level }
        }
        levels =
            [GrowingLevel(members: nil, count: count, room: 2 * options.maxConnections)]
            + members.map { GrowingLevel(members: $0, count: $0.count, room: options.maxConnections) }
        scratches = (0..<control.threads).map { _ in
            GraphScratch(nodes: count, neighbors: 2 * options.maxConnections, queryByteCount: space.queryByteCount)
        }
        entry = order[0]
        top = Int(levelOf[Int(entry)])
    }

    func run() throws {
        var done = 1
        while done < order.count {
            try control.check(.graph, Double(done) / Double(order.count))
            var end = min(order.count, done + min(max(1, done / Self.share), Self.largestBatch))
            // A vector that raises the graph is the last of its batch: the next ones shall find it on its levels.
            if let high = (done..<end).first(where: { Int(levelOf[Int(order[$0])]) > top }) { end = high + 1 }
            insert(Array(order[done..<end]))
            done = end
        }
        try control.check(.graph, 1)
    }

    private func insert(_ batch: [UInt32]) {
        let found = UnsafeMutableBufferPointer<[[GraphKey]]>.allocate(capacity: batch.count)
        found.initialize(repeating: [])
        defer {
            found.deinitialize()
            found.deallocate()
        }
        control.parallel(batch.count) { i, worker in
            found[i] = neighbors(of: batch[i], scratches[worker])
        }
        var links = [[Link]](repeating: [], count: levels.count)
        for (i, node) in batch.enumerated() {
            for (level, keys) in found[i].enumerated() {
                levels[level].replace(node, keys)
                for key in keys {
                    links[level].append(Link(target: key.node, key: GraphKey(distance: key.distance, node: node)))
                }
            }
        }
        for level in levels.indices { link(level, links[level]) }
        if let last = batch.last, Int(levelOf[Int(last)]) > top {
            entry = last
            top = Int(levelOf[Int(last)])
        }
    }

    /// The chosen neighbours of a vector that is to be put in, by level from the ground up.
    private func neighbors(of node: UInt32, _ scratch: GraphScratch) -> [[GraphKey]] {
        let query = space.nodeQuery(node, scratch: UnsafeMutableRawPointer(scratch.query.pointer))
        var start = entry
        space.distances(from: query, to: &start, count: 1, into: scratch.distances.pointer)
        var nearest = [GraphKey(distance: scratch.distances.pointer[0], node: entry)]
        let height = min(Int(levelOf[Int(node)]), top)
        for level in stride(from: top, to: height, by: -1) {
            nearest = [GraphSearch.descend(levels[level], space, query: query, from: nearest[0], scratch)]
        }
        var chosen = [[GraphKey]](repeating: [], count: height + 1)
        for level in stride(from: height, through: 0, by: -1) {
            GraphSearch.nearest(
                levels[level],
                space,
                query: query,
                from: nearest,
                ef: options.efConstruction,
                filter: nil,
                scratch
            )
            nearest = scratch.best.all.sorted()
            scratch.clear()
            chosen[level] = choose(nearest, options.maxConnections, scratch)
        }
        return chosen
    }

    /// Keeps a candidate only if no kept one is nearer to it than the vector whose neighbours they are: neighbours in all
    /// directions, not many in one. Places that are left go to the nearest of the others: among rows in tight groups few
    /// candidates pass, and graphs of so few links lose whole groups. `sorted`: nearest first.
    private func choose(_ sorted: [GraphKey], _ most: Int, _ scratch: GraphScratch) -> [GraphKey] {
        if sorted.count <= 1 { return sorted }
        var kept: [GraphKey] = []
        kept.reserveCapacity(most)
        var others: [GraphKey] = []
        let ids = scratch.ids.pointer
        let distances = scratch.distances.pointer
        let memory = UnsafeMutableRawPointer(scratch.other.pointer)
        for key in sorted {
            if kept.count >= most { break }
            let query = space.nodeQuery(key.node, scratch: memory)
            var isFree = true
            var at = 0
            while at < kept.count, isFree {
                let size = min(8, kept.count - at)
                space.distances(from: query, to: ids + at, count: size, into: distances)
                for i in 0..<size where distances[i] < key.distance { isFree = false }
                at += size
            }
            if isFree {
                ids[kept.count] = key.node
                kept.append(key)
            } else if others.count < most {
                others.append(key)
            }
        }
        return kept + others.prefix(most - kept.count)
    }

    /// Sets the links back from the neighbours of a batch to its vectors; lists that overflow are chosen anew.
    private func link(_ level: Int, _ links: [Link]) {
        let links = links.sorted { ($0.target, $0.key) < ($1.target, $1.key) }
        var starts: [Int] = []
        for i in links.indices where i == 0 || links[i].target != links[i - 1].target { starts.append(i) }
        starts.append(links.count)
        let growing = levels[level]
        let group = 16
        let targets = starts.count - 1
        control.parallel((targets + group - 1) / group) { part, worker in
            for t in part * group..<min(targets, (part + 1) * group) {
                let target = links[starts[t]].target
                var keys = growing.keys(target)
                for i in starts[t]..<starts[t + 1] where !keys.contains(links[i].key) { keys.append(links[i].key) }
                if keys.count > growing.room {
                    keys.sort()
                    keys = choose(keys, growing.room, scratches[worker])
                }
                growing.replace(target, keys)
            }
        }
    }

    func graph() -> HNSWGraph {
        let finished = levels.prefix(top + 1).enumerated().map { number, level in
            let members = number == 0 ? nil : self.members[number - 1]
            let count = members?.count ?? space.count
            var offsets: [UInt32] = [0]
            var ids: [UInt32] = []
            var distances: [Float] = []
            for slot in 0..<count {
                let begin = slot * level.room
                for i in begin..<begin + Int(level.counts.pointer[slot]) {
                    ids.append(level.ids.pointer[i])
                    distances.append(level.distances.pointer[i])
                }
                offsets.append(UInt32(ids.count))
            }
            return HNSWGraph.Level(members: members ?? [], offsets: offsets, neighborIDs: ids, distances: distances)
        }
        return HNSWGraph(levels: finished, entryPoint: entry)
    }
}
