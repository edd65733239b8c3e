import LancerKernels

/// Vectors and scalar codes, row by row.
extension PartitionScanner {
    func scanFlat(_ state: QueryState, _ partitions: ArraySlice<Int>, _ loaded: PartitionSet, _ search: Search) {
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

    func scanScalar(
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
}
