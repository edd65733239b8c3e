import LancerArrow
import LancerBytes

/// Replaces every entry that has a list by an entry for each item, or a single one when the list is null or empty.
struct ListExpansion {
    /// Code of a null list.
    let nullCode: UInt16
    /// Code of an empty list.
    let emptyCode: UInt16
    /// Repetition level of an entry that starts a row.
    let rowStart: UInt16
    /// Repetition level of an item that is not its list's first.
    let inner: UInt16
    /// Values of the lists' child.
    let childLength: Int

    /// The kept parts of the child, in order.
    private(set) var ranges: [Range<Int>] = []
    /// Whether an entry needs a level for null lists.
    private(set) var hasNull = false
    /// Whether a list is empty.
    private(set) var hasEmpty = false

    /// - Parameters:
    ///   - layer: Of the list, counted from the innermost.
    ///   - depth: Of the list layer, counted from the inside, the innermost being 1.
    ///   - lists: Number of list layers.
    ///   - childLength: Values of the lists' child.
    init(layer: Int, depth: Int, lists: Int, childLength: Int) {
        nullCode = UInt16(2 * layer + 1)
        emptyCode = UInt16(2 * layer + 2)
        rowStart = UInt16(lists)
        inner = UInt16(depth - 1)
        self.childLength = childLength
    }

    /// Expands entries by the lists of an array.
    ///
    /// - Throws: `corrupt` when offsets run backwards or out of the child.
    mutating func run(
        _ entries: inout LevelEntries,
        _ array: ArrowArray,
        _ offsets: ArrowBuffer
    ) throws(LanceError) {
        if array.type.offsetWidth == 8 {
            try run(&entries, array, offsets, Int64.self)
        } else {
            try run(&entries, array, offsets, Int32.self)
        }
        entries.slotless = nullCode
    }

    private mutating func run<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ entries: inout LevelEntries,
        _ array: ArrowArray,
        _ offsets: ArrowBuffer,
        _: Offset.Type
    ) throws(LanceError) {
        guard array.length == 0 || offsets.count >= (array.length + 1) * MemoryLayout<Offset>.size else {
            throw .corrupt("a list array of \(array.length) rows with \(offsets.count) bytes of offsets")
        }
        let validity = array.validity.flatMap { $0.setCount == $0.count ? nil : $0 }
        if entries.codes == nil, validity == nil {
            try expandAll(&entries, offsets, Offset.self)
        } else {
            try expandSome(&entries, offsets, validity, Offset.self)
        }
    }

    private var badOffsets: LanceError {
        .corrupt("list offsets that run backwards or beyond the child's \(childLength) values")
    }

    /// What an entry that has no items stands for, as a negative length.
    private enum Without {
        static let null = -1
        /// It ended in a list further out.
        static let slot = -2
        /// A struct around it is null.
        static let structure = -3
    }

    private mutating func expandSome<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ entries: inout LevelEntries,
        _ offsets: ArrowBuffer,
        _ validity: Bitmap?,
        _: Offset.Type
    ) throws(LanceError) {
        let width = MemoryLayout<Offset>.size
        let slotless = entries.slotless
        let count = entries.count
        let codes = entries.codes
        var total = 0
        // Lengths first.
        var lengths = [Int](repeating: 0, count: count)
        var isBad = false
        offsets.withUnsafeBytes { bytes in
            lengths.withUnsafeMutableBufferPointer { lengths in
                var slot = 0
                var from = 0
                var to = 0
                for index in 0..<count {
                    let code = codes.map { $0[index] } ?? 0
                    if code >= slotless {
                        lengths[index] = Without.slot
                        total += 1
                        continue
                    }
                    let start = Int(bytes.loadUnaligned(fromByteOffset: slot * width, as: Offset.self))
                    let end = Int(bytes.loadUnaligned(fromByteOffset: (slot + 1) * width, as: Offset.self))
                    let isNull = validity.map { !$0[slot] } ?? false
                    slot += 1
                    if code != 0 || isNull {
                        // A list in a null struct is as good as null: its entry says that the struct is, but readers
                        // want the list layer to be nullable as well.
                        lengths[index] = code != 0 ? Without.structure : Without.null
                        hasNull = true
                        total += 1
                        continue
                    }
                    guard start >= 0, start <= end, end <= childLength else {
                        isBad = true
                        return
                    }
                    let length = end - start
                    lengths[index] = length
                    if length == 0 {
                        hasEmpty = true
                        total += 1
                        continue
                    }
                    total += length
                    if start != to {
                        if to > from { ranges.append(from..<to) }
                        from = start
                    }
                    to = end
                }
                if to > from { ranges.append(from..<to) }
            }
        }
        if isBad { throw badOffsets }
        lengths.withUnsafeBufferPointer { lengths in
            expand(&entries, total, hasCodes: codes != nil || hasNull || hasEmpty) {
                lengths[$0]
            } _: { index, length in
                switch length {
                case Without.null: nullCode
                case 0: emptyCode
                case ..<0: codes.map { $0[index] } ?? 0
                default: 0
                }
            }
        }
    }

    /// ``expandSome`` where every entry has a list that is not null.
    private mutating func expandAll<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ entries: inout LevelEntries,
        _ offsets: ArrowBuffer,
        _: Offset.Type
    ) throws(LanceError) {
        let count = entries.count
        if count == 0 {
            entries.repetition = []
            return
        }
        let width = MemoryLayout<Offset>.size
        @inline(__always) func offset(_ index: Int) -> Int {
            Int(truncatingIfNeeded: offsets.start.loadUnaligned(fromByteOffset: index &* width, as: Offset.self))
        }
        defer { withExtendedLifetime(offsets) {} }
        let first = offset(0)
        var runsBackwards = false
        var empty = 0
        var previous = first
        for index in 1...count {
            let next = offset(index)
            runsBackwards = runsBackwards || next < previous
            empty &+= next == previous ? 1 : 0
            previous = next
        }
        guard first >= 0, !runsBackwards, previous <= childLength else { throw badOffsets }
        if previous > first { ranges.append(first..<previous) }
        hasEmpty = empty > 0
        expand(&entries, previous - first + empty, hasCodes: hasEmpty) { index in
            offset(index &+ 1) &- offset(index)
        } _: { _, length in
            length == 0 ? emptyCode : 0
        }
    }

    /// Makes the new entries, `total` of them, from the length of each old one's list (one entry for 0 and below) and
    /// the code of its first new one.
    @inline(__always)
    private func expand(
        _ entries: inout LevelEntries,
        _ total: Int,
        hasCodes: Bool,
        _ length: (Int) -> Int,
        _ code: (_ index: Int, _ length: Int) -> UInt16
    ) {
        let count = entries.count
        let repetition = entries.repetition
        entries.repetition = [UInt16](unsafeUninitializedCapacity: total) { target, initialized in
            target.initialize(repeating: inner)
            var position = 0
            for index in 0..<count {
                target[position] = repetition.map { $0[index] } ?? rowStart
                position &+= Swift.max(length(index), 1)
            }
            initialized = total
        }
        if hasCodes {
            entries.codes = [UInt16](unsafeUninitializedCapacity: total) { target, initialized in
                target.initialize(repeating: 0)
                var position = 0
                for index in 0..<count {
                    let length = length(index)
                    target[position] = code(index, length)
                    position &+= Swift.max(length, 1)
                }
                initialized = total
            }
        }
        entries.count = total
    }
}
