import LancerBytes
import LancerKernels

/// Looks through partitions for the nearest rows; one per thread, reused.
///
/// Where the quick way to a distance is not exact to the last digits (one table for all partitions with product codes; inner
/// products for cosine), some more rows than wanted are kept by it, and their distances worked out again the plain way.
final class PartitionScanner: @unchecked Sendable {
    /// Rows whose distances are worked out at once.
    private static let block = 1024
    /// Rows kept more than wanted, where distances are worked out twice.
    private static let slack = 4
    /// Selections that leave a smaller share than this are looked up before distances are worked out.
    private static let fewRows = 0.05

    private let model: VectorIndexModel
    private let distances = ScratchMemory<Float>(count: PartitionScanner.block, repeating: 0)
    private let chosen = ScratchMemory<UInt32>(count: PartitionScanner.block + 64, repeating: 0)
    private let product: ProductScanner?
    /// The query as the codes want it.
    private let prepared: ScratchMemory<UInt64>
    private let residual: ScratchMemory<Float>
    private let graph: GraphScratch?
    private var rough = TopK(limit: 0)

    init(_ model: VectorIndexModel) {
        self.model = model
        product =
            model.kind == .ivfPQ ? model.product.map { ProductScanner(subvectors: $0.subvectors, bits: $0.bits) } : nil
        let table = (model.product?.subvectors ?? 0) * 256
        prepared = ScratchMemory(count: (max(table, model.dimension + 16) * 4 + 7) / 8, repeating: 0)
        residual = ScratchMemory(count: model.dimension, repeating: 0)
        graph = model.kind.hasGraph ? GraphScratch() : nil
    }

    /// What all queries of a search share.
    struct Search {
        var options: SegmentSearchOptions
        var ef: Int
        var lower: Float
        /// Greatest distance that is still wanted.
        var ceiling: Float
        var selection: SelectionView?
        /// Share of the rows that the selection leaves.
        var share: Double

        var hasRange: Bool { lower > -.infinity || ceiling < .infinity }
    }

    /// Looks through partitions; they are in `loaded` by their number.
    func scan(_ state: QueryState, _ partitions: ArraySlice<Int>, _ loaded: PartitionSet, _ search: Search) {
        guard state.isUsable else { return }
        switch model.kind {
        case .ivfFlat: scanFlat(state, partitions, loaded, search)
        case .ivfSQ: scanScalar(state, partitions, loaded, search)
        case .ivfPQ: scanProduct(state, partitions, loaded, search)
        case .ivfHNSWFlat, .ivfHNSWSQ, .ivfHNSWPQ: scanGraphs(state, partitions, loaded, search)
        }
    }

    private func place(_ partition: Int, _ row: Int = 0) -> UInt64 { UInt64(partition) << 32 | UInt64(row) }

    private func filter(_ partition: DecodedPartition, _ search: Search, lower: Float) -> NodeFilter? {
        if search.selection == nil, lower == -.infinity { return nil }
        return NodeFilter(selection: search.selection, rowIDs: partition.rowIDs, lowerBound: lower)
    }

    /// Offers the rows of a block whose distances are in ``distances``.
    private func offer(
        _ partition: DecodedPartition,
        _ number: Int,
        from start: Int,
        count: Int,
        ids: UnsafePointer<UInt32>?,
        ceiling: Float,
        _ filter: NodeFilter?,
        into top: inout TopK
    ) {
        let out = distances.pointer
        for i in 0..<count {
            let distance = out[i]
            guard distance <= ceiling, distance <= top.threshold else { continue }
            let row = ids.map { Int($0[i]) } ?? start + i
            if let filter, !filter.allows(UInt32(truncatingIfNeeded: row), distance) { continue }
            top.insert(distance: distance, row: partition.rowIDs[row], place: place(number, row))
        }
    }

