import LancerBytes
import LancerProto
import SwiftProtobuf

/// The stable ids of a fragment's rows in order, deleted rows counted.
///
/// Kept as ranges, so that memory follows the number of breaks and not of rows. Spec: 10-table.md, "Stable row ids".
package struct RowIDSequence: Sendable, Hashable {
    /// Ids in order; a range never begins where the one before ends.
    package private(set) var ranges: [Range<UInt64>] = []
    /// Number of ids up to the end of each range.
    private var ends: [Int] = []

    /// No ids.
    package init() {}

    /// Number of ids.
    package var count: Int { ends.last ?? 0 }

    /// Adds ids behind the others.
    package mutating func append(_ ids: Range<UInt64>) {
        guard !ids.isEmpty else { return }
        if let last = ranges.last, last.upperBound == ids.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<ids.upperBound
            ends[ends.count - 1] += ids.count
        } else {
            ranges.append(ids)
            ends.append(count + ids.count)
        }
    }

    /// Adds one id behind the others.
    package mutating func append(_ id: UInt64) { append(id..<(id + 1)) }

    /// The id of the row at an offset, which must be below ``count``.
    ///
    /// - Complexity: logarithmic in the number of ranges.
    package subscript(offset: Int) -> UInt64 {
        let index = index(of: offset)
        let start = index == 0 ? 0 : ends[index - 1]
        return ranges[index].lowerBound + UInt64(offset - start)
    }

    /// The ids of some rows, given as ascending ranges of offsets below ``count``.
    package func selecting(_ offsets: [Range<Int>]) -> RowIDSequence {
        var result = RowIDSequence()
        for part in offsets where !part.isEmpty {
            var index = index(of: part.lowerBound)
            var position = part.lowerBound
            while position < part.upperBound {
                let start = index == 0 ? 0 : ends[index - 1]
                let end = Swift.min(part.upperBound, ends[index])
                let first = ranges[index].lowerBound + UInt64(position - start)
                result.append(first..<(first + UInt64(end - position)))
                position = end
                index += 1
            }
        }
        return result
    }

    /// The range that holds the id at an offset.
    private func index(of offset: Int) -> Int {
        var (low, high) = (0, ends.count)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension RowIDSequence {
    /// The ids of a fragment's rows. A fragment that is not committed yet may have fewer: of its first rows.
    ///
    /// - Throws: `corrupt`, `unsupported` when the ids are in a file of their own.
    package init(of fragment: Fragment) throws(LanceError) {
        guard case .inlineRowIds(let bytes) = fragment.message.rowIDSequence else {
            throw fragment.message.rowIDSequence == nil
                ? .corrupt("fragment \(fragment.id) has no row ids")
                : .unsupported("the row ids of fragment \(fragment.id) are in a file of their own")
        }
        do throws(LanceError) {
            let message = try ArrowBuffer(Array(bytes)).decoded(as: Lance_Table_RowIdSequence.self, "row id")
            try self.init(message)
        } catch {
            throw error.located(part: "fragment \(fragment.id)")
        }
        if let rows = fragment.physicalRowCount, count > rows {
            throw .corrupt("fragment \(fragment.id) has \(rows) rows and \(count) row ids")
        }
    }

    init(_ message: Lance_Table_RowIdSequence) throws(LanceError) {
        for segment in message.segments {
            try segment.visit { (ids) throws(LanceError) in
                guard ids.count <= Int(UInt32.max), count <= Int(UInt32.max) else {
                    throw .corrupt("there are too many row ids for a fragment")
                }
                append(ids)
            }
        }
    }

    /// The message, with each part of the ids in the form that takes the fewest bytes.
    package var message: Lance_Table_RowIdSequence {
        var segments: [Lance_Table_U64Segment] = []
        for part in ascendingParts { segments.append(Self.segment(part)) }
        // Ids without any order: one array instead of a segment for each.
        if segments.count > 16, segments.count > count / 4 { segments = [Self.array(ranges, isSorted: false)] }
        return .with { $0.segments = segments }
    }

    /// Neighbouring ranges that ascend, cut where few of the ids in between are there.
    private var ascendingParts: [ArraySlice<Range<UInt64>>] {
        var parts: [ArraySlice<Range<UInt64>>] = []
        var start = 0
        for index in ranges.indices.dropFirst() {
            let (last, next) = (ranges[index - 1], ranges[index])
            if next.lowerBound < last.upperBound || next.lowerBound - last.upperBound > 1024 {
                parts.append(ranges[start..<index])
                start = index
            }
        }
        if start < ranges.count { parts.append(ranges[start...]) }
        return parts
    }

    private static func segment(_ part: ArraySlice<Range<UInt64>>) -> Lance_Table_U64Segment {
        guard let first = part.first, let last = part.last else { return .init() }
        if part.count == 1 {
            return .with {
                $0.range = .with {
                    $0.start = first.lowerBound
                    $0.end = first.upperBound
                }
            }
        }
        let count = part.reduce(0) { $0 + $1.count }
        let span = last.upperBound - first.lowerBound
        if UInt64(count) * 16 < span { return array(Array(part), isSorted: true) }
        var bitmap = [UInt8](repeating: 0, count: Int((span + 7) / 8))
        for range in part {
            for id in range {
                let bit = Int(id - first.lowerBound)
                bitmap[bit >> 3] |= 1 << UInt8(bit & 7)
            }
        }
        return .with {
            $0.rangeWithBitmap = .with {
                $0.start = first.lowerBound
                $0.end = last.upperBound
                $0.bitmap = ArrowBuffer(bitmap).data
            }
        }
    }

    private static func array(_ ranges: [Range<UInt64>], isSorted: Bool) -> Lance_Table_U64Segment {
        let base = ranges.map(\.lowerBound).min() ?? 0
        let highest = ranges.map(\.upperBound).max() ?? 0
        var builder = BufferBuilder()
        let array: Lance_Table_EncodedU64Array
        if highest - base <= 1 << 16 {
            for id in ranges.joined() { builder.append(UInt16(truncatingIfNeeded: id - base)) }
            let offsets = builder.finish().data
            array = .with {
                $0.u16Array = .with {
                    $0.base = base
                    $0.offsets = offsets
                }
            }
        } else if highest - base <= 1 << 32 {
            for id in ranges.joined() { builder.append(UInt32(truncatingIfNeeded: id - base)) }
            let offsets = builder.finish().data
            array = .with {
                $0.u32Array = .with {
                    $0.base = base
                    $0.offsets = offsets
                }
            }
        } else {
            for id in ranges.joined() { builder.append(id) }
            let values = builder.finish().data
            array = .with { $0.u64Array = .with { $0.values = values } }
        }
        return .with { if isSorted { $0.sortedArray = array } else { $0.array = array } }
    }
}
