import LancerArrow
import LancerBytes
import LancerFile
import LancerIndex
import LancerStorage

/// The vectors of some fragments' live rows, for building an index.
struct TableVectors: VectorSource {
    private let table: Table
    private let column: VectorColumn
    private let fragments: [Fragment]
    /// Live rows before each fragment, and behind the last one all.
    private let starts: [Int]
    private let memoryLimit: Int

    /// - Parameter memoryLimit: Bytes that the build may use; a part of them goes to blocks that are read ahead.
    /// - Throws: `corrupt`, `io`, and only for tables whose manifest lacks the numbers of rows.
    init(_ table: Table, _ column: VectorColumn, _ fragments: [Fragment], memoryLimit: Int) async throws {
        self.table = table
        self.memoryLimit = memoryLimit
        self.column = column
        self.fragments = fragments
        var starts = [0]
        for fragment in fragments {
            starts.append(starts[starts.count - 1] + (try await table.files.liveRowCount(of: fragment, table.manifest)))
        }
        self.starts = starts
    }

    var rowCount: Int { starts[starts.count - 1] }

    func sample(_ count: Int, seed: UInt64) async throws -> VectorBlock {
        var random = SeededRandom(seed: seed)
        var block = try await rows(random.sample(count, of: rowCount))
        let valid = block.validity?.setCount ?? block.count
        // Rows without a vector teach nothing: others are taken for them, as far as there are any.
        guard valid < block.count, block.count < rowCount else { return Self.withoutNulls(block, column) }
        let share = Swift.max(Double(valid) / Double(block.count), 1e-3)
        let wanted = Swift.min(Double(rowCount), (Double(count) / share * 1.1).rounded(.up) + 64)
        block = Self.withoutNulls(try await rows(random.sample(Int(wanted), of: rowCount)), column)
        guard block.count > count else { return block }
        return Self.gathered(block, random.sample(count, of: block.count), column)
    }

    func forEachBlock(_ body: (VectorBlock) async throws -> Void) async throws {
        // A block is there as it was read, as floats and as codes.
        let width = column.dimension * (column.element.byteCount + 8)
        let most = memoryLimit / 2 / (Machine.readAhead + 1) / width
        let pieceRows = Swift.max(1, Swift.min(BatchSize.rows(for: column.projection, of: table.manifest), most))
        let (table, column) = (table, column)
        let stream = PieceStream(PieceCutter(table, fragments, pieceRows: pieceRows)) { piece in
            let batch = try await table.read(piece, column.projection)
            let values = try column.values(batch.columns[0])
            let ids = try table.rowIDs(piece.liveRanges, of: piece.fragment).flatMap { Array($0) }
            return VectorBlock(rowIDs: ids, values: Self.packed(values, column), validity: values.valid)
        }
        while let block = try await stream.next() { try await body(block) }
    }

    /// Rows by number, ascending.
    private func rows(_ numbers: [Int]) async throws -> VectorBlock {
        var ids: [UInt64] = []
        ids.reserveCapacity(numbers.count)
        var valid = BitmapBuilder(capacity: numbers.count)
        let width = column.dimension * column.element.byteCount
        var values = BufferBuilder(capacity: numbers.count * width)
        let step = Swift.max(64, Swift.min(BatchSize.targetBytes, memoryLimit / 32) / width)
        var next = 0
        for (index, fragment) in fragments.enumerated() {
            var offsets: [Int] = []
            let deleted = try await table.files.deletionVector(of: fragment, table.manifest)
            while next < numbers.count, numbers[next] < starts[index + 1] {
                let row = numbers[next] - starts[index]
                offsets.append(deleted?.offset(ofLiveRow: row) ?? row)
                next += 1
            }
            for start in stride(from: 0, to: offsets.count, by: step) {
                try Task.checkCancellation()
                let part = Array(offsets[start..<Swift.min(start + step, offsets.count)])
                let addresses = part.map { RowAddress(fragment: fragment.id, offset: $0) }
                let batch = try await table.take(at: addresses, column.projection)
                let block = try column.values(batch.columns[0])
                values.append(contentsOf: Self.packed(block, column))
                for row in 0..<block.count { valid.append(block.valid?[row] ?? true) }
                ids += try table.rowIDs(at: addresses)
            }
        }
        return VectorBlock(rowIDs: ids, values: values.finish(), validity: valid.finish())
    }

    /// The vectors' bytes and no more.
    private static func packed(_ values: VectorValues, _ column: VectorColumn) -> ArrowBuffer {
        values.buffer.slice(0..<(values.count * column.dimension * column.element.byteCount))
    }

    private static func withoutNulls(_ block: VectorBlock, _ column: VectorColumn) -> VectorBlock {
        guard let valid = block.validity, valid.setCount < valid.count else {
            return VectorBlock(rowIDs: block.rowIDs, values: block.values)
        }
        return gathered(block, (0..<block.count).filter { valid[$0] }, column)
    }

    private static func gathered(_ block: VectorBlock, _ rows: [Int], _ column: VectorColumn) -> VectorBlock {
        let width = column.dimension * column.element.byteCount
        let values = ArrowBuffer(count: rows.count * width) { target in
            block.values.withUnsafeBytes { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                for (place, row) in rows.enumerated() {
                    (to + place * width).copyMemory(from: from + row * width, byteCount: width)
                }
            }
        }
        return VectorBlock(rowIDs: rows.map { block.rowIDs[$0] }, values: values)
    }
}

extension Table {
    /// Ids of the rows of a fragment, given as runs of offsets: the stable ones, or in tables without those the addresses.
    ///
    /// - Throws: `corrupt`, `unsupported`.
    func rowIDs(_ runs: [Range<Int>], of fragment: Fragment) throws(LanceError) -> [Range<UInt64>] {
        guard manifest.hasStableRowIDs else {
            return runs.map {
                let first = RowAddress(fragment: fragment.id, offset: $0.lowerBound).rawValue
                return first..<(first + UInt64($0.count))
            }
        }
        return try RowIDSequence(of: fragment).selecting(runs).ranges
    }
}

/// Scratch files beside the index that is being written.
struct IndexScratch: ScratchSpace {
    let store: any ObjectStore
    let directory: String

    func makeFile() throws(LanceError) -> any ScratchFile {
        StoreScratchFile(try store.makeScratch(in: directory))
    }
}

private final class StoreScratchFile: ScratchFile {
    private let object: any ScratchObject

    init(_ object: any ScratchObject) { self.object = object }

    func append(_ bytes: UnsafeRawBufferPointer) throws(LanceError) { try object.append(bytes) }
    func read(offset: Int, count: Int) throws(LanceError) -> ArrowBuffer {
        try object.read(offset: offset, count: count)
    }
    func remove() { object.remove() }
}