    /// Works out distances of all rows of a partition, or of those a narrow selection leaves, and offers them.
    private func scanRows(
        _ partition: DecodedPartition,
        _ number: Int,
        _ search: Search,
        lower: Float,
        ceiling: Float,
        into top: inout TopK,
        all: (Range<Int>) -> Void,
        some: (UnsafePointer<UInt32>, Int) -> Void
    ) {
        if let selection = search.selection, search.share < Self.fewRows {
            let filter = filter(partition, search, lower: lower)
            forEachChosen(partition, selection) { ids, count in
                some(ids, count)
                offer(partition, number, from: 0, count: count, ids: ids, ceiling: ceiling, filter, into: &top)
            }
            return
        }
        let filter = filter(partition, search, lower: lower)
        for start in stride(from: 0, to: partition.count, by: Self.block) {
            let end = min(partition.count, start + Self.block)
            all(start..<end)
            offer(
                partition,
                number,
                from: start,
                count: end - start,
                ids: nil,
                ceiling: ceiling,
                filter,
                into: &top
            )
        }
    }

    /// Positions of the rows that a selection leaves, some at a time.
    private func forEachChosen(
        _ partition: DecodedPartition,
        _ selection: SelectionView,
        _ body: (UnsafePointer<UInt32>, Int) -> Void
    ) {
        let rowIDs = partition.rowIDs
        let ids = chosen.pointer
        var count = 0
        for row in 0..<partition.count where selection.allows(rowIDs[row]) {
            ids[count] = UInt32(truncatingIfNeeded: row)
            count += 1
            if count == Self.block {
                body(ids, count)
                count = 0
            }
        }
        if count > 0 { body(ids, count) }
    }

    // MARK: Vectors

    private func scanFlat(_ state: QueryState, _ partitions: ArraySlice<Int>, _ loaded: PartitionSet, _ search: Search)
    {
        let query = state.vector.pointer
        let isCosine = model.metric == .cosine
        let isDot = model.metric != .l2
        beginRough(state, isCosine, search)
        for number in partitions {
            guard let partition = loaded[number] else { continue }
            let rows = partition.rows(model)
            let out = distances.pointer
            func run(_ top: inout TopK, _ lower: Float, _ ceiling: Float) {
                scanRows(
                    partition,
                    number,
                    search,
                    lower: lower,
                    ceiling: ceiling,
                    into: &top,
                    all: { rows.slice($0).distances(isDot ? .dot : .l2, from: query, into: out) },
                    some: { ids, count in
                        if isDot {
                            rows.gatherProducts(with: query, ids: ids, count: count, into: out)
                            for i in 0..<count { out[i] = 1 - out[i] }
                        } else {
                            rows.gatherL2(from: UnsafeRawPointer(query), ids: ids, count: count, into: out)
                        }
                    }
                )
            }
            if isCosine {
                run(&rough, -.infinity, .infinity)
            } else {
                run(&state.top, search.lower, search.ceiling)
            }
        }
        if isCosine { endRough(state, loaded, search) }
    }

    // MARK: Scalar codes

    private func scanScalar(
        _ state: QueryState,
        _ partitions: ArraySlice<Int>,
        _ loaded: PartitionSet,
        _ search: Search
    ) {
        guard let scalar = model.scalar, let first = partitions.first(where: { loaded[$0] != nil }),
            let any = loaded[first]
        else { return }
        let query = UnsafeMutableRawPointer(prepared.pointer)
        ScalarSpace(any.rows(model), quantizer: scalar, metric: model.metric).prepare(state.vector.pointer, into: query)
        let out = distances.pointer
        let isDot = model.metric == .dot
        let floats = query.assumingMemoryBound(to: Float.self)
        let step = Float(scalar.step)
        let scale = Float(scalar.step * scalar.step)
        for number in partitions {
            guard let partition = loaded[number] else { continue }
            let rows = partition.rows(model)
            let space = ScalarSpace(rows, quantizer: scalar, metric: model.metric)
            scanRows(
                partition,
                number,
                search,
                lower: search.lower,
                ceiling: search.ceiling,
                into: &state.top,
                all: { range in
                    if isDot {
                        rows.slice(range).products(with: floats + 16, into: out)
                        for i in 0..<range.count { out[i] = floats[0] - step * out[i] }
                    } else {
                        rows.slice(range).byteDistances(from: query.assumingMemoryBound(to: UInt8.self), into: out)
                        for i in 0..<range.count { out[i] *= scale }
                    }
                },
                some: { ids, count in
                    space.distances(from: UnsafeRawPointer(query), to: ids, count: count, into: out)
                }
            )
        }
    }

