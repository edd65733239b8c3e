import LancerBytes

/// Which bytes of files with checksums are compared with them when they are read. What opens a file, its metadata, is
/// compared always.
package enum ChecksumUse: Sendable, Hashable {
    /// No page.
    case off
    /// Blocks that are read as a whole anyway.
    case wholeBlocks
    /// Every block that is touched: reads are extended to blocks, once for a block that is only touched.
    case allTouched
}

/// A data file whose bytes are compared with their checksums as they are read.
struct ChecksummedSource: RangeSource {
    let source: any RangeSource
    let checksums: FileChecksums
    let use: ChecksumUse

    var path: String { source.path }
    var size: UInt64 { source.size }

    func sidecar(_ name: String) async throws -> any RangeSource { try await source.sidecar(name) }

    func read(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer] {
        switch use {
        case .off: return try await source.read(ranges)
        case .wholeBlocks:
            let buffers = try await source.read(ranges)
            for (range, buffer) in zip(ranges, buffers) where holdsBlock(range) { try await check(buffer, range) }
            return buffers
        case .allTouched:
            let extended = ranges.map(extended)
            let buffers = try await readAll(extended)
            return zip(zip(ranges, extended), buffers).map { ranges, buffer in
                let start = Int(ranges.0.lowerBound - ranges.1.lowerBound)
                return ranges.0 == ranges.1 ? buffer : buffer.slice(start..<(start + ranges.0.count))
            }
        }
    }

    /// Bytes of a range from which on it is read and compared in steps.
    private static let longRange = 1 << 20
    /// Small enough for the processor's second cache, and a multiple of blocks.
    private static let step = 256 << 10

    /// Reads ranges and compares their blocks: long ranges step by step, the others all together.
    private func readAll(_ ranges: [Range<UInt64>]) async throws -> [ArrowBuffer] {
        guard ranges.contains(where: { $0.count >= Self.longRange }) else {
            let buffers = try await source.read(ranges)
            for (range, buffer) in zip(ranges, buffers) where holdsBlock(range) { try await check(buffer, range) }
            return buffers
        }
        let table = try await checksums.blockChecksums()
        let short = ranges.filter { $0.count < Self.longRange }
        var rest = try await (short.isEmpty ? [] : readAll(short))[...]
        var buffers: [ArrowBuffer] = []
        for range in ranges {
            if range.count < Self.longRange {
                buffers.append(rest.removeFirst())
                continue
            }
            buffers.append(
                try await source.read(range, step: Self.step) { (offset, bytes) throws(LanceError) in
                    try checksums.check(bytes, at: offset, table)
                }
            )
        }
        return buffers
    }

    private func check(_ buffer: ArrowBuffer, _ range: Range<UInt64>) async throws {
        try checksums.check(buffer, at: range.lowerBound, try await checksums.blockChecksums())
    }

    /// Whether some block lies whole in a range.
    private func holdsBlock(_ range: Range<UInt64>) -> Bool {
        let size = FileChecksums.blockSize
        let first = (range.lowerBound + size - 1) / size
        let block = checksums.range(ofBlock: first)
        return !block.isEmpty && block.upperBound <= range.upperBound
    }

    /// The range with the rest of the blocks at its ends, where these are not known to be good.
    private func extended(_ range: Range<UInt64>) -> Range<UInt64> {
        guard !range.isEmpty, range.upperBound <= checksums.coveredBytes else { return range }
        let first = range.lowerBound / FileChecksums.blockSize
        let last = (range.upperBound - 1) / FileChecksums.blockSize
        var lower = range.lowerBound
        var upper = range.upperBound
        let firstBlock = checksums.range(ofBlock: first)
        if firstBlock.lowerBound < lower, !checksums.isKnownGood(first) { lower = firstBlock.lowerBound }
        let lastBlock = checksums.range(ofBlock: last)
        if lastBlock.upperBound > upper, !checksums.isKnownGood(last) { upper = lastBlock.upperBound }
        // Both ends in one block: half of it would check nothing.
        if first == last, lower < range.lowerBound || upper > range.upperBound { return firstBlock }
        return lower..<upper
    }
}
