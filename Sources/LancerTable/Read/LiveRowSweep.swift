import LancerArrow
import LancerBytes
import LancerStorage

/// Live rows of one fragment, with where they are.
struct LiveRows: Sendable {
    let fragment: Fragment
    /// Columns of the live rows.
    let batch: RecordBatch
    /// Offset of the first row of the part, live or not.
    private let start: Int
    /// Offsets in the fragment, row by row; nil when the rows follow each other from ``start``.
    private let offsets: [Int]?

    fileprivate init(fragment: Fragment, batch: RecordBatch, start: Int, offsets: [Int]?) {
        self.fragment = fragment
        self.batch = batch
        self.start = start
        self.offsets = offsets
    }

    /// Where row `row` of the batch is.
    func address(of row: Int) -> RowAddress {
        RowAddress(fragment: fragment.id, offset: offsets.map { $0[row] } ?? start + row)
    }
}

extension Table {
    /// Reads columns of all live rows part by part, and works on the parts on all cores.
    ///
    /// Memory holds a few parts of about 4 MiB at a time.
    ///
    /// - Parameters:
    ///   - work: What is done with a part, in any order, several at the same time.
    ///   - collect: Gets the results one after the other, in any order.
    /// - Throws: `corrupt`, `truncated`, `io`, and what `work` and `collect` throw.
    func sweep<Result: Sendable>(
        _ projection: Projection,
        _ work: @escaping @Sendable (LiveRows) throws -> Result,
        _ collect: (Result) throws -> Void
    ) async throws {
        let batchRows = BatchSize.rows(for: projection, of: manifest)
        try await withThrowingTaskGroup(of: Result?.self) { group in
            var running = 0
            for fragment in manifest.fragments {
                let rows = try await files.physicalRowCount(of: fragment, manifest)
                let deleted = try await files.deletionVector(of: fragment, manifest)
                for start in stride(from: 0, to: rows, by: batchRows) {
                    let part = start..<Swift.min(start + batchRows, rows)
                    if running >= Machine.readAhead {
                        if let result = try await group.next() ?? nil { try collect(result) }
                        running -= 1
                    }
                    group.addTask { try await read(part, fragment, deleted, projection).map(work) }
                    running += 1
                }
            }
            while let result = try await group.next() {
                if let result { try collect(result) }
            }
        }
    }

    /// The live rows among `rows`; nil when there is none.
    private func read(
        _ rows: Range<Int>,
        _ fragment: Fragment,
        _ deleted: DeletionVector?,
        _ projection: Projection
    ) async throws -> LiveRows? {
        try Task.checkCancellation()
        let live = deleted?.liveRanges(in: rows) ?? [rows]
        let count = live.reduce(0) { $0 + $1.count }
        if count == 0 { return nil }
        let reader = try await FragmentReader(fragment, projection, manifest, files)
        if count == rows.count {
            let batch = try projection.batch(try await reader.read(rows), rowCount: count)
            return LiveRows(fragment: fragment, batch: batch, start: rows.lowerBound, offsets: nil)
        }
        let offsets = live.flatMap { Array($0) }
        let selection = deleted?.liveBitmap(in: rows) ?? Bitmap(repeating: true, count: rows.count)
        let arrays = try await reader.read(RowChoice(rows: rows, bitmap: selection), asScan: true)
        let batch = try projection.batch(arrays, rowCount: count)
        return LiveRows(fragment: fragment, batch: batch, start: rows.lowerBound, offsets: offsets)
    }

    /// Rows by address, in the order given, deleted ones too.
    ///
    /// - Throws: `invalidArgument` for an address where no row is, `corrupt`, `truncated`, `io`.
    func take(at addresses: [RowAddress], _ projection: Projection) async throws -> RecordBatch {
        var positions: [UInt64: [Int]] = [:]
        for (position, address) in addresses.enumerated() { positions[address.fragment, default: []].append(position) }
        let fragments = Dictionary(manifest.fragments.map { ($0.id, $0) }) { first, _ in first }
        var parts: [[ArrowArray]] = []
        var inverse = [Int](repeating: 0, count: addresses.count)
        var place = 0
        for (id, members) in positions.sorted(by: { $0.key < $1.key }) {
            guard let fragment = fragments[id] else { throw LanceError.invalidArgument("there is no fragment \(id)") }
            let reader = try await FragmentReader(fragment, projection, manifest, files)
            parts.append(try await reader.take(members.map { Int(addresses[$0].offset) }))
            for member in members {
                inverse[member] = place
                place += 1
            }
        }
        if parts.isEmpty { return try projection.batch(projection.emptyArrays, rowCount: 0) }
        if parts.count == 1 { return try projection.batch(parts[0], rowCount: addresses.count) }
        var arrays: [ArrowArray] = []
        for column in projection.fields.indices {
            arrays.append(try ArrowArray.concatenating(parts.map { $0[column] }).gather(inverse))
        }
        return try projection.batch(arrays, rowCount: addresses.count)
    }
}
