import LancerBytes

/// Decides which dictionary batches go before a record batch.
///
/// In a stream a dictionary that differs from the one before is replaced. A file may define each dictionary once and
/// append to it: there the values of later batches are merged into the first dictionary, and indices renumbered.
/// Memory is bounded by the distinct values.
/// Spec: Arrow columnar format, "Dictionary Messages", "Deviations from the IPC Streaming Format".
struct IPCDictionaryWriter {
    /// What to do when a batch comes with another dictionary than those before.
    enum Policy {
        case replace
        case merge
    }

    /// A dictionary batch to write.
    struct Emission {
        let id: Int64
        let values: ArrowArray
        let isDelta: Bool
    }

    private let policy: Policy
    private var latest: [Int64: ArrowArray] = [:]
    private var merged: [Int64: IPCMergedDictionary] = [:]
    /// Dictionary batches to write before what was prepared last, those used by others first.
    private(set) var emissions: [Emission] = []

    init(_ policy: Policy) { self.policy = policy }

    /// Starts the next record batch.
    mutating func clearEmissions() { emissions = [] }

    /// The array with indices as they are to be written. Only its indices count: its dictionaries may not fit them.
    ///
    /// - Throws: `limitExceeded` when a merged dictionary has more values than its index type can number.
    mutating func prepare(_ array: ArrowArray, _ layout: IPCLayout) throws(LanceError) -> ArrowArray {
        switch (layout.shape, array.storage) {
        case (.dictionary(let id, let valueLayout), .dictionary(let indices, let values)):
            let written = try prepare(array, indices, values, id: id, valueLayout, path: layout.path)
            return array.replacing(.dictionary(indices: written, values: values))
        case (.nested(let layouts), _) where layouts.contains(where: \.hasDictionary):
            return try prepareChildren(array, layouts)
        default: return array
        }
    }

    private mutating func prepareChildren(_ array: ArrowArray, _ layouts: [IPCLayout]) throws(LanceError) -> ArrowArray
    {
        switch array.storage {
        case .list(let offsets, let child):
            return array.replacing(.list(offsets: offsets, child: try prepare(child, layouts[0])))
        case .fixedSizeList(let child): return array.replacing(.fixedSizeList(child: try prepare(child, layouts[0])))
        case .structure(let children):
            var prepared: [ArrowArray] = []
            for (child, layout) in zip(children, layouts) { prepared.append(try prepare(child, layout)) }
            return array.replacing(.structure(prepared))
        default: return array
        }
    }

    private mutating func prepare(
        _ array: ArrowArray,
        _ indices: ArrowBuffer,
        _ values: ArrowArray,
        id: Int64,
        _ valueLayout: IPCLayout,
        path: String
    ) throws(LanceError) -> ArrowBuffer {
        guard let known = latest[id] else {
            latest[id] = values
            try emit(id, values, valueLayout, isDelta: false)
            return indices
        }
        switch policy {
        case .replace:
            if known.isSameMemory(as: values) || known.isEqual(to: values) { return indices }
            latest[id] = values
            try emit(id, values, valueLayout, isDelta: false)
            return indices
        case .merge:
            if merged[id] == nil {
                // As long as all dictionaries are prefixes of the first, nothing has to be looked up.
                let isPrefix = values.length <= known.length && known.slice(0..<values.length).isEqual(to: values)
                if known.isSameMemory(as: values) || isPrefix { return indices }
                merged[id] = IPCMergedDictionary(known)
            }
            guard let dictionary = merged[id] else { return indices }
            let (positions, new) = dictionary.merge(values)
            if !new.isEmpty { try emit(id, try values.gather(new), valueLayout, isDelta: true) }
            return try array.renumbered(indices, positions, path: path)
        }
    }

    private mutating func emit(
        _ id: Int64,
        _ values: ArrowArray,
        _ layout: IPCLayout,
        isDelta: Bool
    ) throws(LanceError) {
        // Dictionaries inside the values come first.
        let prepared = try prepare(values, layout)
        emissions.append(Emission(id: id, values: prepared, isDelta: isDelta))
    }
}

/// The values a file's dictionary has so far, and where each is.
final class IPCMergedDictionary {
    private var interner = ByteInterner()
    /// Position in the dictionary of each distinct value.
    private var positions: [Int] = []
    private var count = 0
    private var latest: ArrowArray?
    private var latestPositions: [Int] = []