    // MARK: Product codes

    private func scanProduct(
        _ state: QueryState,
        _ partitions: ArraySlice<Int>,
        _ loaded: PartitionSet,
        _ search: Search
    ) {
        guard let quantizer = model.product, let product else { return }
        let query = state.vector.pointer
        let table = UnsafeMutableRawPointer(prepared.pointer).assumingMemoryBound(to: Float.self)
        let isDot = model.metric == .dot
        quantizer.productTable(query, scale: isDot ? -1 : -2, into: table)
        var square: Float = 0
        for j in 0..<model.dimension { square += query[j] * query[j] }
        beginRough(state, !isDot, search)
        var isSameTable = false
        var moreRows = partitions.reduce(0) { $0 + (loaded[$1]?.count ?? 0) }
        let out = distances.pointer
        for number in partitions {
            guard let partition = loaded[number], partition.count > 0 else { continue }
            let codes = partition.codes(quantizer)
            moreRows -= partition.count
            // |q − c − x̂|² = (|q|² − 2q·c) − 2q·x̂ + |c + x̂|², the last of which is the row's bias.
            var base: Float = 1
            if !isDot {
                VectorRows(model.centroid(number), count: 1, dimension: model.dimension)
                    .products(with: query, into: &base)
                base = square - 2 * base
            }
            func run(_ top: inout TopK, _ lower: Float, _ ceiling: Float) {
                let filter = filter(partition, search, lower: lower)
                if let selection = search.selection, search.share < Self.fewRows {
                    forEachChosen(partition, selection) { ids, count in
                        codes.distances(table, base: base, of: ids, count: count, into: out)
                        offer(partition, number, from: 0, count: count, ids: ids, ceiling: ceiling, filter, into: &top)
                    }
                    return
                }
                product.scan(
                    codes,
                    table: table,
                    base: base,
                    isSameTable: isSameTable,
                    moreRows: moreRows,
                    filter: filter,
                    rowIDs: partition.rowIDs,
                    place: place(number),
                    ceiling: ceiling,
                    into: &top
                )
                isSameTable = true
            }
            if isDot {
                run(&state.top, search.lower, search.ceiling)
            } else {
                run(&rough, -.infinity, .infinity)
            }
        }
        if !isDot { endRough(state, loaded, search) }
    }

    // MARK: Graphs

    private func scanGraphs(
        _ state: QueryState,
        _ partitions: ArraySlice<Int>,
        _ loaded: PartitionSet,
        _ search: Search
    ) {
        let query = UnsafeMutableRawPointer(prepared.pointer)
        let isRough = model.kind == .ivfHNSWFlat && model.metric == .cosine
        beginRough(state, isRough, search)
        for number in partitions {
            guard let partition = loaded[number], partition.count > 0 else { continue }
            let rows = partition.rows(model)
            switch model.kind.compression {
            case .flat:
                let space = FlatSpace(rows, metric: model.metric == .cosine ? .dot : model.metric)
                space.prepare(state.vector.pointer, into: query)
                walk(state, space, partition, number, search, isRough)
            case .scalar:
                guard let scalar = model.scalar else { continue }
                let space = ScalarSpace(rows, quantizer: scalar, metric: model.metric)
                space.prepare(state.vector.pointer, into: query)
                walk(state, space, partition, number, search, isRough)
            case .product:
                guard let space = partition.productSpace else { continue }
                var vector = state.vector.pointer
                if model.metric != .dot {
                    let centroid = model.centroid(number)
                    for j in 0..<model.dimension { residual.pointer[j] = vector[j] - centroid[j] }
                    model.element.round(residual.pointer, count: model.dimension)
                    vector = residual.pointer
                }
                space.prepare(vector, into: query)
                walk(state, space, partition, number, search, isRough)
            }
        }
        if isRough { endRough(state, loaded, search) }
    }

