import LancerArrow
import LancerBytes
import LancerFile

extension Table {
    /// Single rows, in the order given.
    ///
    /// - Parameter rows: Numbers of live rows, 0 for the first row of a scan; repeats allowed.
    /// - Throws: `invalidArgument` for a number outside the table, `corrupt`, `truncated`, `unsupported`, `io`.
    package func take(_ rows: [Int], _ projection: Projection) async throws -> RecordBatch {
        let starts = try await liveRowStarts()
        let total = starts[starts.count - 1]
        guard let first = rows.first else {
            return try projection.batch(projection.emptyArrays, rowCount: 0) { _ in .uint64([]) }
        }
        for row in rows where row < 0 || row >= total {
            throw LanceError.invalidArgument("row \(row) is asked for, the table has \(total) rows")
        }
        // All rows in one fragment (a point read): no sorting, no joining.
        let index = Self.fragment(of: first, starts)
        let range = starts[index]..<starts[index + 1]
        if rows.allSatisfy({ range.contains($0) }) {
            let arrays = try await take(rows.map { $0 - range.lowerBound }, ofFragment: index, projection)
            return try await batch(arrays, rows, projection)
        }
        return try await batch(try await takeFromMany(rows, starts, projection), rows, projection)
    }

    private func batch(_ arrays: [ArrowArray], _ rows: [Int], _ projection: Projection) async throws -> RecordBatch {
        if projection.system.isEmpty { return try projection.batch(arrays, rowCount: rows.count) }
        var values: [SystemColumn: ArrowArray] = [:]
        for (_, column) in projection.system { values[column] = try await self.values(of: column, ofRows: rows) }
        let known = values
        return try projection.batch(arrays, rowCount: rows.count) { (column) throws(LanceError) in
            known[column] ?? ArrowArray.nulls(type: .uint64, length: rows.count)
        }
    }

    private func takeFromMany(_ rows: [Int], _ starts: [Int], _ projection: Projection) async throws -> [ArrowArray] {
        // Positions in `rows` by fragment; in each fragment in the order asked.
        var positions: [Int: [Int]] = [:]
        for (position, row) in rows.enumerated() {
            positions[Self.fragment(of: row, starts), default: []].append(position)
        }
        let groups = positions.sorted { $0.key < $1.key }
        let results = try await withThrowingTaskGroup(of: (Int, [ArrowArray]).self) { group in
            var results = [[ArrowArray]](repeating: [], count: groups.count)
            // Few rows are read faster one after the other than by starting tasks.
            let isSmall = rows.count <= 16
            for (index, (fragment, members)) in groups.enumerated() {
                let wanted = members.map { rows[$0] - starts[fragment] }
                if isSmall {
                    results[index] = try await take(wanted, ofFragment: fragment, projection)
                } else {
                    group.addTask { (index, try await take(wanted, ofFragment: fragment, projection)) }
                }
            }
            for try await (index, arrays) in group { results[index] = arrays }
            return results
        }
        let order = groups.flatMap(\.value)
        var gathered: [ArrowArray] = []
        for column in projection.fields.indices {
            gathered.append(try ArrowArray.concatenating(results.map { $0[column] }))
        }
        if !order.isSorted {
            var inverse = [Int](repeating: 0, count: order.count)
            for (place, position) in order.enumerated() { inverse[position] = place }
            for column in gathered.indices { gathered[column] = try gathered[column].gather(inverse) }
        }
        return gathered
    }

    /// Rows of one fragment by live row number in it.
    private func take(_ rows: [Int], ofFragment index: Int, _ projection: Projection) async throws -> [ArrowArray] {
        let fragment = manifest.fragments[index]
        let reader = try await FragmentReader(fragment, projection, manifest, files)
        guard let deleted = try await files.deletionVector(of: fragment, manifest) else {
            return try await reader.take(rows)
        }
        return try await reader.take(rows.map { deleted.offset(ofLiveRow: $0) })
    }

    /// The fragment with live row number `row`, which must be in the table.
    static func fragment(of row: Int, _ starts: [Int]) -> Int {
        var low = 0
        var high = starts.count - 1
        // The last start that is not above the row; empty fragments share a start with their successor.
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= row { low = middle } else { high = middle }
        }
        return low
    }
}

extension Projection {
    /// The columns of no rows.
    var emptyArrays: [ArrowArray] { fields.map { ArrowArray.empty($0.type) } }
}

extension [Int] {
    fileprivate var isSorted: Bool { zip(self, dropFirst()).allSatisfy { $0 <= $1 } }
}