    /// Starts with the dictionary written first, in which values may repeat.
    init(_ first: ArrowArray) { _ = merge(first, keepsRepeats: true) }

    /// Adds what is new in `values`.
    ///
    /// - Returns: The position of every value, and which of the values are new.
    func merge(_ values: ArrowArray, keepsRepeats: Bool = false) -> (positions: [Int], new: [Int]) {
        if let latest, latest.isSameMemory(as: values) { return (latestPositions, []) }
        var result: [Int] = []
        result.reserveCapacity(values.length)
        var new: [Int] = []
        var key: [UInt8] = []
        for index in 0..<values.length {
            key.removeAll(keepingCapacity: true)
            values.appendKey(of: index, to: &key)
            let number = key.withUnsafeBytes { interner.intern($0) }
            let isNew = number == positions.count
            if isNew { positions.append(count) }
            if isNew || keepsRepeats {
                new.append(index)
                count += 1
            }
            result.append(positions[number])
        }
        latest = values
        latestPositions = result
        return (result, new)
    }
}

extension IPCLayout {
    /// Whether this or anything below is a dictionary.
    var hasDictionary: Bool {
        switch shape {
        case .direct, .view: false
        case .nested(let children): children.contains(where: \.hasDictionary)
        case .dictionary: true
        }
    }
}

extension ArrowArray {
    fileprivate func replacing(_ storage: Storage) -> ArrowArray {
        ArrowArray(type: type, length: length, validity: validity, storage: storage)
    }

    /// Indices with every index `i` replaced by `positions[i]`; those under nulls become 0.
    fileprivate func renumbered(
        _ indices: ArrowBuffer,
        _ positions: [Int],
        path: String
    ) throws(LanceError) -> ArrowBuffer {
        guard case .dictionary(let index, _, _) = type, let width = index.byteWidth else { return indices }
        let bits = width * 8 - (index.isSignedInteger ? 1 : 0)
        let highest = bits >= 63 ? Int.max : (1 << bits) - 1
        return try ArrowBuffer(count: indices.count) { (target) throws(LanceError) in
            try indices.withUnsafeBytes { (source) throws(LanceError) in
                for row in 0..<length {
                    var position = 0
                    if !isNull(row) {
                        let old = source.dictionaryIndex(at: row, width: width)
                        guard old < positions.count else {
                            throw LanceError.invalidArgument(
                                "column \"\(path)\" has index \(old) of \(positions.count)"
                            )
                        }
                        position = positions[old]
                    }
                    guard position <= highest else {
                        throw LanceError.limitExceeded(
                            """
                            the dictionaries of column "\(path)" have more distinct values than \(index) can number; \
                            write a stream or use a wider index
                            """
                        )
                    }
                    switch width {
                    case 1: target[row] = UInt8(truncatingIfNeeded: position)
                    case 2: target.storeBytes(of: UInt16(position), toByteOffset: row * 2, as: UInt16.self)
                    case 4: target.storeBytes(of: UInt32(position), toByteOffset: row * 4, as: UInt32.self)
                    default: target.storeBytes(of: UInt64(position), toByteOffset: row * 8, as: UInt64.self)
                    }
                }
            }
        }
    }

    /// Whether both are the same values in the same memory; false says nothing.
    fileprivate func isSameMemory(as other: ArrowArray) -> Bool {
        guard length == other.length, type == other.type else { return false }
        switch (validity, other.validity) {
        case (nil, nil): break
        case (let mine?, let theirs?):
            guard mine.bitOffset == theirs.bitOffset, mine.buffer.isSameMemory(as: theirs.buffer) else { return false }
        default: return false
        }
        switch (storage, other.storage) {
        case (.fixedWidth(let mine), .fixedWidth(let theirs)): return mine.isSameMemory(as: theirs)
        case (.variableWidth(let myOffsets, let mine), .variableWidth(let theirOffsets, let theirs)):
            return mine.isSameMemory(as: theirs) && myOffsets.isSameMemory(as: theirOffsets)
        default: return false
        }
    }
}

extension ArrowBuffer {
    fileprivate func isSameMemory(as other: ArrowBuffer) -> Bool { start == other.start && count == other.count }
}
