import LancerArrow
import LancerBytes
import LancerFile

extension SegmentFiles {
    /// Rows of consecutive partitions that are read at once, in bytes.
    static let readBytes = 16 << 20

    /// Ids and vectors or codes of some rows of the auxiliary file, as they are stored.
    func stored(_ range: Range<Int>) async throws -> (rowIDs: ArrowBuffer, codes: ArrowBuffer) {
        let arrays = try await auxiliary.columns(
            [Name.rowID, Self.codeColumn(model.kind)],
            rows: range
        )
        do {
            return (
                try arrays[0].plainValues(Name.rowID, byteCount: 8 * range.count),
                try arrays[1].plainValues(
                    Self.codeColumn(model.kind),
                    byteCount: model.codeByteCount * range.count
                )
            )
        } catch {
            throw error.located(file: auxiliary.source.path)
        }
    }

    /// The graph of a partition, checked.
    func graph(_ partition: Int) async throws -> HNSWGraph {
        let stored = graphs[partition]
        let arrays = try await index.columns([Name.vectorID, Name.neighbors], rows: stored.rows)
        do {
            let members = try arrays[0].plainValues(Name.vectorID, byteCount: 4 * stored.rows.count).uint32s
            guard case .list(let offsetBuffer, let child) = arrays[1].storage, arrays[1].nullCount == 0 else {
                throw LanceError.corrupt("neighbours of a graph are null")
            }
            let span = arrays[1].offsetRange()
            let neighbors = try child.slice(span).plainValues(Name.neighbors, byteCount: 4 * span.count)
            let offsets = offsetBuffer.aligned(to: 4).withValues(of: Int32.self) { offsets in
                offsets.map { Int($0) - span.lowerBound }
            }
            var levels: [HNSWGraph.StoredLevel] = []
            for (start, end) in zip(stored.levelOffsets, stored.levelOffsets.dropFirst()) {
                // Every level keeps one offset more than it has rows, also when it has none.
                let first = offsets.isEmpty ? 0 : offsets[start]
                let last = offsets.isEmpty ? 0 : offsets[end]
                levels.append(
                    HNSWGraph.StoredLevel(
                        members: Array(members[start..<end]),
                        offsets: offsets.isEmpty ? [0] : offsets[start...end].map { UInt32($0 - first) },
                        neighborIDs: neighbors.slice(4 * first..<4 * last).uint32s
                    )
                )
            }
            return try HNSWGraph(
                validating: levels,
                entryPoint: stored.entryPoint,
                count: rows.ranges[partition].count
            )
        } catch let error as LanceError {
            throw error.located(file: index.source.path, part: "graph of partition \(partition)")
        }
    }

    /// Consecutive partitions, decoded.
    func decoded(_ partitions: Range<Int>) async throws -> [DecodedPartition] {
        let full = partitions.filter { !rows.ranges[$0].isEmpty }
        var result: [DecodedPartition] = []
        guard let first = full.first, let last = full.last else {
            return partitions.map {
                DecodedPartition(model, number: $0, rowIDs: .empty, codes: .empty, graph: nil)
            }
        }
        // Writers store partitions in order; where one did not, each is read for itself.
        let whole = rows.ranges[first].lowerBound..<max(rows.ranges[first].lowerBound, rows.ranges[last].upperBound)
        let isTogether = full.reduce(0) { $0 + rows.ranges[$1].count } == whole.count
        let all = isTogether ? try await stored(whole) : (rowIDs: .empty, codes: .empty)
        for number in partitions {
            let range = rows.ranges[number]
            var part = (rowIDs: ArrowBuffer.empty, codes: ArrowBuffer.empty)
            if range.isEmpty {
                // Nothing to read.
            } else if isTogether {
                let start = range.lowerBound - whole.lowerBound
                part.rowIDs = all.rowIDs.slice(8 * start..<8 * (start + range.count))
                let width = model.codeByteCount
                part.codes = all.codes.slice(width * start..<width * (start + range.count))
                if full.count > 1 {
                    // Copies: a slice would hold the others' memory as long as it is kept.
                    part.rowIDs = part.rowIDs.withUnsafeBytes { ArrowBuffer(copying: $0) }
                    part.codes = part.codes.withUnsafeBytes { ArrowBuffer(copying: $0) }
                }
            } else {
                part = try await stored(range)
            }
            let graph = model.kind.hasGraph && !range.isEmpty ? try await graph(number) : nil
            result.append(
                DecodedPartition(model, number: number, rowIDs: part.rowIDs, codes: part.codes, graph: graph)
            )
        }
        return result
    }
}

extension LanceFileReader {
    /// Some top-level columns by name.
    func columns(_ names: [String], rows: Range<Int>) async throws -> [ArrowArray] {
        var fields: [LanceField] = []
        for name in names {
            guard let field = schema.field(named: name) else {
                throw LanceError.corrupt("no column \"\(name)\"").located(file: source.path)
            }
            fields.append(field)
        }
        var columnOf: [Int32: Int] = [:]
        for (index, leaf) in schema.leaves.enumerated() { columnOf[leaf.id] = index }
        return try await read(fields, columnOf: columnOf, rows: rows)
    }
}

extension ArrowArray {
    /// The memory of numbers, or of fixed-size lists of numbers, none of which may be null.
    ///
    /// - Throws: `corrupt`.
    fileprivate func plainValues(_ name: String, byteCount: Int) throws(LanceError) -> ArrowBuffer {
        guard nullCount == 0 else { throw .corrupt("column \"\(name)\" of the index has nulls") }
        switch storage {
        case .fixedWidth(let values):
            guard values.count == byteCount else {
                throw .corrupt("column \"\(name)\" of the index has \(values.count) bytes instead of \(byteCount)")
            }
            return values
        case .fixedSizeList(let child): return try child.plainValues(name, byteCount: byteCount)
        default: throw .corrupt("column \"\(name)\" of the index has another type")
        }
    }
}

extension ArrowBuffer {
    fileprivate var uint32s: [UInt32] { aligned(to: 4).withValues(of: UInt32.self) { Array($0) } }
}
