import LancerArrow
import LancerBytes

extension ArrowArray {
    /// The same values with every dictionary resolved.
    ///
    /// - Throws: `corrupt` for indices outside their dictionary.
    func withoutDictionaries() throws(LanceError) -> ArrowArray {
        guard type.hasDictionary else { return self }
        switch storage {
        case .dictionary(let indices, let values):
            let width = type.byteWidth ?? 4
            guard case .dictionary(let index, _, _) = type else { return self }
            var places: [Int] = []
            places.reserveCapacity(length)
            for position in 0..<length {
                if isNull(position) {
                    places.append(-1)
                    continue
                }
                let place = indices.integer(at: position, width: width, isSigned: index.isSignedInteger)
                guard (0..<values.length).contains(place) else {
                    throw .corrupt("index \(place) into a dictionary of \(values.length) values")
                }
                places.append(place)
            }
            return try values.gather(places).withoutDictionaries()
        case .list(let offsets, let child):
            return with(.list(offsets: offsets, child: try child.withoutDictionaries()))
        case .fixedSizeList(let child): return with(.fixedSizeList(child: try child.withoutDictionaries()))
        case .structure(let children):
            var resolved: [ArrowArray] = []
            for child in children { resolved.append(try child.withoutDictionaries()) }
            return with(.structure(resolved))
        default: return self
        }
    }

    private func with(_ storage: Storage) -> ArrowArray {
        ArrowArray(type: type, length: length, validity: validity, storage: storage)
    }
}

extension ArrowBuffer {
    /// The integer of `width` bytes at `index`.
    fileprivate func integer(at index: Int, width: Int, isSigned: Bool) -> Int {
        switch width {
        case 1:
            let value = start.load(fromByteOffset: index, as: UInt8.self)
            return isSigned ? Int(Int8(bitPattern: value)) : Int(value)
        case 2:
            let value = start.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
            return isSigned ? Int(Int16(bitPattern: value)) : Int(value)
        case 4:
            let value = start.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
            return isSigned ? Int(Int32(bitPattern: value)) : Int(value)
        default:
            let value = start.loadUnaligned(fromByteOffset: index * 8, as: Int64.self)
            return isSigned || value >= 0 ? Int(value) : -1
        }
    }
}

extension ArrowType {
    /// Whether the type or one below it is a dictionary.
    fileprivate var hasDictionary: Bool {
        if case .dictionary = self { return true }
        return children.contains { $0.type.hasDictionary }
    }
}
