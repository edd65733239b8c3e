import LancerBytes
import LancerKernels

/// Looks through partitions for the nearest rows; one per thread, reused.
///
/// Where the quick way to a distance is not exact to the last digits (one table for all partitions with product codes; inner
/// products for cosine), some more rows than wanted are kept by it, and their distances worked out again the plain way.
final class PartitionScanner: @unchecked Sendable {
    /// Rows whose distances are worked out at once.
    static let block = 1024
    /// Rows kept more than wanted, where distances are worked out twice.
    static let slack = 4
    /// Selections that leave a smaller share than this are looked up before distances are worked out.
    static let fewRows = 0.05

    let model: VectorIndexModel
    let distances = ScratchMemory<Float>(count: PartitionScanner.block, repeating: 0)
    let chosen = ScratchMemory<UInt32>(count: PartitionScanner.block + 64, repeating: 0)
    let product: ProductScanner?
    /// The query as the codes want it.
    let prepared: ScratchMemory<UInt64>
    let residual: ScratchMemory<Float>
    let graph: GraphScratch?
    var rough = TopK(limit: 0)

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

    func place(_ partition: Int, _ row: Int = 0) -> UInt64 { UInt64(partition) << 32 | UInt64(row) }

    func filter(_ partition: DecodedPartition, _ search: Search, lower: Float) -> NodeFilter? {
        if search.selection == nil, lower == -.infinity { return nil }
        return NodeFilter(selection: search.selection, rowIDs: partition.rowIDs, lowerBound: lower)
    }

    /// Offers the rows of a block whose distances are in ``distances``.
    func offer(
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
        let allowed = filter?.rows
        let rowIDs = partition.rowIDs
        var limit = min(ceiling, top.threshold)
        for i in 0..<count {
            let distance = out[i]
            guard distance <= limit else { continue }
            let row = ids.map { Int($0[i]) } ?? start + i
            if let allowed, !allowed.allows(UInt32(truncatingIfNeeded: row), distance) { continue }
            top.insert(distance: distance, row: rowIDs[row], place: place(number, row))
            limit = min(ceiling, top.threshold)
        }
        withExtendedLifetime(filter) {}
    }

    /// Works out distances of all rows of a partition, or of those a narrow selection leaves, and offers them.
    func scanRows(
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
    func forEachChosen(
        _ partition: DecodedPartition,
        _ selection: SelectionView,
        _ body: (UnsafePointer<UInt32>, Int) -> Void
    ) {
        let rowIDs = partition.rowIDs
        let ids = chosen.pointer
        var count = 0
        let bits = selection.bits
        for row in 0..<partition.count where bits.allows(rowIDs[row]) {
            ids[count] = UInt32(truncatingIfNeeded: row)
            count += 1
            if count == Self.block {
                body(ids, count)
                count = 0
            }
        }
        if count > 0 { body(ids, count) }
        withExtendedLifetime(selection) {}
    }

    // MARK: Second look

    /// Empties ``rough``. With a range of distances all rows are kept that may be in it, as far as the limit goes.
    func beginRough(_ state: QueryState, _ isUsed: Bool, _ search: Search) {
        guard isUsed else { return }
        // A lower bound takes rows away again that are among the nearest: none may then be left out before.
        rough.reset(limit: search.lower > -.infinity ? .max : state.top.limit.addingSaturated(Self.slack))
    }

    /// Works out the distances of the rows in ``rough`` and offers them.
    ///
    /// - Parameter error: how far the distances may be off, where rows alone are wanted: the distances of those that are among
    ///   the nearest whatever the error need not be known better. Nil works out all.
    func endRough(_ state: QueryState, _ loaded: PartitionSet, _ search: Search, error: Float? = nil) {
        var certain = -Float.infinity
        if let error, state.top.count == 0, rough.count > state.top.limit {
            certain = rough.farthest(rough.count - state.top.limit + 1) - 2 * error
        }
        for hit in rough.unordered {
            if hit.distance < certain {
                state.top.insert(distance: hit.distance, row: hit.row, place: hit.place)
                continue
            }
            let number = Int(hit.place >> 32)
            guard let partition = loaded[number] else { continue }
            let distance = exact(state, partition, number, Int(hit.place & 0xFFFF_FFFF))
            guard distance >= search.lower, distance <= search.ceiling else { continue }
            state.top.insert(distance: distance, row: hit.row, place: hit.place)
        }
    }

    func exact(_ state: QueryState, _ partition: DecodedPartition, _ number: Int, _ row: Int) -> Float {
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
    var partitions: [Int: DecodedPartition] = [:]

    subscript(_ number: Int) -> DecodedPartition? {
        get { partitions[number] }
        set { partitions[number] = newValue }
    }

    mutating func removeAll() { partitions.removeAll(keepingCapacity: true) }
}
