import LancerBytes

/// A set of 32-bit numbers: deleted rows of a fragment, fragments of an index.
///
/// Values are grouped by their high 16 bits; each group is an array, a bitmap or runs, whichever suits it.
///
/// Lemire et al.: Roaring Bitmaps: Implementation of an Optimized Software Library (2018).
package struct RoaringBitmap: Sendable, Hashable {
    /// High 16 bits of the groups, rising.
    private(set) var keys: [UInt16]
    /// The groups, never empty ones.
    private(set) var containers: [RoaringContainer]

    /// An empty set.
    package init() {
        keys = []
        containers = []
    }

    init(keys: [UInt16], containers: [RoaringContainer]) {
        precondition(keys.count == containers.count)
        self.keys = keys
        self.containers = containers
    }

    /// A set of values that never fall; equal neighbours count once.
    package init(sortedValues: some Sequence<UInt32>) {
        self.init()
        var group: [UInt16] = []
        var key: UInt16 = 0
        var previous: UInt32?
        for value in sortedValues {
            if let previous {
                precondition(previous <= value, "values are sorted")
                if previous == value { continue }
            }
            let high = UInt16(value >> 16)
            if high != key && !group.isEmpty {
                append(key, RoaringContainer(rising: group))
                group.removeAll(keepingCapacity: true)
            }
            key = high
            group.append(UInt16(truncatingIfNeeded: value))
            previous = value
        }
        if !group.isEmpty { append(key, RoaringContainer(rising: group)) }
    }

    /// A set of values in any order.
    package init(_ values: some Sequence<UInt32>) { self.init(sortedValues: values.sorted()) }

    private mutating func append(_ key: UInt16, _ container: RoaringContainer) {
        keys.append(key)
        containers.append(container)
    }

    /// Number of values.
    ///
    /// - Complexity: O(groups).
    package var count: Int { containers.reduce(0) { $0 + $1.count } }

    /// Whether there is no value.
    package var isEmpty: Bool { keys.isEmpty }

    /// Whether `value` is in the set.
    ///
    /// - Complexity: O(log n).
    package func contains(_ value: UInt32) -> Bool {
        let key = UInt16(value >> 16)
        let index = keys.partitioningIndex { $0 >= key }
        guard index < keys.count, keys[index] == key else { return false }
        return containers[index].contains(UInt16(truncatingIfNeeded: value))
    }

    /// Calls `body` with every value, rising. Faster than iterating.
    package func visit(_ body: (UInt32) -> Void) {
        for (key, container) in zip(keys, containers) {
            let high = UInt32(key) << 16
            container.visit { body(high | UInt32($0)) }
        }
    }

    /// All values, rising.
    package var values: [UInt32] {
        var values: [UInt32] = []
        values.reserveCapacity(count)
        visit { values.append($0) }
        return values
    }

    /// The largest value, nil in an empty set.
    package var max: UInt32? {
        guard let key = keys.last, let container = containers.last else { return nil }
        let low: UInt16? =
            switch container {
            case .array(let values): values.last
            case .runs(let runs): runs.last?.last
            case .words(let words, _):
                words.lastIndex { $0 != 0 }.map { UInt16($0 * 64 + 63 - words[$0].leadingZeroBitCount) }
            }
        return low.map { UInt32(key) << 16 | UInt32($0) }
    }

    /// The values of both sets.
    package func union(_ other: RoaringBitmap) -> RoaringBitmap {
        var result = RoaringBitmap()
        var left = 0
        var right = 0
        while left < keys.count || right < other.keys.count {
            if right == other.keys.count || left < keys.count && keys[left] < other.keys[right] {
                result.append(keys[left], containers[left])
                left += 1
            } else if left == keys.count || other.keys[right] < keys[left] {
                result.append(other.keys[right], other.containers[right])
                right += 1
            } else {
                result.append(keys[left], containers[left].union(other.containers[right]))
                left += 1
                right += 1
            }
        }
        return result
    }

    /// Adds the values of `other`.
    package mutating func formUnion(_ other: RoaringBitmap) { self = union(other) }

    /// Adds one value; for many, build a set of them and unite.
    package mutating func insert(_ value: UInt32) {
        guard !contains(value) else { return }
        formUnion(RoaringBitmap(sortedValues: CollectionOfOne(value)))
    }

    /// Equal when the values are.
    package static func == (left: RoaringBitmap, right: RoaringBitmap) -> Bool {
        left.keys == right.keys && left.containers == right.containers
    }

    /// Hashes the groups and their sizes.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(keys)
        for container in containers { hasher.combine(container.count) }
    }
}

extension RoaringBitmap: Sequence {
    /// Steps through the values group by group.
    package struct Iterator: IteratorProtocol {
        private var groups: Zip2Sequence<[UInt16], [RoaringContainer]>.Iterator
        private var high: UInt32 = 0
        private var group: [UInt16] = []
        private var position = 0

        fileprivate init(_ bitmap: RoaringBitmap) { groups = zip(bitmap.keys, bitmap.containers).makeIterator() }

        /// The next larger value.
        package mutating func next() -> UInt32? {
            while position == group.count {
                guard let (key, container) = groups.next() else { return nil }
                high = UInt32(key) << 16
                position = 0
                group.removeAll(keepingCapacity: true)
                container.visit { group.append($0) }
            }
            defer { position += 1 }
            return high | UInt32(group[position])
        }
    }

    /// The values, rising.
    package func makeIterator() -> Iterator { Iterator(self) }

    /// The number of values, which is known.
    package var underestimatedCount: Int { count }
}
