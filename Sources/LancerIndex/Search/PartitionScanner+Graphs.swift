import LancerKernels

/// Graphs over vectors or codes.
extension PartitionScanner {
    func scanGraphs(
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

    func walk<Space: VectorSpace>(
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
        partition.willSearch()
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
}
