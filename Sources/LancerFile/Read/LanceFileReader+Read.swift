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
            for (read, (index, data)) in zip(reads, zip(indexes, data)) {
                var leaf = try read.decode(index: index, data: data, in: self)
                if read.field.isBlobV2 {
                    try await leaf.resolveDescriptors(from: source)
                } else if let blobs = leaf.blobs {
                    try await leaf.resolve(blobs, from: source)
                }
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

    /// Makes sure that the search structures of all pages touched are in the cache or in the reads.
    private func prepare(_ reads: [LeafRead]) async throws {
        var missing: [(read: LeafRead, part: Int, page: Int, pending: PendingPage)] = []
        var ranges: [Range<UInt64>] = []
        for read in reads {
            for (number, part) in read.parts.enumerated() {
                let cached = pageCache.page(read.column, part.page)
                part.data = cached.data
                part.prepared = cached.prepared
                if cached.prepared == nil {
                    let pending = try PendingPage(read, part.page, self)
                    ranges += pending.ranges
                    missing.append((read, number, part.page, pending))
                }
            }
        }
        guard !missing.isEmpty else { return }
        let buffers = ranges.isEmpty ? [] : try await source.read(ranges)
        var next = 0
        for item in missing {
            let own = Array(buffers[next..<(next + item.pending.ranges.count)])
            next += own.count
            let page = try item.pending.prepare(own)
            item.read.parts[item.part].prepared = page
            pageCache.store(page, item.read.column, item.page)
        }
    }

    /// Reads the index entries that some pages need before they can say where their rows are.
    private func readIndexes(_ reads: [LeafRead]) async throws -> [[PageData]] {
        var plans: [[[PageRange]]] = []
        for read in reads { plans.append(read.parts.map { $0.prepared?.indexRanges($0.ranges) ?? [] }) }
        return try await fetch(reads, plans)
    }

    private func readData(
        _ reads: [LeafRead],
        _ indexes: [[PageData]],
        keepsPages: Bool
    ) async throws -> [[PageData]] {
        var plans: [[[PageRange]]] = []
        var kept: [(read: Int, part: Int)] = []
        for (number, (read, indexes)) in zip(reads, indexes).enumerated() {
            var parts: [[PageRange]] = []
            for (part, index) in zip(read.parts, indexes) {
                if part.data != nil {
                    parts.append([])
                    continue
                }
                var plan = try part.prepared?.plan(part.ranges, index: index) ?? []
                if keepsPages, let all = part.prepared?.keepable {
                    let wanted = plan.reduce(0) { $0 + $1.bytes.count }
                    if pageCache.earns(wanted, of: all.bytes.count, read.column, part.page) {
                        plan = [all]
                        kept.append((number, parts.count))
                    }
                }
                parts.append(plan)
            }
            plans.append(parts)
        }
        var data = try await fetch(reads, plans)
        for (number, read) in reads.enumerated() {
            for (place, part) in read.parts.enumerated() {
                if let bytes = part.data, let all = part.prepared?.keepable {
                    data[number][place] = PageData([all], [bytes])
                }
            }
        }
        for (number, place) in kept {
            let part = reads[number].parts[place]
            if let all = part.prepared?.keepable {
                pageCache.keep(try data[number][place].bytes(all.buffer, all.bytes), reads[number].column, part.page)
            }
        }
        return data
    }

    /// Reads the planned ranges of all columns and pages in one call.
    private func fetch(_ reads: [LeafRead], _ plans: [[[PageRange]]]) async throws -> [[PageData]] {
        var ranges: [Range<UInt64>] = []
        for (read, parts) in zip(reads, plans) {
            for (part, plan) in zip(read.parts, parts) {
                let page = columns[read.column].pages[part.page]
                for range in plan {
                    let start = page.buffers[range.buffer].lowerBound
                    ranges.append((start + UInt64(range.bytes.lowerBound))..<(start + UInt64(range.bytes.upperBound)))
                }
            }
        }
        let buffers = ranges.isEmpty ? [] : try await source.read(ranges)
        var next = 0
        return plans.map { parts in
            parts.map { plan in
                defer { next += plan.count }
                return PageData(plan, Array(buffers[next..<(next + plan.count)]))
            }
        }
    }
}

extension Array {
    /// One of `count` parts of nearly equal size.
    fileprivate func part(_ number: Int, of count: Int) -> ArraySlice<Element> {
        self[(self.count * number / count)..<(self.count * (number + 1) / count)]
    }
}
