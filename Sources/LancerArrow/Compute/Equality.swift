import LancerBytes

extension ArrowArray {
    /// Whether both arrays have the same type and the same values.
    ///
    /// Nulls are equal to each other whatever lies under them; floats are compared by their bits, so that NaN payloads
    /// and the sign of zero count; dictionaries by the values they stand for; slicing makes no difference.
    public func isEqual(to other: ArrowArray) -> Bool { firstDifference(from: other) == nil }

    /// Where the arrays differ and how, or nil when they are equal as ``isEqual(to:)`` means it.
    public func firstDifference(from other: ArrowArray) -> String? {
        if type != other.type { return "types \(type) and \(other.type)" }
        if length != other.length { return "\(length) and \(other.length) values" }
        return Comparison.difference(self, 0, other, 0, length).map { "value \($0.index)\($0.detail)" }
    }
}

/// Compares ranges of two arrays of the same type.
private enum Comparison {
    struct Difference {
        /// Counted from the start of the compared range.
        var index: Int
        var detail: String
    }

    static func difference(
        _ left: ArrowArray,
        _ leftStart: Int,
        _ right: ArrowArray,
        _ rightStart: Int,
        _ count: Int
    ) -> Difference? {
        if count == 0 { return nil }
        if case .dictionary(let leftKeys, let leftValues) = left.storage,
            case .dictionary(let rightKeys, let rightValues) = right.storage
        {
            return dictionaries(
                (left, leftStart, leftKeys, leftValues),
                (right, rightStart, rightKeys, rightValues),
                count
            )
        }
        if case .null = left.type { return nil }
        // Values before the first null that only one side has, then that null.
        let limit = firstValidityDifference(left, leftStart, right, rightStart, count) ?? count
        if let found = valueDifference(left, leftStart, right, rightStart, limit) { return found }
        if limit == count { return nil }
        return leaf(left, leftStart, right, rightStart, limit)
    }

    private static func leaf(
        _ left: ArrowArray,
        _ leftStart: Int,
        _ right: ArrowArray,
        _ rightStart: Int,
        _ index: Int
    ) -> Difference {
        let mine = left.formatted(at: leftStart + index)
        let theirs = right.formatted(at: rightStart + index)
        return Difference(index: index, detail: ": \(mine) and \(theirs)")
    }

    private static func firstValidityDifference(
        _ left: ArrowArray,
        _ leftStart: Int,
        _ right: ArrowArray,
        _ rightStart: Int,
        _ count: Int
    ) -> Int? {
        if left.validity == nil, right.validity == nil { return nil }
        let mine = left.validity ?? Bitmap(repeating: true, count: left.length)
        let theirs = right.validity ?? Bitmap(repeating: true, count: right.length)
        return mine.firstDifference(from: leftStart, theirs, rightStart, count)
    }

    /// Compares the valid values of a range where both sides have the same nulls.
    private static func valueDifference(
        _ left: ArrowArray,
        _ leftStart: Int,
        _ right: ArrowArray,
        _ rightStart: Int,
        _ count: Int
    ) -> Difference? {
        guard let validity = left.validity else { return runDifference(left, leftStart, right, rightStart, count) }
        var found: Difference?
        validity.slice(leftStart..<(leftStart + count)).forEachSetRun { run in
            guard found == nil else { return }
            let start = run.lowerBound
            found = runDifference(left, leftStart + start, right, rightStart + start, run.count)
            found?.index += start
        }
        return found
    }

    /// Compares ranges without nulls of their own.
    private static func runDifference(
        _ left: ArrowArray,
        _ leftStart: Int,
        _ right: ArrowArray,
        _ rightStart: Int,
        _ count: Int
    ) -> Difference? {
        switch (left.storage, right.storage) {
        case (.null, .null): return nil
        case (.boolean(let mine), .boolean(let theirs)):
            return mine.firstDifference(from: leftStart, theirs, rightStart, count).map {
                leaf(left, leftStart, right, rightStart, $0)
            }
        case (.fixedWidth(let mine), .fixedWidth(let theirs)):
            let width = left.type.byteWidth ?? 0
            return firstByteDifference(mine, leftStart * width, theirs, rightStart * width, count * width).map {
                leaf(left, leftStart, right, rightStart, $0 / width)
            }
        case (.variableWidth(let mine, let myData), .variableWidth(let theirs, let theirData)):
            let spans = Spans(mine, leftStart, theirs, rightStart, count, isWide: left.type.offsetWidth == 8)
            if let byte = firstByteDifference(myData, spans.leftFirst, theirData, spans.rightFirst, spans.total) {
                let index = spans.owner(of: byte)
                return leaf(left, leftStart, right, rightStart, index)
            }
            return spans.same == count ? nil : leaf(left, leftStart, right, rightStart, spans.same)
        case (.list(let mine, let myItems), .list(let theirs, let theirItems)):
            let spans = Spans(mine, leftStart, theirs, rightStart, count, isWide: left.type.offsetWidth == 8)
            if let item = difference(myItems, spans.leftFirst, theirItems, spans.rightFirst, spans.total) {
                let index = spans.owner(of: item.index)
                return Difference(index: index, detail: ", item \(item.index - spans.start(of: index))\(item.detail)")
            }
            return spans.same == count ? nil : leaf(left, leftStart, right, rightStart, spans.same)
        case (.fixedSizeList(let myItems), .fixedSizeList(let theirItems)):
            guard case .fixedSizeList(_, let size) = left.type else { return nil }
            return difference(myItems, leftStart * size, theirItems, rightStart * size, count * size).map {
                Difference(index: $0.index / size, detail: ", item \($0.index % size)\($0.detail)")
            }
        case (.structure(let mine), .structure(let theirs)):
            var first: Difference?
            for (position, field) in left.type.children.enumerated() {
                let limit = first?.index ?? count
                let found = difference(mine[position], leftStart, theirs[position], rightStart, limit)
                if let found { first = Difference(index: found.index, detail: ".\(field.name)\(found.detail)") }
            }
            return first
        default: return Difference(index: 0, detail: ": the storage differs in kind")
        }
    }

