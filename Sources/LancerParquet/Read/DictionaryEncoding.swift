import LancerArrow
import LancerBytes

/// Makes dictionary arrays of plain ones.
enum DictionaryEncoding {
    /// The distinct values of `array` in order of appearance, and indices into them.
    ///
    /// - Throws: `limitExceeded` when there are more values than the index type can number.
    static func encode(_ array: ArrowArray, index: ArrowType, type: ArrowType) throws(LanceError) -> ArrowArray {
        var known = ByteInterner()
        var numbers: [Int] = []
        numbers.reserveCapacity(array.length)
        var firsts: [Int] = []
        func add(_ value: UnsafeRawBufferPointer, _ place: Int) {
            let number = known.intern(value)
            if number == firsts.count { firsts.append(place) }
            numbers.append(number)
        }
        switch array.storage {
        case .variableWidth(let offsets, let data):
            let width = array.type.offsetWidth ?? 4
            for place in 0..<array.length {
                let start = offsets.offset(at: place, width: width)
                let end = offsets.offset(at: place + 1, width: width)
                add(UnsafeRawBufferPointer(start: data.start + start, count: end - start), place)
            }
        case .fixedWidth(let values):
            let width = array.type.byteWidth ?? 1
            for place in 0..<array.length {
                add(UnsafeRawBufferPointer(start: values.start + place * width, count: width), place)
            }
        case .boolean(let bits):
            for place in 0..<array.length { withUnsafeBytes(of: bits[place]) { add($0, place) } }
        default: throw .unsupported("a dictionary of \(array.type)")
        }
        let indexWidth = index.byteWidth ?? 4
        let bits = min(indexWidth * 8 - (index.isSignedInteger ? 1 : 0), 62)
        guard firsts.count <= 1 << bits else {
            throw .limitExceeded("\(firsts.count) distinct values for indices of type \(index)")
        }
        let indices = ArrowBuffer(count: numbers.count * indexWidth) { room in
            guard let target = room.baseAddress else { return }
            for (place, number) in numbers.enumerated() {
                for byte in 0..<indexWidth {
                    let part = UInt8(truncatingIfNeeded: number >> (8 * byte))
                    target.storeBytes(of: part, toByteOffset: place * indexWidth + byte, as: UInt8.self)
                }
            }
        }
        return ArrowArray(
            type: type,
            length: array.length,
            storage: .dictionary(indices: indices, values: try array.gather(firsts))
        )
    }
}
