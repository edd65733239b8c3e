import LancerArrow
import LancerBytes

/// Turns nested Arrow arrays into levels and the values that have a slot.
///
/// Works from the outside in. While it does, the definition level of an entry is a raw code, `2 * layer + 1` for null and
/// `2 * layer + 2` for empty (layers counted from the innermost): which numbers the layers get is known only when the
/// whole page has been seen, because a layer without nulls in the page takes none.
///
/// Arrays may be appended in pieces. Content behind null lists is dropped, offsets may start anywhere, and slots masked
/// by null structs stay. Spec: 02-levels.md, "Making levels".
package struct LevelBuilder {
    private let path: LeafPath
    /// Kind of each layer, outermost first.
    private let isList: [Bool]
    private var repetition: [UInt16] = []
    private var codes: [UInt16] = []
    private var hasCodes = false
    private var used: [Bool]
    private var count = 0
    private var visibleCount = 0
    private var rowCount = 0
    private var pieces: [ArrowArray] = []

    /// A builder for the arrays of `path`.
    package init(_ path: LeafPath) {
        self.path = path
        isList = path.steps.map { $0 == .list } + [false]
        used = Array(repeating: false, count: 2 * isList.count + 1)
    }

    /// The entries of one piece on the way down.
    private struct Entries {
        var count: Int
        /// Nil as long as no list was met: every entry starts a row.
        var repetition: [UInt16]?
        /// Nil as long as no entry is null or empty.
        var codes: [UInt16]?
        /// Entries with a code at or above this have no slot in the array at hand; they ended in a list further out.
        var slotless = UInt16.max
    }

    /// Adds the rows of `array`, which must have the shape of the path (see ``LeafPath/pruned(_:)``).
    ///
    /// - Throws: `schemaMismatch` when the shape differs, `corrupt` when list offsets run backwards or out of the child.
    package mutating func append(_ array: ArrowArray) throws(LanceError) {
        var entries = Entries(count: array.length)
        var current = array
        let maxRepetition = isList.reduce(0) { $0 + ($1 ? 1 : 0) }
        var depth = maxRepetition
        for (position, step) in path.steps.enumerated() {
            let layer = isList.count - 1 - position
            switch (step, current.storage) {
            case (.structure, .structure(let children)) where children.count == 1:
                markNulls(of: current.validity, layer: layer, in: &entries)
                current = children[0]
            case (.list, .list(let offsets, let child)):
                var ranges: [Range<Int>] = []
                if current.type.offsetWidth == 8 {
                    try expand(&entries, current, offsets, Int64.self, layer, depth, child.length, &ranges)
                } else {
                    try expand(&entries, current, offsets, Int32.self, layer, depth, child.length, &ranges)
                }
                depth -= 1
                current = try child.keeping(ranges)
            case (.fixedSizeList(let dimension), .fixedSizeList(let child)):
                guard entries.repetition == nil else {
                    throw .unsupported("a fixed-size list of structs inside a list")
                }
                markNulls(of: current.validity, layer: layer, in: &entries)
                repeatEntries(&entries, dimension)
                current = child
            default: throw .schemaMismatch("an array of type \(array.type) does not fit its column")
            }
        }
        let validity = current.logicalValidity()
        if case .null = current.storage {
            markNulls(of: Bitmap(repeating: false, count: current.length), layer: 0, in: &entries)
        } else {
            markNulls(of: validity, layer: 0, in: &entries)
        }
        take(entries, rows: array.length, hasLists: maxRepetition > 0, leaf: current)
    }

    private mutating func take(_ entries: Entries, rows: Int, hasLists: Bool, leaf: ArrowArray) {
        if let new = entries.codes {
            if !hasCodes {
                hasCodes = true
                codes = [UInt16](repeating: 0, count: count)
            }
            if codes.isEmpty { codes = new } else { codes.append(contentsOf: new) }
        } else if hasCodes {
            codes.append(contentsOf: repeatElement(0, count: entries.count))
        }
        if hasLists, let new = entries.repetition {
            if repetition.isEmpty { repetition = new } else { repetition.append(contentsOf: new) }
        }
        count += entries.count
        visibleCount += leaf.length
        rowCount += rows
        if leaf.length > 0 || pieces.isEmpty { pieces.append(leaf) }
    }

    /// Gives the entries whose slot is null the null code of `layer`, unless something further out is null already.
    private mutating func markNulls(of validity: Bitmap?, layer: Int, in entries: inout Entries) {
        guard let validity, validity.setCount != validity.count else { return }
        let code = UInt16(2 * layer + 1)
        guard var codes = entries.codes else {
            // Nothing further out is null or empty, so that every entry has a slot.
            entries.codes = Self.codes(of: validity, null: code)
            used[Int(code)] = true
            return
        }
        entries.codes = nil
        let slotless = entries.slotless
        let first = validity.bitOffset
        var marked = false
        validity.buffer.withUnsafeBytes { bits in
            codes.withUnsafeMutableBufferPointer { codes in
                var slot = first
                for index in 0..<codes.count where codes[index] < slotless {
                    if bits[slot >> 3] >> UInt8(truncatingIfNeeded: slot & 7) & 1 == 0, codes[index] == 0 {
                        codes[index] = code
                        marked = true
                    }
                    slot += 1
                }
            }
        }
        entries.codes = codes
        if marked { used[Int(code)] = true }
    }

    /// 0 for each set bit, `null` for the others.
    private static func codes(of validity: Bitmap, null code: UInt16) -> [UInt16] {
        let bits = validity.compacted()
        return [UInt16](unsafeUninitializedCapacity: bits.count) { codes, initialized in
            bits.buffer.withUnsafeBytes { bytes in
                let target = UnsafeMutableRawBufferPointer(codes)
                // A multiplication brings four bits to the lowest bits of four levels, another makes them the code.
                func spread(_ nulls: UInt64) -> UInt64 {
                    ((nulls & 15) &* 0x2000_4000_8001 & 0x0001_0001_0001_0001) &* UInt64(code)
                }
                for byte in 0..<(bits.count / 8) {
                    let nulls = UInt64(~bytes[byte])
                    target.storeBytes(of: spread(nulls).littleEndian, toByteOffset: byte &* 16, as: UInt64.self)
                    target.storeBytes(
                        of: spread(nulls &>> 4).littleEndian,
                        toByteOffset: byte &* 16 &+ 8,
                        as: UInt64.self
                    )
                }
            }
            for index in (bits.count / 8 * 8)..<bits.count { codes[index] = bits[index] ? 0 : code }
            initialized = bits.count
        }
    }

    /// Replaces every entry by `dimension` equal ones.
    private func repeatEntries(_ entries: inout Entries, _ dimension: Int) {
        if let codes = entries.codes {
            var repeated: [UInt16] = []
            repeated.reserveCapacity(codes.count * dimension)
            for code in codes { repeated.append(contentsOf: repeatElement(code, count: dimension)) }
            entries.codes = repeated
        }
        entries.count *= dimension
    }

    /// Replaces every entry that has a list by an entry for each item, or a single one when the list is null or empty.
    ///
    /// `depth` counts this list layer from the inside, the innermost being 1. The kept parts of the child are added to
    /// `ranges`.
    private mutating func expand<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ entries: inout Entries,
        _ array: ArrowArray,
        _ offsetBuffer: ArrowBuffer,
        _: Offset.Type,
        _ layer: Int,
        _ depth: Int,
        _ childLength: Int,
        _ ranges: inout [Range<Int>]
    ) throws(LanceError) {
        let width = MemoryLayout<Offset>.size
        guard array.length == 0 || offsetBuffer.count >= (array.length + 1) * width else {
            throw .corrupt("a list array of \(array.length) rows with \(offsetBuffer.count) bytes of offsets")
        }
        let nullCode = UInt16(2 * layer + 1)
        let emptyCode = UInt16(2 * layer + 2)
        if entries.codes == nil, array.validity.map({ $0.setCount == $0.count }) ?? true {
            try expandAll(
                &entries,
                offsetBuffer,
                Offset.self,
                emptyCode,
                inner: UInt16(depth - 1),
                childLength,
                &ranges
            )
            entries.slotless = nullCode
            return
        }
        let slotless = entries.slotless
        let oldCount = entries.count
        let validity = array.validity.flatMap { $0.setCount == $0.count ? nil : $0 }
        var total = 0
        var anyNull = false
        var anyEmpty = false
        var anyMasked = false
        // Lengths first: -1 null, -2 ended further out, -3 masked by a null struct.
        var lengths = [Int](repeating: 0, count: oldCount)
        var bad = false
        offsetBuffer.withUnsafeBytes { bytes in
            lengths.withUnsafeMutableBufferPointer { lengths in
                var slot = 0
                var from = 0
                var to = 0
                for index in 0..<oldCount {
                    let code = entries.codes.map { $0[index] } ?? 0
                    if code >= slotless {
                        lengths[index] = -2
                        total += 1
                        continue
                    }
                    let start = Int(bytes.loadUnaligned(fromByteOffset: slot * width, as: Offset.self))
                    let end = Int(bytes.loadUnaligned(fromByteOffset: (slot + 1) * width, as: Offset.self))
                    let isNull = validity.map { !$0[slot] } ?? false
                    slot += 1
                    if code != 0 {
                        lengths[index] = -3
                        anyMasked = true
                        total += 1
                    } else if isNull {
                        lengths[index] = -1
                        anyNull = true
                        total += 1
                    } else {
                        guard start >= 0, start <= end, end <= childLength else {
                            bad = true
                            return
                        }
                        let length = end - start
                        lengths[index] = length
                        if length == 0 {
                            anyEmpty = true
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
                }
                if to > from { ranges.append(from..<to) }
            }
        }
        if bad { throw .corrupt("list offsets that run backwards or beyond the child's \(childLength) values") }
        // A list in a null struct is as good as null: its entry says that the struct is, but readers want the list layer
        // to be nullable as well.
        if anyNull || anyMasked { used[Int(nullCode)] = true }
        if anyEmpty { used[Int(emptyCode)] = true }
        let rowStart = UInt16(isList.reduce(0) { $0 + ($1 ? 1 : 0) })
        let inner = UInt16(depth - 1)
        let oldRepetition = entries.repetition
        entries.repetition = [UInt16](unsafeUninitializedCapacity: total) { target, initialized in
            target.initialize(repeating: inner)
            var position = 0
            for index in 0..<oldCount {
                target[position] = oldRepetition.map { $0[index] } ?? rowStart
                position += Swift.max(lengths[index], 1)
            }
            initialized = position
        }
        if entries.codes != nil || anyNull || anyEmpty {
            let oldCodes = entries.codes
            entries.codes = [UInt16](unsafeUninitializedCapacity: total) { target, initialized in
                var position = 0
                for index in 0..<oldCount {
                    let length = lengths[index]
                    let old = oldCodes.map { $0[index] } ?? 0
                    switch length {
                    case -1: target[position] = nullCode
                    case 0: target[position] = emptyCode
                    case ..<0: target[position] = old
                    default:
                        (target.baseAddress.unsafelyUnwrapped + position).initialize(repeating: 0, count: length)
                        position += length - 1
                    }
                    position += 1
                }
                initialized = position
            }
        }
        entries.count = total
        entries.slotless = nullCode
    }

    /// ``expand`` where every entry has a list that is not null.
    private mutating func expandAll<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ entries: inout Entries,
        _ offsetBuffer: ArrowBuffer,
        _: Offset.Type,
        _ emptyCode: UInt16,
        inner: UInt16,
        _ childLength: Int,
        _ ranges: inout [Range<Int>]
    ) throws(LanceError) {
        let count = entries.count
        if count == 0 {
            entries.repetition = []
            return
        }
        let width = MemoryLayout<Offset>.size
        @inline(__always) func offset(_ index: Int) -> Int {
            Int(truncatingIfNeeded: offsetBuffer.start.loadUnaligned(fromByteOffset: index &* width, as: Offset.self))
        }
        defer { withExtendedLifetime(offsetBuffer) {} }
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
        guard first >= 0, !runsBackwards, previous <= childLength else {
            throw .corrupt("list offsets that run backwards or beyond the child's \(childLength) values")
        }
        if previous > first { ranges.append(first..<previous) }
        let total = previous - first + empty
        let rowStart = UInt16(isList.reduce(0) { $0 + ($1 ? 1 : 0) })
        let oldRepetition = entries.repetition
        entries.repetition = [UInt16](unsafeUninitializedCapacity: total) { target, initialized in
            target.initialize(repeating: inner)
            var position = 0
            for index in 0..<count {
                target[position] = oldRepetition.map { $0[index] } ?? rowStart
                position &+= Swift.max(offset(index &+ 1) &- offset(index), 1)
            }
            initialized = total
        }
        if empty > 0 {
            used[Int(emptyCode)] = true
            entries.codes = [UInt16](unsafeUninitializedCapacity: total) { target, initialized in
                target.initialize(repeating: 0)
                var position = 0
                for index in 0..<count {
                    let length = offset(index &+ 1) &- offset(index)
                    target[position] = length == 0 ? emptyCode : 0
                    position &+= Swift.max(length, 1)
                }
                initialized = total
            }
        }
        entries.count = total
    }

    /// Gives nullable structs around a list, and all lists below, a level for null in every page.
    ///
    /// The reference's reader miscounts when such a struct is nullable in one page and not in the next, or hides lists
    /// of a layer that is not nullable (it fails on its own files then). A level that no entry has costs next to
    /// nothing.
    private mutating func markStructsAroundLists() {
        var insideNullable = false
        for (position, step) in path.steps.enumerated() {
            let code = 2 * (isList.count - 1 - position) + 1
            switch step {
            case .structure(_, let isNullable):
                guard isNullable, path.steps[position...].contains(.list) else { continue }
                used[code] = true
                insideNullable = true
            case .list:
                if insideNullable { used[code] = true }
            case .fixedSizeList: break
            }
        }
    }

    /// Gives the fields of a struct that has nulls a level for null.
    ///
    /// Readers that look at such a field alone, as the filters of the reference do, then find nulls where the struct is
    /// null, and not the values that hide there.
    private mutating func markFieldsOfNullStructs() {
        var isInside = false
        for (position, step) in path.steps.enumerated() {
            let code = 2 * (isList.count - 1 - position) + 1
            switch step {
            case .structure:
                if isInside { used[code] = true }
                isInside = used[code]
            case .list, .fixedSizeList: isInside = false
            }
        }
        if isInside { used[1] = true }
    }

    /// The levels of everything appended, and the values that have a slot, piece by piece.
    package consuming func finish() -> (levels: LeafLevels, values: [ArrowArray]) {
        markStructsAroundLists()
        markFieldsOfNullStructs()
        var layers: [RepDefLayer] = []
        var numbers = [UInt16](repeating: 0, count: used.count)
        var next: UInt16 = 1
        for layer in 0..<isList.count {
            let isNull = used[2 * layer + 1]
            let isEmpty = used[2 * layer + 2 < used.count ? 2 * layer + 2 : 0]
            for (flag, code) in [(isNull, 2 * layer + 1), (isEmpty, 2 * layer + 2)] where flag {
                numbers[code] = next
                next += 1
            }
            if isList[isList.count - 1 - layer] {
                switch (isNull, isEmpty) {
                case (false, false): layers.append(.allValidList)
                case (true, false): layers.append(.nullableList)
                case (false, true): layers.append(.emptyableList)
                case (true, true): layers.append(.nullAndEmptyList)
                }
            } else {
                layers.append(isNull ? .nullableItem : .allValidItem)
            }
        }
        var definition: [UInt16]?
        if next > 1 {
            if !hasCodes { codes = [UInt16](repeating: 0, count: count) }
            if !numbers.indices.allSatisfy({ numbers[$0] == 0 || Int(numbers[$0]) == $0 }) {
                numbers.withUnsafeBufferPointer { numbers in
                    codes.withUnsafeMutableBufferPointer { codes in
                        for index in codes.indices { codes[index] = numbers[Int(codes[index])] }
                    }
                }
            }
            definition = codes
        }
        let levels = LeafLevels(
            layers: layers,
            repetition: path.hasLists ? repetition : nil,
            definition: definition,
            count: count,
            visibleCount: visibleCount,
            rowCount: rowCount
        )
        return (levels, pieces)
    }
}
