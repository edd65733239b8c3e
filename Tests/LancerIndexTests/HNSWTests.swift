import LancerBytes
import LancerIndex
import LancerKernels
import Testing

@Suite("graphs")
struct HNSWTests {
    static let data = Clustered(count: 8000, dimension: 32, clusters: 200, spread: 0.5, seed: 11)
    static let queries = Clustered(count: 100, dimension: 32, clusters: 200, spread: 0.5, seed: 11, queriesOf: 99)

    /// Share of the true nearest ten that a search finds.
    static func recall<S: VectorSpace>(
        _ graph: HNSWGraph,
        _ space: S,
        ef: Int,
        mask: RowMask? = nil,
        prepare: ([Float], UnsafeMutableRawPointer) -> Void
    ) -> Double {
        let scratch = GraphScratch()
        let memory = ScratchMemory<UInt64>(count: space.queryByteCount / 8 + 1, repeating: 0)
        var hits = 0
        var wanted = 0
        for q in 0..<queries.count {
            let query = queries.row(q)
            prepare(query, UnsafeMutableRawPointer(memory.pointer))
            let found = graph.search(
                space,
                query: memory.pointer,
                ef: ef,
                filter: mask.map { NodeFilter(mask: $0) },
                scratch: scratch
            ).prefix(10)
            let near = data.nearest(mask == nil ? 10 : data.count, to: query).filter { mask?[$0] ?? true }.prefix(10)
            hits += Set(found.map { $0.node }).intersection(near).count
            wanted += near.count
            #expect(zip(found, found.dropFirst()).allSatisfy { ($0.distance, $0.node) < ($1.distance, $1.node) })
            if let mask { #expect(found.allSatisfy { mask[$0.node] }) }
        }
        return Double(hits) / Double(wanted)
    }

    @Test("recall at ten with 64 candidates is above 95 %, with and without a mask; threads change nothing")
    func flat() throws {
        try Self.data.withRows { rows in
            let space = FlatSpace(rows, metric: .l2)
            let graph = try HNSWBuilder.build(space, control: BuildControl(threads: 3))
            try check(graph, count: rows.count)
            let all = Self.recall(graph, space, ef: 64) { space.prepare($0, into: $1) }
            #expect(all >= 0.95, "recall \(all)")
            var mask = RowMask(count: rows.count, allowed: false)
            for r in stride(from: 0, to: rows.count, by: 50) { mask[UInt32(r)] = true }
            let few = Self.recall(graph, space, ef: 64, mask: mask) { space.prepare($0, into: $1) }
            #expect(few >= 0.95, "recall \(few) with a mask")
            let again = try HNSWBuilder.build(space)
            #expect(again.entryPoint == graph.entryPoint)
            for (a, b) in zip(again.levels, graph.levels) {
                #expect(a.members == b.members && a.offsets == b.offsets && a.neighborIDs == b.neighborIDs)
                #expect(a.distances == b.distances)
            }
            let stored = graph.levels.enumerated().map { number, level in
                HNSWGraph.StoredLevel(
                    members: number == 0 ? Array(0..<UInt32(rows.count)) : level.members,
                    offsets: level.offsets,
                    neighborIDs: level.neighborIDs
                )
            }
            let read = try HNSWGraph(validating: stored, entryPoint: graph.entryPoint, count: rows.count)
            #expect(Self.recall(read, space, ef: 64) { space.prepare($0, into: $1) } == all)
        }
    }

    /// The format's rules: at most 2m neighbours at the ground, m above, all of the level, none twice, none oneself.
    private func check(_ graph: HNSWGraph, count: Int) throws {
        #expect(graph.count == count)
        for (number, level) in graph.levels.enumerated() {
            let members = number == 0 ? Set(0..<UInt32(count)) : Set(level.members)
            for slot in 0..<level.count {
                let list = level.neighborIDs[Int(level.offsets[slot])..<Int(level.offsets[slot + 1])]
                let own = number == 0 ? UInt32(slot) : level.members[slot]
                #expect(list.count <= (number == 0 ? 40 : 20) && Set(list).count == list.count)
                #expect(members.isSuperset(of: list) && !list.contains(own))
            }
        }
    }

    @Test("scalar codes: a graph over bytes finds what exact search finds")
    func scalar() throws {
        try Self.data.withRows { rows in
            let quantizer = try ScalarQuantizer(training: rows)
            let codes = ScratchMemory<UInt8>(count: rows.count * rows.dimension, repeating: 0)
            quantizer.encode(rows, into: codes.pointer)
            let bytes = VectorRows(codes.pointer, count: rows.count, dimension: rows.dimension, element: .uint8)
            let space = ScalarSpace(bytes, quantizer: quantizer, metric: .l2)
            let graph = try HNSWBuilder.build(space, control: BuildControl(threads: 2))
            let found = Self.recall(graph, space, ef: 64) { space.prepare($0, into: $1) }
            #expect(found >= 0.9, "recall \(found)")
        }
    }

    @Test("product codes: distances in the graph are those of the table", arguments: [4, 8])
    func product(bits: Int) throws {
        try Self.data.withRows { all in
            let rows = all.slice(0..<1500)
            var options = ProductQuantizer.Options(subvectors: 8)
            options.bits = bits
            let quantizer = try ProductQuantizer.train(rows, options)
            var codes = [UInt8](repeating: 0, count: rows.count * quantizer.codeByteCount)
            quantizer.encode(rows, into: &codes, rowStep: 1, byteStep: rows.count)
            let stored = ProductCodes(kept(codes), stride: rows.count, count: rows.count, subvectors: 8, bits: bits)
            for metric in [VectorMetric.l2, .dot] {
                let space = ProductSpace(stored, quantizer: quantizer, metric: metric)
                let graph = try HNSWBuilder.build(space)
                let memory = ScratchMemory<UInt64>(count: space.queryByteCount / 8, repeating: 0)
                let query = Self.queries.row(5)
                space.prepare(query, into: memory.pointer)
                let found = graph.search(space, query: memory.pointer, ef: 200, scratch: GraphScratch())
                var table = [Float](repeating: 0, count: quantizer.tableCount)
                var exact = [Float](repeating: 0, count: 1500)
                if metric == .dot {
                    quantizer.productTable(query, scale: -1, into: &table)
                } else {
                    quantizer.distanceTable(query, into: &table)
                }
                stored.distances(table, base: metric == .dot ? 1 : 0, into: &exact)
                #expect(found.count == 200 && found.allSatisfy { $0.distance == exact[Int($0.node)] })
                #expect(found[0].distance == exact.min() || metric == .dot)
            }
        }
    }

    @Test("halves and inner products")
    func halves() throws {
        try Self.data.withRows { all in
            let rows = all.slice(0..<2000)
            let memory = ScratchMemory<UInt16>(count: 2000 * 32, repeating: 0)
            HalfConversion.narrow(rows.base.assumingMemoryBound(to: Float.self), count: 2000 * 32, into: memory.pointer)
            let halves = VectorRows(memory.pointer, count: 2000, dimension: 32, element: .float16)
            for metric in [VectorMetric.l2, .dot] {
                let space = FlatSpace(halves, metric: metric)
                let graph = try HNSWBuilder.build(space)
                var best = [Float](repeating: 0, count: 2000)
                let scratch = GraphScratch()
                var hits = 0
                for q in 0..<50 {
                    let query = Self.queries.row(q)
                    halves.distances(metric, from: query, into: &best)
                    let found = graph.search(space, query: query, ef: 100, scratch: scratch)
                    if found[0].distance == best.min() { hits += 1 }
                }
                #expect(hits >= 45, "\(metric): \(hits) of 50")
            }
        }
    }

    @Test("no vector, one, two, and equal ones")
    func small() throws {
        for count in [0, 1, 2, 5, 300] {
            let floats = [Float](repeating: 1, count: max(1, count) * 4)
            try floats.withUnsafeBytes { bytes in
                let space = FlatSpace(VectorRows(bytes.baseAddress!, count: count, dimension: 4), metric: .l2)
                let graph = try HNSWBuilder.build(space)
                let found = graph.search(space, query: bytes.baseAddress!, ef: 10, scratch: GraphScratch())
                #expect(found.count == min(count, 10) && found.allSatisfy { $0.distance == 0 })
            }
        }
    }

    @Test("broken graphs from files are refused")
    func broken() {
        func build(_ levels: [([UInt32], [UInt32], [UInt32])], _ entry: UInt32) throws -> HNSWGraph {
            try HNSWGraph(
                validating: levels.map { HNSWGraph.StoredLevel(members: $0.0, offsets: $0.1, neighborIDs: $0.2) },
                entryPoint: entry,
                count: 3
            )
        }
        let ground: ([UInt32], [UInt32], [UInt32]) = ([0, 1, 2], [0, 1, 2, 3], [1, 2, 0])
        #expect(throws: Never.self) { try build([ground, ([1], [0, 0], [])], 1) }
        let corrupt = LanceError(.corrupt, "")
        #expect(throws: corrupt) { try build([ground, ([1], [0, 0], [])], 0) }
        #expect(throws: corrupt) { try build([ground], 3) }
        #expect(throws: corrupt) { try build([], 0) }
        #expect(throws: corrupt) { try build([([0, 1], [0, 1, 2], [1, 0])], 0) }
        #expect(throws: corrupt) { try build([([0, 2, 1], [0, 1, 2, 3], [1, 2, 0])], 0) }
        #expect(throws: corrupt) { try build([([0, 1, 2], [0, 2, 1, 3], [1, 2, 0])], 0) }
        #expect(throws: corrupt) { try build([([0, 1, 2], [0, 1, 2, 4], [1, 2, 0])], 0) }
        #expect(throws: corrupt) { try build([([0, 1, 2], [1, 1, 2, 3], [1, 2, 0])], 0) }
        #expect(throws: corrupt) { try build([([0, 1, 2], [], [1, 2, 0])], 0) }
        #expect(throws: corrupt) { try build([([0, 1, 2], [0, 1, 2, 3], [1, 3, 0])], 0) }
    }

    @Test("options that make no sense are refused, and a report can stop the build")
    func refused() {
        Self.data.withRows { rows in
            let space = FlatSpace(rows, metric: .l2)
            for (m, ef, levels) in [(3, 100, 7), (20, 19, 7), (20, 100, 0)] {
                var options = HNSWBuilder.Options()
                (options.maxConnections, options.efConstruction, options.maxLevel) = (m, ef, levels)
                #expect(throws: LanceError(.invalidArgument, "")) { try HNSWBuilder.build(space, options) }
            }
            let control = BuildControl { _, share in share < 0.1 }
            #expect(throws: CancellationError.self) { try HNSWBuilder.build(space, control: control) }
        }
    }
}
