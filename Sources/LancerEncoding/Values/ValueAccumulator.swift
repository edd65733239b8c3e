import LancerArrow
import LancerBytes

/// Where decoded values of a leaf column are collected, by the shape of its type.
///
/// Holds one slot for each visible item, nulls included; validity comes from the definition levels.
package indirect enum ValueAccumulator {
    /// Values of `width` bytes.
    case fixed(OutputBuffer, width: Int)
    /// Booleans.
    case bits(BitOutput)
    /// Text and bytes.
    case variable(VariableOutput)
    /// Vectors of `dimension` items.
    case list(FixedSizeListOutput)
    /// Packed structs.
    case structure([ValueAccumulator], SlotCounter)
    /// Arrow dictionary arrays.
    case dictionary(DictionaryOutput)
    /// Null and empty struct: slots only.
    case slots(SlotCounter)

    /// A collector for values of `type`; `capacity` is the expected number of values.
    ///
    /// - Throws: `unsupported` for a type that has no column of its own.
    package init(_ type: ArrowType, capacity: Int) throws(LanceError) {
        switch type {
        case .null: self = .slots(SlotCounter())
        case .bool: self = .bits(BitOutput(capacity: capacity))
        case .utf8, .binary, .largeUtf8, .largeBinary:
            self = .variable(VariableOutput(offsetWidth: type.offsetWidth ?? 4, capacity: capacity))
        case .fixedSizeList(let item, let size):
            let child = try ValueAccumulator(item.type, capacity: capacity &* size)
            self = .list(FixedSizeListOutput(child: child, dimension: size))
        case .structure(let fields):
            var children: [ValueAccumulator] = []
            for field in fields { children.append(try ValueAccumulator(field.type, capacity: capacity)) }
            self = .structure(children, SlotCounter())
        case .dictionary(let index, _, _):
            self = .dictionary(DictionaryOutput(width: index.byteWidth ?? 4))
        case .list, .largeList, .map:
            throw .unsupported("a \(type) as a leaf column")
        default:
            guard let width = type.byteWidth else { throw .unsupported("a \(type) as a leaf column") }
            self = .fixed(OutputBuffer(capacity: capacity &* width), width: width)
        }
    }

    /// Number of values collected.
    package var count: Int {
        switch self {
        case .fixed(let output, let width): width == 0 ? 0 : output.count / width
        case .bits(let output): output.count
        case .variable(let output): output.count
        case .list(let output): output.count
        case .structure(_, let slots): slots.count
        case .dictionary(let output): output.count
        case .slots(let slots): slots.count
        }
    }

    /// The values as an array without validity at the top; `type` must be the one the collector was made for.
    package func finish(_ type: ArrowType, count: Int) throws(LanceError) -> ArrowArray {
        switch self {
        case .fixed(let output, _):
            return ArrowArray(type: type, length: count, storage: .fixedWidth(output.finish()))
        case .bits(let output):
            return ArrowArray(type: type, length: count, storage: .boolean(Bitmap(output.finish(), count: count)))
        case .variable(let output):
            let storage = ArrowArray.Storage.variableWidth(offsets: output.offsets.finish(), data: output.data.finish())
            return ArrowArray(type: type, length: count, storage: storage)
        case .list(let output):
            guard case .fixedSizeList(let item, let size) = type else { throw .corrupt("a list where \(type) is") }
            let plain = try output.child.finish(item.type, count: count * size)
            let child = output.itemValidity.map { plain.replacingValidity(Bitmap($0.finish(), count: count * size)) }
            return ArrowArray(type: type, length: count, storage: .fixedSizeList(child: child ?? plain))
        case .structure(let children, _):
            var arrays: [ArrowArray] = []
            for (child, field) in zip(children, type.children) {
                arrays.append(try child.finish(field.type, count: count))
            }
            return ArrowArray(type: type, length: count, storage: .structure(arrays))
        case .dictionary(let output):
            return try output.finish(type)
        case .slots:
            if case .structure = type { return ArrowArray(type: type, length: count, storage: .structure([])) }
            return ArrowArray(type: type, length: count, storage: .null)
        }
    }

    /// Appends `count` slots of no particular value (zero, empty): what nulls are filled with.
    package func appendEmpty(_ count: Int) throws(LanceError) {
        switch self {
        case .fixed(let output, let width): output.appendZeros(count * width)
        case .bits(let output): output.append(repeating: false, count: count)
        case .variable(let output): output.appendEmpty(count)
        case .list(let output):
            try output.child.appendEmpty(count * output.dimension)
            output.itemValidity?.append(repeating: true, count: count * output.dimension)
            output.count += count
        case .structure(let children, let slots):
            for child in children { try child.appendEmpty(count) }
            slots.count += count
        case .dictionary(let output): output.indices.appendZeros(count * output.width)
        case .slots(let slots): slots.count += count
        }
    }
}

