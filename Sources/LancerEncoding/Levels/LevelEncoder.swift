import LancerBytes
import LancerCodecs

/// Compresses the repetition or the definition levels of a page, chunk by chunk.
///
/// All chunks of a page share one encoding: raw words, FastLanes blocks (width in the block when a chunk has at most
/// 1024 levels, else in the layout), or from 2.2 on runs. The smallest wins. Spec: 07-encodings.md, "Contexts".
struct LevelEncoder {
    private enum Choice {
        case flat
        case inline
        case outOfLine(width: Int)
        case runs
    }

    private let levels: [UInt16]
    private let bounds: [Int]
    private let choice: Choice
    /// Bytes of all chunks' levels.
    let estimatedBytes: Int

    /// Chooses for `levels` cut at `bounds` (the start of each chunk and the end).
    init(_ levels: [UInt16], _ bounds: [Int], allowsRunLength: Bool) {
        self.levels = levels
        self.bounds = bounds
        var all: UInt16 = 0
        for level in levels { all |= level }
        let width = Swift.max(1, 16 - all.leadingZeroBitCount)
        var flat = 0
        var packed = 0
        var inline = 0
        var leastRuns = 0
        var longest = 0
        levels.withUnsafeBufferPointer { levels in
            guard let base = levels.baseAddress else { return }
            for chunk in 0..<(bounds.count - 1) {
                let count = bounds[chunk + 1] - bounds[chunk]
                longest = Swift.max(longest, count)
                flat += count * 2
                packed += BlockPackingEncoder.byteCount(count, width: width, wordBits: 16)
                inline += 2 + FastLanes.packedByteCount(width: width)
                leastRuns += 8 + 3 * Swift.min(count, 1 + LevelWords.changes(base, bounds[chunk]..<bounds[chunk + 1]))
            }
        }
        var best = flat
        var choice = Choice.flat
        if longest <= FastLanes.blockValues {
            if inline < best {
                best = inline
                choice = .inline
            }
        }
        // Blocks with their width in the layout save two bytes a chunk, and may leave the tail unpacked.
        if packed < best, longest > FastLanes.blockValues || bounds.count > 2 {
            best = packed
            choice = .outOfLine(width: width)
        }
        // Long runs are cut: there are at least as many as changes.
        if allowsRunLength, leastRuns < best {
            let runs = levels.withUnsafeBufferPointer { levels in
                (1..<bounds.count).reduce(0) { $0 + 8 + 3 * Self.runCount(levels, bounds[$1 - 1]..<bounds[$1]) }
            }
            if runs < best {
                best = runs
                choice = .runs
            }
        }
        self.choice = choice
        estimatedBytes = best
    }

    /// As the layout describes it.
    var encoding: CompressiveEncoding {
        switch choice {
        case .flat: .flat(bits: 16)
        case .inline: .inlineBitpacking(wordBits: 16)
        case .outOfLine(let width): .outOfLineBitpacking(wordBits: 16, packedBits: width)
        case .runs: .runLength(values: .flat(bits: 16), lengths: .flat(bits: 8))
        }
    }

    /// Appends the levels of one chunk.
    func append(chunk: Int, to data: inout BufferBuilder) {
        let range = bounds[chunk]..<bounds[chunk + 1]
        levels.withUnsafeBufferPointer { levels in
            let part = UnsafeBufferPointer(rebasing: levels[range])
            switch choice {
            case .flat: data.append(UnsafeRawBufferPointer(part))
            case .inline:
                let width = FastLanes.bitWidth(of: part)
                data.append(UInt16(width))
                BlockPackingEncoder.appendOne(part, width: width, to: &data)
            case .outOfLine(let width): BlockPackingEncoder.append(part, width: width, to: &data)
            case .runs: Self.appendRuns(part, to: &data)
            }
        }
    }

    /// `u64 bytes of the run values · run values · run lengths (u8)`.
    private static func appendRuns(_ levels: UnsafeBufferPointer<UInt16>, to data: inout BufferBuilder) {
        let count = runCount(levels, 0..<levels.count)
        data.append(UInt64(count * 2))
        data.append(upTo: count * 3) { target in
            var run = 0
            var position = 0
            while position < levels.count {
                let value = levels[position]
                let end = runEnd(levels, from: position, limit: levels.count)
                target.storeBytes(of: value, toByteOffset: run * 2, as: UInt16.self)
                target[count * 2 + run] = UInt8(end - position)
                run += 1
                position = end
            }
            return count * 3
        }
    }

    private static func runCount(_ levels: UnsafeBufferPointer<UInt16>, _ range: Range<Int>) -> Int {
        var runs = 0
        var position = range.lowerBound
        while position < range.upperBound {
            position = runEnd(levels, from: position, limit: range.upperBound)
            runs += 1
        }
        return runs
    }

    /// Where the run of equal levels that starts at `start` ends: at `limit`, or when it is as long as runs get.
    ///
    /// Compares four levels at a time; in most chunks runs are long.
    @inline(__always)
    private static func runEnd(_ levels: UnsafeBufferPointer<UInt16>, from start: Int, limit: Int) -> Int {
        let limit = Swift.min(limit, start &+ 255)
        guard let base = levels.baseAddress else { return limit }
        let bytes = UnsafeRawPointer(base)
        let value = UInt64(base[start]) &* 0x0001_0001_0001_0001
        var end = start &+ 1
        while end &+ 4 <= limit {
            let word = bytes.loadUnaligned(fromByteOffset: end &* 2, as: UInt64.self).littleEndian
            if word != value { return end &+ (word ^ value).trailingZeroBitCount / 16 }
            end &+= 4
        }
        while end < limit, base[end] == base[start] { end &+= 1 }
        return end
    }
}
