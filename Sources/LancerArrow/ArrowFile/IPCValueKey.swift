import LancerBytes

extension ArrowArray {
    /// Appends bytes that are the same for equal values of one type and different for others: what dictionaries of
    /// different batches are merged by. Floats are compared by their bits; a null is equal to a null.
    package func appendKey(of index: Int, to key: inout [UInt8]) {
        if isNull(index) {
            key.append(0)
            return
        }
        key.append(1)
        switch storage {
        case .null: break
        case .boolean(let bits): key.append(bits[index] ? 1 : 0)
        case .fixedWidth(let values):
            let width = type.byteWidth ?? 0
            values.withUnsafeBytes { key.append(contentsOf: $0[(index * width)..<((index + 1) * width)]) }
        case .variableWidth(let offsets, let data):
            let range = offsets.offsetRange(index, type)
            withUnsafeBytes(of: range.count) { key.append(contentsOf: $0) }
            data.withUnsafeBytes { key.append(contentsOf: $0[range]) }
        case .list(let offsets, let child):
            let range = offsets.offsetRange(index, type)
            withUnsafeBytes(of: range.count) { key.append(contentsOf: $0) }
            for item in range { child.appendKey(of: item, to: &key) }
        case .fixedSizeList(let child):
            guard case .fixedSizeList(_, let size) = type else { return }
            for item in (index * size)..<((index + 1) * size) { child.appendKey(of: item, to: &key) }
        case .structure(let children): for child in children { child.appendKey(of: index, to: &key) }
        case .dictionary(let indices, let values):
            // The value's own key follows: a null in the dictionary is the same as a null outside.
            key.removeLast()
            values.appendKey(of: indices.dictionaryIndex(at: index, width: type.byteWidth ?? 1), to: &key)
        }
    }
}

extension ArrowBuffer {
    fileprivate func offsetRange(_ index: Int, _ type: ArrowType) -> Range<Int> {
        let width = type.offsetWidth ?? 4
        return offset(at: index, width: width)..<offset(at: index + 1, width: width)
    }
}
