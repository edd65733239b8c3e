import LancerArrow
import LancerBytes

extension Casting {
    /// Text and binary of all kinds among each other.
    static func castBytes(_ array: ArrowArray, to type: ArrowType, _ mode: CastMode) throws(LanceError) -> ArrowArray {
        defer { withExtendedLifetime(array) {} }
        let values = try ByteColumn(Operand(array: array))
        let builder = ColumnBuilder(type)
        let mustBeText = type.isText && !array.type.isText
        for row in 0..<array.length {
            if array.isNull(row) {
                builder.appendNull()
                continue
            }
            let bytes = values[row]
            var fits = true
            if case .fixedSizeBinary(let size) = type { fits = bytes.count == size }
            if mustBeText { fits = String(validating: bytes, as: UTF8.self) != nil }
            if fits {
                try builder.append(bytes: bytes)
            } else if mode == .try {
                builder.appendNull()
            } else {
                throw .invalidArgument(
                    mustBeText
                        ? "\(bytes.count) bytes are no UTF-8 text"
                        : "\(bytes.count) bytes do not fit \(type.shortName)"
                )
            }
        }
        return builder.finish()
    }

    /// Lists of all kinds among each other.
    static func castList(
        _ array: ArrowArray,
        to type: ArrowType,
        _ mode: CastMode,
        _ context: EvaluationContext
    ) throws(LanceError) -> ArrowArray {
        guard let item = type.listItem else { throw .invalidArgument("\(type.shortName) is no list") }
        var lengths: [Int] = []
        var rows: [Int] = []
        var validity: [UInt64]? = BitWords.validity(array)
        for row in 0..<array.length {
            guard !array.isNull(row), let (_, range) = array.items(at: row) else {
                lengths.append(0)
                continue
            }
            lengths.append(range.count)
            rows.append(contentsOf: range)
        }
        guard let child = array.child else { throw .invalidArgument("\(array.type.shortName) is no list") }
        let items = try cast(try child.gather(rows), to: item.type, mode, context)
        if case .fixedSizeList(_, let size) = type {
            // Every list needs its items, those of nulls are null.
            var places: [Int] = []
            var next = 0
            for row in 0..<array.length {
                if lengths[row] == size {
                    places.append(contentsOf: next..<(next + size))
                } else {
                    if !array.isNull(row) {
                        guard mode == .try else {
                            throw .invalidArgument("a list of \(lengths[row]) items does not fit \(type.shortName)")
                        }
                        var words = validity ?? BitWords.repeating(true, count: array.length)
                        words[row >> 6] &= ~(1 << UInt64(row & 63))
                        validity = words
                    }
                    places.append(contentsOf: [Int](repeating: -1, count: size))
                }
                next += lengths[row]
            }
            return ArrowArray(
                type: type,
                length: array.length,
                validity: validity.map { BitWords.bitmap($0, count: array.length) },
                storage: .fixedSizeList(child: try items.gather(places))
            )
        }
        var ends: [Int] = [0]
        for length in lengths { ends.append(ends[ends.count - 1] + length) }
        guard type.offsetWidth == 8 || ends[ends.count - 1] <= Int(Int32.max) else {
            throw .limitExceeded("more than 2^31 items in one list column")
        }
        let offsets = type.offsetWidth == 8 ? ArrowBuffer(ends.map { Int64($0) }) : ArrowBuffer(ends.map { Int32($0) })
        return ArrowArray(
            type: type,
            length: array.length,
            validity: array.validity,
            storage: .list(offsets: offsets, child: items)
        )
    }

    /// Structs of the same member names.
    static func castStruct(
        _ array: ArrowArray,
        _ children: [ArrowArray],
        _ fields: [ArrowField],
        to type: ArrowType,
        _ mode: CastMode,
        _ context: EvaluationContext
    ) throws(LanceError) -> ArrowArray {
        guard children.count == fields.count else {
            throw .invalidArgument("\(array.type.shortName) cannot become \(type.shortName)")
        }
        var members: [ArrowArray] = []
        for (child, field) in zip(children, fields) {
            members.append(try cast(child.masked(by: array.validity), to: field.type, mode, context))
        }
        return ArrowArray(type: type, length: array.length, validity: array.validity, storage: .structure(members))
    }
}

extension ArrowArray {
    /// The items of a list or map.
    var child: ArrowArray? {
        switch storage {
        case .list(_, let child), .fixedSizeList(let child): child
        default: nil
        }
    }
}
