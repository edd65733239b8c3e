/// The low 16 bits of the values that share their high 16 bits.
enum RoaringContainer: Sendable {
    /// A run of neighbouring values, both ends included.
    struct Run: Sendable, Hashable {
        var first: UInt16
        var last: UInt16
        var count: Int { Int(last) - Int(first) + 1 }
    }

    /// Rising values, at most ``arrayLimit``.
    case array([UInt16])
    /// 1024 words, least significant bit first, and how many bits are set.
    case words([UInt64], count: Int)
    /// Rising runs that do not overlap.
    case runs([Run])

    /// Most values an array container holds; more make a bitmap of 8 KiB the smaller form.
    static let arrayLimit = 4096
    static let wordCount = 1024

    /// The smaller of array and bitmap for rising values.
    init(rising values: [UInt16]) {
        guard values.count > Self.arrayLimit else {
            self = .array(values)
            return
        }
        var words = [UInt64](repeating: 0, count: Self.wordCount)
        for value in values { words[Int(value >> 6)] |= 1 << UInt64(value & 63) }
        self = .words(words, count: values.count)
    }

    /// The smaller of array and bitmap for the bits set in 1024 words.
    init(words: [UInt64]) {
        let count = words.reduce(0) { $0 + $1.nonzeroBitCount }
        let bitmap = RoaringContainer.words(words, count: count)
        if count > Self.arrayLimit {
            self = bitmap
        } else {
            var values: [UInt16] = []
            values.reserveCapacity(count)
            bitmap.visit { values.append($0) }
            self = .array(values)
        }
    }

    var count: Int {
        switch self {
        case .array(let values): values.count
        case .words(_, let count): count
        case .runs(let runs): runs.reduce(0) { $0 + $1.count }
        }
    }

    func contains(_ value: UInt16) -> Bool {
        switch self {
        case .array(let values):
            let index = values.partitioningIndex { $0 >= value }
            return index < values.count && values[index] == value
        case .words(let words, _):
            return words[Int(value >> 6)] >> UInt64(value & 63) & 1 == 1
        case .runs(let runs):
            let index = runs.partitioningIndex { $0.last >= value }
            return index < runs.count && runs[index].first <= value
        }
    }

    /// Calls `body` with every value, rising.
    @inline(__always)
    func visit(_ body: (UInt16) -> Void) {
        switch self {
        case .array(let values):
            for value in values { body(value) }
        case .words(let words, _):
            for (index, word) in words.enumerated() {
                var rest = word
                while rest != 0 {
                    body(UInt16(truncatingIfNeeded: index &* 64 &+ rest.trailingZeroBitCount))
                    rest &= rest &- 1
                }
            }
        case .runs(let runs):
            for run in runs {
                for value in run.first...run.last { body(value) }
            }
        }
    }

    /// The values as 1024 words of bits.
    var bitWords: [UInt64] {
        if case .words(let words, _) = self { return words }
        var words = [UInt64](repeating: 0, count: Self.wordCount)
        if case .runs(let runs) = self {
            for run in runs { Self.fill(&words, run) }
        } else {
            visit { words[Int($0 >> 6)] |= 1 << UInt64($0 & 63) }
        }
        return words
    }

    private static func fill(_ words: inout [UInt64], _ run: Run) {
        let firstWord = Int(run.first >> 6)
        let lastWord = Int(run.last >> 6)
        let head = UInt64.max << UInt64(run.first & 63)
        let tail = UInt64.max >> UInt64(63 - run.last & 63)
        if firstWord == lastWord {
            words[firstWord] |= head & tail
        } else {
            words[firstWord] |= head
            for index in (firstWord + 1)..<lastWord { words[index] = UInt64.max }
            words[lastWord] |= tail
        }
    }

    /// The values as runs.
    var allRuns: [Run] {
        if case .runs(let runs) = self { return runs }
        var runs: [Run] = []
        visit { value in
            if let last = runs.last, Int(last.last) + 1 == Int(value) {
                runs[runs.count - 1].last = value
            } else {
                runs.append(Run(first: value, last: value))
            }
        }
        return runs
    }

    /// The same values as an array or a bitmap.
    var withoutRuns: RoaringContainer {
        guard case .runs = self else { return self }
        return RoaringContainer(words: bitWords)
    }

    /// The values of both.
    func union(_ other: RoaringContainer) -> RoaringContainer {
        if case .array(let left) = self, case .array(let right) = other, left.count + right.count <= Self.arrayLimit {
            return .array(Self.merge(left, right))
        }
        var words = bitWords
        for (index, word) in other.bitWords.enumerated() { words[index] |= word }
        return RoaringContainer(words: words)
    }

    private static func merge(_ left: [UInt16], _ right: [UInt16]) -> [UInt16] {
        var merged: [UInt16] = []
        merged.reserveCapacity(left.count + right.count)
        var first = 0
        var second = 0
        while first < left.count || second < right.count {
            if second == right.count || first < left.count && left[first] < right[second] {
                merged.append(left[first])
                first += 1
            } else {
                if first < left.count && left[first] == right[second] { first += 1 }
                merged.append(right[second])
                second += 1
            }
        }
        return merged
    }
}

extension RoaringContainer: Equatable {
    /// Equal when the values are, whatever the form.
    static func == (left: RoaringContainer, right: RoaringContainer) -> Bool {
        if case .array(let left) = left, case .array(let right) = right { return left == right }
        return left.bitWords == right.bitWords
    }
}

extension RandomAccessCollection {
    /// The first index whose element satisfies `isSecond`, which must hold for all elements after it as well.
    func partitioningIndex(where isSecond: (Element) -> Bool) -> Index {
        var low = startIndex
        var size = count
        while size > 0 {
            let middle = index(low, offsetBy: size / 2)
            if isSecond(self[middle]) {
                size /= 2
            } else {
                low = index(after: middle)
                size -= size / 2 + 1
            }
        }
        return low
    }
}
