import LancerArrow
import LancerBytes

/// One dictionary made of several, for pages whose batches came with different ones.
struct DictionaryUnion {
    /// The distinct values in order of first appearance; they are parts of the old dictionaries.
    private(set) var items: [ArrowArray] = []
    /// Number of distinct values.
    private(set) var itemCount = 0
    /// For each old dictionary, where its values went.
    private(set) var positions: [[Int]] = []

    /// - Throws: `unsupported` for values that are not primitive.
    init(of dictionaries: [ArrowArray], type: ArrowType) throws(LanceError) {
        var known: [[UInt8]?: Int] = [:]
        for dictionary in dictionaries {
            var map: [Int] = []
            map.reserveCapacity(dictionary.length)
            for index in 0..<dictionary.length {
                let key = try dictionary.valueBytes(at: index)
                if let position = known[key] {
                    map.append(position)
                } else {
                    known[key] = itemCount
                    map.append(itemCount)
                    items.append(dictionary.slice(index..<(index + 1)))
                    itemCount += 1
                }
            }
            positions.append(map)
        }
        if items.isEmpty { items = [dictionaries[0].slice(0..<0)] }
    }
}

extension ArrowArray {
    /// The bytes that tell a primitive value from another, nil for null.
    fileprivate func valueBytes(at index: Int) throws(LanceError) -> [UInt8]? {
        if isNull(index) { return nil }
        switch storage {
        case .boolean(let bits): return [bits[index] ? 1 : 0]
        case .fixedWidth(let bytes):
            let width = type.byteWidth ?? 0
            return bytes.slice((index * width)..<((index + 1) * width)).bytes
        case .variableWidth(let offsets, let data):
            let width = type.offsetWidth ?? 4
            let start = offsets.offset(at: index, width: width)
            let end = offsets.offset(at: index + 1, width: width)
            return try data.checkedSlice(offset: start, count: end - start, "a dictionary value").bytes
        default: throw .unsupported("dictionary values of type \(type)")
        }
    }

    /// Whether both are the same memory, so that they need no comparison.
    func sharesMemory(with other: ArrowArray) -> Bool {
        guard length == other.length, type == other.type else { return false }
        switch (storage, other.storage) {
        case (.fixedWidth(let left), .fixedWidth(let right)):
            return left.start == right.start && left.count == right.count
        case (.variableWidth(let left, let leftData), .variableWidth(let right, let rightData)):
            return left.start == right.start && leftData.start == rightData.start
        case (.boolean(let left), .boolean(let right)):
            return left.buffer.start == right.buffer.start && left.bitOffset == right.bitOffset
        default: return false
        }
    }
}