    private static func firstByteDifference(
        _ left: ArrowBuffer,
        _ leftStart: Int,
        _ right: ArrowBuffer,
        _ rightStart: Int,
        _ count: Int
    ) -> Int? {
        if count == 0 { return nil }
        let mine = left.slice(leftStart..<(leftStart + count))
        let theirs = right.slice(rightStart..<(rightStart + count))
        return mine.withUnsafeBytes { mine in
            theirs.withUnsafeBytes { theirs in
                if mine.hasSameBytes(as: theirs) { return nil }
                return (0..<count).first { mine[$0] != theirs[$0] }
            }
        }
    }

    private typealias DictionarySide = (array: ArrowArray, start: Int, keys: ArrowBuffer, values: ArrowArray)

    private static func dictionaries(_ left: DictionarySide, _ right: DictionarySide, _ count: Int) -> Difference? {
        let width = left.array.type.byteWidth ?? 4
        // For each value on the left the last value on the right found equal to it.
        var matches = [Int](repeating: -1, count: left.values.length)
        func key(_ side: DictionarySide, _ index: Int) -> Int? {
            if side.array.isNull(side.start + index) { return nil }
            let key = side.keys.dictionaryIndex(at: side.start + index, width: width)
            return side.values.isNull(key) ? nil : key
        }
        for index in 0..<count {
            switch (key(left, index), key(right, index)) {
            case (nil, nil): continue
            case (let mine?, let theirs?):
                if matches[mine] == theirs { continue }
                if difference(left.values, mine, right.values, theirs, 1) != nil {
                    return leaf(left.array, left.start, right.array, right.start, index)
                }
                matches[mine] = theirs
            default: return leaf(left.array, left.start, right.array, right.start, index)
            }
        }
        return nil
    }
}

/// Two runs of texts or lists side by side: how many have the same lengths, and where their bytes or items are.
private struct Spans {
    let leftFirst: Int
    let rightFirst: Int
    /// Values from the start whose lengths agree.
    private(set) var same = 0
    /// Bytes or items of those values.
    private(set) var total = 0
    private let offsets: ArrowBuffer
    private let firstValue: Int
    private let count: Int
    private let isWide: Bool

    init(_ left: ArrowBuffer, _ leftStart: Int, _ right: ArrowBuffer, _ rightStart: Int, _ count: Int, isWide: Bool) {
        offsets = left
        firstValue = leftStart
        self.count = count
        self.isWide = isWide
        let width = isWide ? 8 : 4
        let myFirst = left.offset(at: leftStart, width: width)
        let theirFirst = right.offset(at: rightStart, width: width)
        leftFirst = myFirst
        rightFirst = theirFirst
        (same, total) = left.withUnsafeBytes { mine in
            right.withUnsafeBytes { theirs in
                var end = 0
                for index in 0..<count {
                    let myEnd = mine.offsetPair(at: leftStart + index, isWide: isWide).end - myFirst
                    let theirEnd = theirs.offsetPair(at: rightStart + index, isWide: isWide).end - theirFirst
                    if myEnd != theirEnd { return (index, end) }
                    end = myEnd
                }
                return (count, end)
            }
        }
    }

    /// Where value `index` starts, counted from the first.
    func start(of index: Int) -> Int { offsets.offset(at: firstValue + index, width: isWide ? 8 : 4) - leftFirst }

    /// The value that byte or item `position` (below ``total``) belongs to.
    func owner(of position: Int) -> Int {
        (0..<same).first { start(of: $0 + 1) > position } ?? 0
    }
}

extension Bitmap {
    /// First position at which `count` bits from `start` on differ from those of another bitmap.
    fileprivate func firstDifference(from start: Int, _ other: Bitmap, _ otherStart: Int, _ count: Int) -> Int? {
        buffer.withUnsafeBytes { mine in
            other.buffer.withUnsafeBytes { theirs in
                let left = BitReader(mine, offset: bitOffset + start)
                let right = BitReader(theirs, offset: other.bitOffset + otherStart)
                var index = 0
                while index < count {
                    let size = Swift.min(64, count - index)
                    let mask: UInt64 = size == 64 ? .max : (1 &<< UInt64(size)) &- 1
                    let different = (left.word(at: index, bits: size) ^ right.word(at: index, bits: size)) & mask
                    if different != 0 { return index + different.trailingZeroBitCount }
                    index += size
                }
                return nil
            }
        }
    }
}
