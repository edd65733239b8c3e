import LancerKernels

/// Product codes, sub-vector by sub-vector.
extension PartitionScanner {
    func scanProduct(
        _ state: QueryState,
        _ partitions: ArraySlice<Int>,
        _ loaded: PartitionSet,
        _ search: Search
    ) {
        guard let quantizer = model.product, let product else { return }
        let query = state.vector.pointer
        // Codes come from memory while the table is worked out, and each partition's while the one before is scanned.
        if let first = partitions.first { loaded[first]?.willScan() }
        let table = UnsafeMutableRawPointer(prepared.pointer).assumingMemoryBound(to: Float.self)
        let isDot = model.metric == .dot
        quantizer.productTable(query, scale: isDot ? -1 : -2, into: table)
        let square = VectorSum.squares(query, model.dimension)
        beginRough(state, !isDot, search)
        var isSameTable = false
        var moreRows = partitions.reduce(0) { $0 + (loaded[$1]?.count ?? 0) }
        let out = distances.pointer
        for (next, number) in zip((partitions.startIndex + 1)..., partitions) {
            guard let partition = loaded[number], partition.count > 0 else { continue }
            if next < partitions.endIndex { loaded[partitions[next]]?.willScan() }
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
        if isDot { return }
        // Only when nothing follows: rows found later would be compared with these.
        let isAll = search.options.needsOnlyRows && !search.hasRange && partitions.count == state.goal - state.done
        endRough(state, loaded, search, error: isAll ? roughError(square) : nil)
    }

    /// How far a distance in ``rough`` may be from that of a second look.
    ///
    /// Its parts |q|², 2q·c, 2q·x̂ and |c + x̂|² are each at most 4 (|q|² + the distance) or so; as many roundings as there are
    /// sub-vectors and a few more fall on them. Columns of halves round the residual besides, to 2⁻¹¹ of each number.
    private func roughError(_ square: Float) -> Float {
        let distance = max(rough.farthest(1), 0)
        let sums = 4 * (square + distance) * Float((model.product?.subvectors ?? 0) + 8) * 2.4e-7
        return sums + (model.element == .float16 ? 0x1p-9 * distance : 0)
    }
}