/// Counts values that have no memory.
package final class SlotCounter {
    package var count = 0
}

/// Collects text or bytes.
package final class VariableOutput {
    /// Bytes of an offset: 4 or 8.
    package let offsetWidth: Int
    package let offsets: OutputBuffer
    package let data = OutputBuffer()

    package init(offsetWidth: Int, capacity: Int) {
        self.offsetWidth = offsetWidth
        offsets = OutputBuffer(capacity: (capacity &+ 1) &* offsetWidth)
        if offsetWidth == 4 { offsets.append(value: Int32(0)) } else { offsets.append(value: Int64(0)) }
    }

    /// Number of values.
    package var count: Int { offsets.count / offsetWidth - 1 }

    /// Ends a value at the present end of the data.
    @inline(__always)
    package func endValue() throws(LanceError) {
        if offsetWidth == 4 {
            guard data.count <= Int(Int32.max) else { throw overflow }
            offsets.append(value: Int32(truncatingIfNeeded: data.count))
        } else {
            offsets.append(value: Int64(data.count))
        }
    }

    package func appendEmpty(_ count: Int) {
        // Earlier values fitted, so the present end does.
        for _ in 0..<count {
            if offsetWidth == 4 {
                offsets.append(value: Int32(truncatingIfNeeded: data.count))
            } else {
                offsets.append(value: Int64(data.count))
            }
        }
    }

    package var overflow: LanceError {
        .limitExceeded("more than 2 GiB of text or binary in one batch; read fewer rows at a time")
    }
}

/// Collects fixed-size lists.
package final class FixedSizeListOutput {
    package let child: ValueAccumulator
    package let dimension: Int
    /// Present from the first page on that has item validity.
    package private(set) var itemValidity: BitOutput?
    package var count = 0

    package init(child: ValueAccumulator, dimension: Int) {
        self.child = child
        self.dimension = dimension
    }

    /// The item validity, started with what went before if this is the first page that has one.
    package func neededItemValidity() -> BitOutput {
        if let itemValidity { return itemValidity }
        let output = BitOutput(capacity: (count + 1) * dimension)
        output.append(repeating: true, count: count * dimension)
        itemValidity = output
        return output
    }
}

/// Collects indices into one or more dictionaries.
package final class DictionaryOutput {
    /// Bytes of an index.
    package let width: Int
    /// Indices of the dictionary in use.
    package private(set) var indices = OutputBuffer()
    private var finished: [(indices: ArrowBuffer, count: Int, values: ArrowArray)] = []
    private var current: (id: Int, values: ArrowArray)?

    package init(width: Int) { self.width = width }

    package var count: Int { finished.reduce(indices.count / width) { $0 + $1.count } }

    /// Makes `values` the dictionary of what is appended next; `id` tells dictionaries apart.
    package func use(_ values: ArrowArray, id: Int) {
        if let current, current.id != id, indices.count > 0 {
            finished.append((indices.finish(), indices.count / width, current.values))
            indices = OutputBuffer()
        }
        current = (id, values)
    }

    package func finish(_ type: ArrowType) throws(LanceError) -> ArrowArray {
        guard case .dictionary(_, let valueType, _) = type else { throw .corrupt("a dictionary where \(type) is") }
        let count = indices.count / width
        var values = current?.values ?? ArrowArray.empty(valueType)
        if values.length == 0, count > 0 {
            // Slots hidden under a null parent need not be null themselves: give them something to point to.
            values = ArrowArray.nulls(type: valueType, length: 1).replacingValidity(nil)
        }
        let last = ArrowArray(
            type: type,
            length: count,
            storage: .dictionary(indices: indices.finish(), values: values)
        )
        if finished.isEmpty { return last }
        var parts = finished.map {
            ArrowArray(type: type, length: $0.count, storage: .dictionary(indices: $0.indices, values: $0.values))
        }
        parts.append(last)
        return try ArrowArray.concatenating(parts)
    }
}

extension ArrowArray {
    /// The same values under another validity.
    package func replacingValidity(_ validity: Bitmap?) -> ArrowArray {
        ArrowArray(type: type, length: length, validity: validity, storage: storage)
    }
}