    private func walk<Space: VectorSpace>(
        _ state: QueryState,
        _ space: Space,
        _ partition: DecodedPartition,
        _ number: Int,
        _ search: Search,
        _ isRough: Bool
    ) {
        guard let graphOf = partition.graph, let graph else { return }
        let query = UnsafeRawPointer(prepared.pointer)
        let lower = isRough ? -.infinity : search.lower
        let ceiling = isRough ? .infinity : search.ceiling
        let out = distances.pointer
        // With few rows to choose from, a graph search meets nearly all of them anyway, and many others.
        let few = search.share * search.share * Double(partition.count) < 20 * Double(search.ef)
        if let selection = search.selection, few {
            let filter = filter(partition, search, lower: lower)
            forEachChosen(partition, selection) { ids, count in
                space.distances(from: query, to: ids, count: count, into: out)
                if isRough {
                    offer(partition, number, from: 0, count: count, ids: ids, ceiling: ceiling, filter, into: &rough)
                } else {
                    offer(
                        partition,
                        number,
                        from: 0,
                        count: count,
                        ids: ids,
                        ceiling: ceiling,
                        filter,
                        into: &state.top
                    )
                }
            }
            return
        }
        let found = graphOf.search(
            space,
            query: query,
            ef: search.ef,
            filter: filter(partition, search, lower: lower),
            scratch: graph
        )
        for (node, distance) in found where distance <= ceiling {
            let row = Int(node)
            if isRough {
                rough.insert(distance: distance, row: partition.rowIDs[row], place: place(number, row))
            } else {
                state.top.insert(distance: distance, row: partition.rowIDs[row], place: place(number, row))
            }
        }
    }

    // MARK: Second look

    /// Empties ``rough``. With a range of distances all rows are kept that may be in it, as far as the limit goes.
    private func beginRough(_ state: QueryState, _ isUsed: Bool, _ search: Search) {
        guard isUsed else { return }
        // A lower bound takes rows away again that are among the nearest: none may then be left out before.
        rough.reset(limit: search.lower > -.infinity ? .max : state.top.limit.addingSaturated(Self.slack))
    }

    /// Works out the distances of the rows in ``rough`` and offers them.
    private func endRough(_ state: QueryState, _ loaded: PartitionSet, _ search: Search) {
        for hit in rough.unordered {
            let number = Int(hit.place >> 32)
            guard let partition = loaded[number] else { continue }
            let distance = exact(state, partition, number, Int(hit.place & 0xFFFF_FFFF))
            guard distance >= search.lower, distance <= search.ceiling else { continue }
            state.top.insert(distance: distance, row: hit.row, place: hit.place)
        }
    }

    private func exact(_ state: QueryState, _ partition: DecodedPartition, _ number: Int, _ row: Int) -> Float {
        let query = state.vector.pointer
        guard let quantizer = model.product else {
            var distance: Float = 0
            partition.rows(model).slice(row..<row + 1)
                .distances(.cosine, from: query, norm: state.norm, into: &distance)
            return distance
        }
        let centroid = model.centroid(number)
        let vector = residual.pointer
        // As the reference adds up: the query's residual, rounded to the column's numbers, against the codewords.
        for j in 0..<model.dimension { vector[j] = query[j] - centroid[j] }
        model.element.round(vector, count: model.dimension)
        let codes = partition.codes(quantizer)
        return quantizer.distance(of: codes.codes + row, byteStep: codes.stride, from: vector)
    }
}

extension Int {
    fileprivate func addingSaturated(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// Partitions that are in memory for a while, by number.
struct PartitionSet: Sendable {
    private var partitions: [Int: DecodedPartition] = [:]

    subscript(_ number: Int) -> DecodedPartition? {
        get { partitions[number] }
        set { partitions[number] = newValue }
    }

    mutating func removeAll() { partitions.removeAll(keepingCapacity: true) }
}
