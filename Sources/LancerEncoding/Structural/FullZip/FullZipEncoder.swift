import LancerBytes

/// Writes entries one after the other: control word, then the value.
///
/// ```
/// buffer 0   for each level: [control word: rep << defBits | def] [if visible: value]
/// buffer 1   byte offset of each row in buffer 0, and the end (with lists, or values of variable width)
/// ```
/// A value of fixed width is there even when null; a null of variable width is its control word only, others have a
/// length in front. Spec: 04-full-zip.md, "Entries".
package enum FullZipEncoder {
    /// Each visible entry has `values.width` bytes, in the encoding described.
    package static func page(
        _ levels: LeafLevels,
        _ values: FixedValues,
        _ encoding: CompressiveEncoding
    ) -> EncodedPage {
        let control = ControlWords(levels)
        let layout = FullZipLayout(
            repetitionBits: control.repetitionBits,
            definitionBits: control.definitionBits,
            width: .fixed(bits: values.width * 8),
            itemCount: levels.count,
            visibleItemCount: levels.visibleCount,
            values: encoding,
            layers: levels.layers
        )
        guard control.bytes > 0 else {
            // Nothing but values: the array itself.
            return EncodedPage(layout: .fullZip(layout), buffers: [values.bytes], levels: levels)
        }
        var data = BufferBuilder(capacity: levels.count * control.bytes + values.bytes.count)
        var rows = RowOffsets(levels)
        let width = values.width
        values.bytes.withUnsafeBytes { source in
            var at = 0
            for entry in 0..<levels.count {
                rows.visit(entry, at: data.count)
                control.append(entry, to: &data)
                if control.isVisible(entry) {
                    data.append(UnsafeRawBufferPointer(rebasing: source[at..<(at + width)]))
                    at += width
                }
            }
        }
        var buffers = [ArrowBuffer]()
        let end = data.count
        buffers.append(data.finish())
        if levels.repetition != nil { buffers.append(rows.finish(end: end)) }
        return EncodedPage(layout: .fullZip(layout), buffers: buffers, levels: levels)
    }

    /// Each visible entry that is not null has a length and that many bytes, in the encoding described.
    package static func page(
        _ levels: LeafLevels,
        _ values: VariableValues,
        _ encoding: CompressiveEncoding
    ) -> EncodedPage {
        let control = ControlWords(levels)
        let lengthBytes = values.offsetBits / 8
        let layout = FullZipLayout(
            repetitionBits: control.repetitionBits,
            definitionBits: control.definitionBits,
            width: .variable(lengthBits: values.offsetBits),
            itemCount: levels.count,
            visibleItemCount: levels.visibleCount,
            values: encoding,
            layers: levels.layers
        )
        var data = BufferBuilder(
            capacity: levels.count * control.bytes + levels.visibleCount * lengthBytes + values.dataBytes
        )
        var rows = RowOffsets(levels)
        var slot = 0
        values.data.withUnsafeBytes { source in
            values.offsets.withUnsafeBufferPointer { offsets in
                for entry in 0..<levels.count {
                    rows.visit(entry, at: data.count)
                    control.append(entry, to: &data)
                    guard control.isVisible(entry) else { continue }
                    if control.isValid(entry) {
                        let range = offsets[slot]..<offsets[slot + 1]
                        if lengthBytes == 4 {
                            data.append(UInt32(truncatingIfNeeded: range.count))
                        } else {
                            data.append(UInt64(range.count))
                        }
                        data.append(UnsafeRawBufferPointer(rebasing: source[range]))
                    }
                    slot += 1
                }
            }
        }
        let end = data.count
        let buffers = [data.finish(), rows.finish(end: end)]
        return EncodedPage(layout: .fullZip(layout), buffers: buffers, levels: levels)
    }
}

/// The levels of an entry in as few bytes as the page needs.
private struct ControlWords {
    let repetition: [UInt16]?
    let definition: [UInt16]?
    let repetitionBits: Int
    let definitionBits: Int
    let bytes: Int
    let highestVisible: UInt16

    init(_ levels: LeafLevels) {
        repetition = levels.repetition
        definition = levels.definition
        repetitionBits = repetition == nil ? 0 : Self.bits(levels.maxRepetition)
        definitionBits = definition == nil ? 0 : Self.bits(levels.maxDefinition)
        highestVisible = UInt16(levels.maxVisibleDefinition)
        switch repetitionBits + definitionBits {
        case 0: bytes = 0
        case 1...8: bytes = 1
        case 9...16: bytes = 2
        default: bytes = 4
        }
    }

    private static func bits(_ maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

    @inline(__always)
    func append(_ entry: Int, to data: inout BufferBuilder) {
        guard bytes > 0 else { return }
        let level = UInt32(definition.map { $0[entry] } ?? 0)
        let word = UInt32(repetition.map { $0[entry] } ?? 0) << UInt32(definitionBits) | level
        switch bytes {
        case 1: data.append(UInt8(truncatingIfNeeded: word))
        case 2: data.append(UInt16(truncatingIfNeeded: word))
        default: data.append(word)
        }
    }

    @inline(__always)
    func isVisible(_ entry: Int) -> Bool { definition.map { $0[entry] <= highestVisible } ?? true }

    @inline(__always)
    func isValid(_ entry: Int) -> Bool { definition.map { $0[entry] == 0 } ?? true }
}

/// Collects where rows start; stored in the narrowest of 1, 2, 4 or 8 bytes.
private struct RowOffsets {
    private let repetition: [UInt16]?
    private let rowStart: UInt16
    private var offsets: [Int] = []

    init(_ levels: LeafLevels) {
        repetition = levels.repetition
        rowStart = UInt16(levels.maxRepetition)
        offsets.reserveCapacity(levels.rowCount + 1)
    }

    @inline(__always)
    mutating func visit(_ entry: Int, at offset: Int) {
        if repetition.map({ $0[entry] == rowStart }) ?? true { offsets.append(offset) }
    }

    consuming func finish(end: Int) -> ArrowBuffer {
        offsets.append(end)
        switch end {
        case ...Int(UInt8.max): return ArrowBuffer(offsets.map { UInt8($0) })
        case ...Int(UInt16.max): return ArrowBuffer(offsets.map { UInt16($0) })
        case ...Int(UInt32.max): return ArrowBuffer(offsets.map { UInt32($0) })
        default: return ArrowBuffer(offsets.map { UInt64($0) })
        }
    }
}
