import LancerBytes

extension ArrowArray {
    /// Indices and values of several dictionary arrays as one.
    static func joinedDictionaries(_ arrays: [ArrowArray], _ length: Int) throws(LanceError) -> Storage {
        guard let type = arrays.first?.type, case .dictionary(let indexType, _, _) = type,
            let width = indexType.byteWidth
        else { throw .corrupt("a dictionary array has no dictionary type") }
        var parts: [(indices: ArrowBuffer, values: ArrowArray)] = []
        for array in arrays {
            guard case .dictionary(let indices, let values) = array.storage else { throw array.storageMismatch }
            parts.append((indices, values))
        }
        let shared = parts[0].values
        if parts.allSatisfy({ $0.values.isSameMemory(as: shared) }) {
            return .dictionary(indices: ArrowBuffer(joining: parts.map(\.indices)), values: shared)
        }
        let (values, maps) = try mergedValues(parts.map(\.values))
        let maximum = ColumnBuilder.Number(indexType).maximumIndex
        guard values.length - 1 <= maximum else {
            throw .limitExceeded("\(values.length) distinct values do not fit the index of \(type)")
        }
        let indices = ArrowBuffer(count: length * width) { target in
            var position = 0
            for (part, map) in zip(parts, maps) {
                part.indices.withUnsafeBytes { source in
                    for index in 0..<(part.indices.count / max(width, 1)) {
                        // The index under a null may be anything.
                        let old = source.dictionaryIndex(at: index, width: width)
                        let new = old < map.count ? map[old] : 0
                        switch width {
                        case 1: target[position] = UInt8(truncatingIfNeeded: new)
                        case 2:
                            target.storeBytes(
                                of: UInt16(truncatingIfNeeded: new),
                                toByteOffset: position,
                                as: UInt16.self
                            )
                        case 4:
                            target.storeBytes(
                                of: UInt32(truncatingIfNeeded: new),
                                toByteOffset: position,
                                as: UInt32.self
                            )
                        default:
                            target.storeBytes(
                                of: UInt64(truncatingIfNeeded: new),
                                toByteOffset: position,
                                as: UInt64.self
                            )
                        }
                        position += width
                    }
                }
            }
        }
        return .dictionary(indices: indices, values: values)
    }

    /// The distinct values of several dictionaries, and for each dictionary where its values went.
    private static func mergedValues(_ dictionaries: [ArrowArray]) throws(LanceError) -> (ArrowArray, [[Int]]) {
        let all = try concatenating(dictionaries)
        guard all.hasByteValues else {
            // Nested values are not compared: each dictionary keeps its own.
            var start = 0
            var maps: [[Int]] = []
            for dictionary in dictionaries {
                maps.append(Array(start..<(start + dictionary.length)))
                start += dictionary.length
            }
            return (all, maps)
        }
        var interner = ByteInterner()
        var nullPosition: Int?
        var kept: [Int] = []
        var internedAt: [Int] = []
        var position = 0
        var maps: [[Int]] = []
        for dictionary in dictionaries {
            var map: [Int] = []
            map.reserveCapacity(dictionary.length)
            for _ in 0..<dictionary.length {
                defer { position += 1 }
                if all.isNull(position) {
                    if nullPosition == nil {
                        nullPosition = kept.count
                        kept.append(position)
                    }
                    map.append(nullPosition ?? 0)
                    continue
                }
                let known = interner.count
                let number = try all.withBytes(at: position) { (bytes) throws(LanceError) in interner.intern(bytes) }
                if number == known {
                    internedAt.append(kept.count)
                    kept.append(position)
                }
                map.append(internedAt[number])
            }
            maps.append(map)
        }
        return (kept.count == all.length ? all : try all.gather(kept), maps)
    }

    private var hasByteValues: Bool {
        switch storage {
        case .fixedWidth, .variableWidth: true
        default: false
        }
    }

    /// Whether two arrays are views of the very same memory.
    private func isSameMemory(as other: ArrowArray) -> Bool {
        guard length == other.length, type == other.type else { return false }
        switch (validity, other.validity) {
        case (nil, nil): break
        case (let mine?, let theirs?):
            guard mine.buffer.isSameMemory(as: theirs.buffer), mine.bitOffset == theirs.bitOffset else { return false }
        default: return false
        }
        switch (storage, other.storage) {
        case (.null, .null): return true
        case (.boolean(let mine), .boolean(let theirs)):
            return mine.buffer.isSameMemory(as: theirs.buffer) && mine.bitOffset == theirs.bitOffset
        case (.fixedWidth(let mine), .fixedWidth(let theirs)): return mine.isSameMemory(as: theirs)
        case (.variableWidth(let mine, let myData), .variableWidth(let theirs, let theirData)):
            return mine.isSameMemory(as: theirs) && myData.isSameMemory(as: theirData)
        case (.list(let mine, let myChild), .list(let theirs, let theirChild)):
            return mine.isSameMemory(as: theirs) && myChild.isSameMemory(as: theirChild)
        case (.fixedSizeList(let mine), .fixedSizeList(let theirs)): return mine.isSameMemory(as: theirs)
        case (.structure(let mine), .structure(let theirs)):
            return mine.count == theirs.count && zip(mine, theirs).allSatisfy { $0.isSameMemory(as: $1) }
        case (.dictionary(let mine, let myValues), .dictionary(let theirs, let theirValues)):
            return mine.isSameMemory(as: theirs) && myValues.isSameMemory(as: theirValues)
        default: return false
        }
    }
}

extension ArrowBuffer {
    /// Whether both are the same bytes of the same memory.
    fileprivate func isSameMemory(as other: ArrowBuffer) -> Bool { start == other.start && count == other.count }
}
