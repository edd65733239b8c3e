import LancerArrow
import LancerBytes
import LancerEncoding

extension LanceFileReader {
    /// Reads a range of rows.
    ///
    /// - Parameters:
    ///   - fields: the columns wanted; nested ones may be pruned to some of their children.
    ///   - columnOf: the column of the file that holds each leaf field, by field id.
    /// - Returns: one array of `rows.count` values for each field.
    /// - Throws: `corrupt`, `truncated`, `unsupported` with file, column and page.
    package func read(
        _ fields: [LanceField],
        columnOf: [Int32: Int],
        rows: Range<Int>
    ) async throws -> [ArrowArray] {
        guard rows.lowerBound >= 0, rows.upperBound <= rowCount else {
            throw LanceError.invalidArgument("rows \(rows) of a file of \(rowCount) rows").located(file: source.path)
        }
        // Scans start tasks themselves.
        return try await readHere(fields, columnOf: columnOf, ranges: rows.isEmpty ? [] : [rows], keepsPages: false)
    }

    /// Reads rows by number, in the order given, repeats allowed.
    ///
    /// - Parameter dividing: Whether many rows are read in several tasks; not wanted where the caller has some already.
    /// - Throws: as ``read(_:columnOf:rows:)``; `invalidArgument` for a row that is not there.
    package func take(
        _ fields: [LanceField],
        columnOf: [Int32: Int],
        rows: [Int],
        dividing: Bool = true
    ) async throws -> [ArrowArray] {
        if let bad = rows.first(where: { $0 < 0 || $0 >= rowCount }) {
            throw LanceError.invalidArgument("row \(bad) of a file of \(rowCount) rows").located(file: source.path)
        }
        if zip(rows, rows.dropFirst()).allSatisfy({ $0 < $1 }) {
            return try await readSome(fields, columnOf: columnOf, ranges: Self.ranges(of: rows), dividing: dividing)
        }
        // Each row once, and where in the result it belongs; sorting is cheaper than hashing.
        let sorted = rows.enumerated().sorted { $0.element < $1.element }
        var wanted: [Int] = []
        wanted.reserveCapacity(rows.count)
        var order = [Int](repeating: 0, count: rows.count)
        for (position, row) in sorted {
            if wanted.last != row { wanted.append(row) }
            order[position] = wanted.count - 1
        }
        let ranges = Self.ranges(of: wanted)
        let arrays = try await readSome(fields, columnOf: columnOf, ranges: ranges, dividing: dividing)
        return try arrays.map { try $0.gather(order) }
    }

    /// Ascending rows, neighbours together.
    private static func ranges(of rows: [Int]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(rows.count)
        for row in rows {
            if let last = ranges.last, last.upperBound == row {
                ranges[ranges.count - 1] = last.lowerBound..<(row + 1)
            } else {
                ranges.append(row..<(row + 1))
            }
        }
        return ranges
    }

    /// Scattered ranges, counted for each leaf column, that are worth a task of their own: waking a thread takes as long
    /// as 20 to 50 reads from the page cache.
    private static let rangesPerTask = 24
    /// The same when only one leaf column is read: there is less to decode.
    private static let rangesOfOnePerTask = 64
    /// The same when all pages are in memory.
    private static let keptRangesPerTask = 400
    /// Most tasks that one read is divided into.
    private static let mostTasks = 8

    /// Reads ascending row ranges that do not overlap.
    private func readSome(
        _ fields: [LanceField],
        columnOf: [Int32: Int],
        ranges: [Range<Int>],
        dividing: Bool
    ) async throws -> [ArrowArray] {
        let leaves = fields.flatMap(\.leaves)
        let unkept = leaves.count == 1 ? Self.rangesOfOnePerTask : Self.rangesPerTask
        if dividing, ranges.count * leaves.count >= 2 * unkept, ranges.count > 1 {
            let wanted = leaves.compactMap { columnOf[$0.id] }.filter { columns.indices.contains($0) }
            let perTask = pageCache.keepsAll(of: wanted) ? Self.keptRangesPerTask : unkept
            let tasks = min(ranges.count * leaves.count / perTask, Self.mostTasks)
            if tasks > 1 { return try await read(fields, columnOf: columnOf, ranges: ranges, tasks: tasks) }
        }
        return try await readHere(fields, columnOf: columnOf, ranges: ranges, keepsPages: true)
    }

    /// Reads groups of columns, or parts of the ranges of each column, in tasks of their own.
    private func read(
        _ fields: [LanceField],
        columnOf: [Int32: Int],
        ranges: [Range<Int>],
        tasks: Int
    ) async throws -> [ArrowArray] {
        let groups = min(fields.count, tasks)
        let slices = min((tasks + groups - 1) / groups, ranges.count)
        return try await withThrowingTaskGroup(of: (Int, [ArrowArray]).self) { group in
            for number in 0..<groups {
                let some = Array(fields.part(number, of: groups))
                for slice in 0..<slices {
                    let rows = Array(ranges.part(slice, of: slices))
                    group.addTask {
                        (
                            number * slices + slice,
                            try await self.readHere(some, columnOf: columnOf, ranges: rows, keepsPages: true)
                        )
                    }
                }
            }
            var parts = [[ArrowArray]](repeating: [], count: groups * slices)
            for try await (index, arrays) in group { parts[index] = arrays }
            if slices == 1 { return parts.flatMap { $0 } }
            var result: [ArrowArray] = []
            for number in 0..<groups {
                let own = parts.part(number, of: groups)
                for column in 0..<fields.part(number, of: groups).count {
                    result.append(try ArrowArray.concatenating(own.map { $0[column] }))
                }
            }
            return result
        }
    }

    /// Reads in the task of the caller, one column after the other, with one read for all of them.
    ///
    /// - Parameter keepsPages: Whether pages that are read again and again stay in memory.
    private func readHere(
        _ fields: [LanceField],
        columnOf: [Int32: Int],
        ranges: [Range<Int>],
        keepsPages: Bool
    ) async throws -> [ArrowArray] {
        do {
            var reads: [LeafRead] = []
            for leaf in fields.flatMap({ $0.leafLayouts() }) {
                guard let column = columnOf[leaf.field.id], columns.indices.contains(column) else {
                    throw LanceError.corrupt("the file has no column for field \(leaf.field.id) \"\(leaf.field.name)\"")
                }
                reads.append(try LeafRead(leaf, column: column, ranges: ranges, of: self))
            }
            try await prepare(reads)
            let indexes = try await readIndexes(reads)
            let data = try await readData(reads, indexes, keepsPages: keepsPages)
            var decoded: [DecodedLeaf] = []
            decoded.reserveCapacity(reads.count)
            var part = 0
            for read in reads {
                let leaf = try read.decode(index: indexes, data: data, first: part)
                part += read.parts.count
                try await leaf.resolve(from: source)
                decoded.append(leaf)
            }
            let rowCount = ranges.reduce(0) { $0 + $1.count }
            var rest = decoded[...]
            var result: [ArrowArray] = []
            for field in fields { result.append(try field.assemble(&rest, rowCount: rowCount)) }
            return result
        } catch let error as LanceError {
            throw error.located(file: source.path)
        }
    }
}

extension Array {
    /// One of `count` parts of nearly equal size.
    fileprivate func part(_ number: Int, of count: Int) -> ArraySlice<Element> {
        self[(self.count * number / count)..<(self.count * (number + 1) / count)]
    }
}
