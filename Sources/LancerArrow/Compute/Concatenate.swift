import LancerBytes

extension ArrowArray {
    /// All values of several arrays of the same type, one array after the other.
    ///
    /// Dictionaries that differ are merged, equal values once.
    ///
    /// - Throws: `schemaMismatch` when types differ, `invalidArgument` when there are no arrays, `limitExceeded` when
    ///   32-bit offsets or the dictionary's index cannot hold the result.
    public static func concatenating(_ arrays: [ArrowArray]) throws(LanceError) -> ArrowArray {
        guard let first = arrays.first else { throw .invalidArgument("no arrays to concatenate") }
        if let other = arrays.first(where: { $0.type != first.type }) {
            throw .schemaMismatch("\(first.type) and \(other.type) cannot be concatenated")
        }
        return try joined(arrays)
    }

    private static func joined(_ all: [ArrowArray]) throws(LanceError) -> ArrowArray {
        let arrays = all.filter { $0.length > 0 }
        guard arrays.count > 1, let first = arrays.first else { return arrays.first ?? all[0] }
        let type = first.type
        let length = arrays.reduce(0) { $0 + $1.length }
        let storage: Storage
        switch first.storage {
        case .null: return ArrowArray(type: type, length: length, storage: .null)
        case .boolean:
            var bits = BitmapBuilder(capacity: length)
            for array in arrays {
                guard case .boolean(let values) = array.storage else { throw array.storageMismatch }
                bits.append(contentsOf: values)
            }
            storage = .boolean(bits.finish())
        case .fixedWidth:
            var buffers: [ArrowBuffer] = []
            for array in arrays {
                guard case .fixedWidth(let values) = array.storage else { throw array.storageMismatch }
                buffers.append(values)
            }
            storage = .fixedWidth(ArrowBuffer(joining: buffers))
        case .variableWidth:
            var data: [ArrowBuffer] = []
            for array in arrays {
                guard case .variableWidth(_, let bytes) = array.storage else { throw array.storageMismatch }
                data.append(bytes.slice(array.offsetRange()))
            }
            storage = .variableWidth(offsets: try joinedOffsets(arrays, length), data: ArrowBuffer(joining: data))
        case .list:
            var items: [ArrowArray] = []
            for array in arrays {
                guard case .list(_, let child) = array.storage else { throw array.storageMismatch }
                items.append(child.slice(array.offsetRange()))
            }
            storage = .list(offsets: try joinedOffsets(arrays, length), child: try joined(items))
        case .fixedSizeList:
            var items: [ArrowArray] = []
            for array in arrays {
                guard case .fixedSizeList(let child) = array.storage else { throw array.storageMismatch }
                items.append(child)
            }
            storage = .fixedSizeList(child: try joined(items))
        case .structure(let members):
            var columns = [[ArrowArray]](repeating: [], count: members.count)
            for array in arrays {
                guard case .structure(let children) = array.storage, children.count == members.count else {
                    throw array.storageMismatch
                }
                for (index, child) in children.enumerated() { columns[index].append(child) }
            }
            var children: [ArrowArray] = []
            for column in columns { children.append(try joined(column)) }
            storage = .structure(children)
        case .dictionary: storage = try joinedDictionaries(arrays, length)
        }
        return ArrowArray(type: type, length: length, validity: joinedValidity(arrays, length), storage: storage)
    }

    private static func joinedValidity(_ arrays: [ArrowArray], _ length: Int) -> Bitmap? {
        guard arrays.contains(where: { $0.validity != nil }) else { return nil }
        var bits = BitmapBuilder(capacity: length)
        for array in arrays {
            if let validity = array.validity {
                bits.append(contentsOf: validity)
            } else {
                bits.append(true, repeated: array.length)
            }
        }
        return bits.finish()
    }

    private static func joinedOffsets(_ arrays: [ArrowArray], _ length: Int) throws(LanceError) -> ArrowBuffer {
        let total = arrays.reduce(0) { $0 + $1.offsetRange().count }
        guard let type = arrays.first?.type, type.offsetWidth == 4 else {
            return rebasedOffsets(arrays, length, Int64.self)
        }
        guard total <= Int(Int32.max) else {
            throw .limitExceeded("\(total) bytes or items do not fit one \(type) array with its 32-bit offsets")
        }
        return rebasedOffsets(arrays, length, Int32.self)
    }

    private static func rebasedOffsets<S: FixedWidthInteger & BitwiseCopyable>(
        _ arrays: [ArrowArray],
        _ length: Int,
        _ offsetType: S.Type
    ) -> ArrowBuffer {
        let width = MemoryLayout<S>.size
        return ArrowBuffer(count: (length + 1) * width) { target in
            target.storeBytes(of: 0, as: S.self)
            var position = 1
            var base: S = 0
            for array in arrays {
                guard let offsets = array.offsetsBuffer else { continue }
                offsets.withUnsafeBytes { source in
                    let shift: S = base &- source.loadUnaligned(as: S.self)
                    for index in 1...array.length {
                        let offset = source.loadUnaligned(fromByteOffset: index &* width, as: S.self) &+ shift
                        target.storeBytes(of: offset, toByteOffset: position &* width, as: S.self)
                        position &+= 1
                    }
                    base = source.loadUnaligned(fromByteOffset: array.length &* width, as: S.self) &+ shift
                }
            }
        }
    }

    /// The offsets of an array that has any.
    var offsetsBuffer: ArrowBuffer? {
        switch storage {
        case .variableWidth(let offsets, _), .list(let offsets, _): offsets
        default: nil
        }
    }
}

extension ArrowBuffer {
    /// The bytes of several buffers, one after the other.
    package init(joining buffers: [ArrowBuffer]) {
        self.init(count: buffers.reduce(0) { $0 + $1.count }) { target in
            var offset = 0
            for buffer in buffers {
                buffer.withUnsafeBytes {
                    UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0)
                }
                offset += buffer.count
            }
        }
    }
}
