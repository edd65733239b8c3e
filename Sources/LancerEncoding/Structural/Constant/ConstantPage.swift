import LancerArrow
import LancerBytes

/// A constant page ready to be read: every visible value is null or the one scalar.
///
/// ```
/// buffers  0: scalar inline or none, levels implied          1: scalar
///          2: repetition levels, definition levels           3: scalar, repetition levels, definition levels
/// scalar buffer:  u32 buffers | u32 size of each | the value buffers of a one-element array
/// ```
/// Spec: 05-constant.md, "Forms".
package final class ConstantPage: PreparedPage {
    let layout: ConstantLayout
    let rowCount: Int
    private let scalar: [ArrowBuffer]
    private let repetition: ArrowBuffer?
    private let definition: ArrowBuffer?
    private let entryCount: Int
    /// First entry of each row, and the end; empty when entries are rows.
    private let rowStarts: [UInt32]

    package var layers: [RepDefLayer] { layout.layers }

    package var sizeInBytes: Int {
        512 + scalar.reduce(0) { $0 + $1.count } + (repetition?.count ?? 0) + (definition?.count ?? 0)
            + rowStarts.count * 4
    }

    /// The buffers that ``init(layout:shape:type:buffers:)`` wants, whole: all.
    package static func searchBuffers(_ shape: PageShape) -> [Int] { Array(shape.bufferSizes.indices) }

    package init(
        layout: ConstantLayout,
        shape: PageShape,
        type: ArrowType,
        buffers: [ArrowBuffer]
    ) throws(LanceError) {
        self.layout = layout
        rowCount = shape.rowCount
        guard buffers.count <= 3 else { throw .corrupt("a constant page of \(buffers.count) buffers") }
        scalar = try Self.scalar(layout, buffers)
        let levels = buffers.count >= 2 ? buffers.suffix(2) : []
        repetition = try levels.first.flatMap { (buffer) throws(LanceError) in
            try Self.levels(buffer, layout.repetition, layout.repetitionLevelCount)
        }
        definition = try levels.last.flatMap { (buffer) throws(LanceError) in
            try Self.levels(buffer, layout.definition, layout.definitionLevelCount)
        }
        let counts = [repetition, definition].compactMap { $0.map { $0.count / 2 } }
        let entryCount = counts.first ?? shape.rowCount
        guard counts.allSatisfy({ $0 == entryCount }) else { throw .corrupt("levels of different counts: \(counts)") }
        self.entryCount = entryCount
        if layout.layers.maxRepetition > 0 {
            guard let repetition else { throw .corrupt("a constant list page without repetition levels") }
            rowStarts = try Self.rowStarts(repetition, UInt16(layout.layers.maxRepetition), shape.rowCount)
        } else {
            guard entryCount == shape.rowCount else {
                throw .corrupt("\(entryCount) levels for \(shape.rowCount) rows")
            }
            rowStarts = []
        }
        try checkValuePresence(type)
    }

    private static func levels(
        _ buffer: ArrowBuffer,
        _ encoding: CompressiveEncoding?,
        _ count: Int
    ) throws(LanceError) -> ArrowBuffer? {
        guard let encoding else {
            guard buffer.count > 0 else { return nil }
            guard buffer.count % 2 == 0 else { throw .corrupt("levels of \(buffer.count) bytes") }
            return buffer.aligned(to: 2)
        }
        return try decodeLevels(buffer, try ValueDecoder(encoding, for: .uint16), count)
    }

    private static func rowStarts(
        _ repetition: ArrowBuffer,
        _ start: UInt16,
        _ rows: Int
    ) throws(LanceError) -> [UInt32] {
        let count = repetition.count / 2
        guard count <= UInt32.max else { throw .limitExceeded("\(count) levels in a constant page") }
        var result: [UInt32] = []
        repetition.withValues(of: UInt16.self) { levels in
            for index in 0..<count where levels[index] >= start { result.append(UInt32(index)) }
        }
        guard result.count == rows, result.first ?? 0 == 0 else {
            throw .corrupt("repetition levels of \(result.count) rows in a page of \(rows)")
        }
        result.append(UInt32(count))
        return result
    }

    private static func scalar(_ layout: ConstantLayout, _ buffers: [ArrowBuffer]) throws(LanceError) -> [ArrowBuffer] {
        if let inline = layout.inlineValue { return [ArrowBuffer(inline)] }
        guard buffers.count == 1 || buffers.count == 3 else { return [] }
        var reader = ByteReader(buffers[0], what: "scalar value")
        let count = try reader.read(UInt32.self)
        guard count > 0, count <= 4 else { throw .corrupt("a scalar value of \(count) buffers") }
        var sizes: [UInt32] = []
        for _ in 0..<count { sizes.append(try reader.read()) }
        var result: [ArrowBuffer] = []
        for size in sizes { result.append(try reader.take(Int(size))) }
        return result
    }

    /// A page without a scalar must not have valid values, or they would be made up.
    private func checkValuePresence(_ type: ArrowType) throws(LanceError) {
        switch type {
        case .null: return
        case .structure(let fields) where fields.isEmpty: return
        default: break
        }
        guard scalar.isEmpty else { return }
        if let definition {
            let hasValid = definition.withValues(of: UInt16.self) { $0.contains(0) }
            if hasValid { throw .corrupt("a constant page has valid values but no value") }
        } else if layout.layers[0] != .nullableItem, entryCount > 0 {
            throw .corrupt("a constant page has valid values but no value")
        }
    }

    package func plan(
        _ rows: ArraySlice<Range<Int>>,
        index: PageData,
        into plan: inout [PageRange]
    ) throws(LanceError) {}

    package func decode(
        _ rows: ArraySlice<Range<Int>>,
        data: PageData,
        index: PageData,
        levels: LevelCollector,
        values output: ValueAccumulator
    ) throws(LanceError) {
        let translation = try levels.prepare(for: layers)
        let visible = UInt16(layers.maxVisibleDefinition)
        for rows in rows where !rows.isEmpty {
            let entries =
                rowStarts.isEmpty ? rows : Int(rowStarts[rows.lowerBound])..<Int(rowStarts[rows.upperBound])
            var slots = entries.count
            let first = repetition.map { $0.start.assumingMemoryBound(to: UInt16.self) + entries.lowerBound }
            if let definition {
                let second = definition.start.assumingMemoryBound(to: UInt16.self) + entries.lowerBound
                for index in 0..<entries.count where second[index] > visible { slots -= 1 }
                try levels.append(repetition: first, definition: second, count: entries.count, translation: translation)
            } else if scalar.isEmpty, layers[0] == .nullableItem {
                // Levels are implied: every value is null at the leaf.
                let nulls = [UInt16](repeating: 1, count: entries.count)
                try nulls.withUnsafeBufferPointer { (nulls) throws(LanceError) in
                    try levels.append(
                        repetition: first,
                        definition: nulls.baseAddress,
                        count: entries.count,
                        translation: translation
                    )
                }
            } else {
                try levels.append(repetition: first, definition: nil, count: entries.count, translation: translation)
            }
            withExtendedLifetime((repetition, definition)) {}
            try append(slots, into: output)
        }
    }

    private func append(_ count: Int, into output: ValueAccumulator) throws(LanceError) {
        guard let value = scalar.first else { return try output.appendEmpty(count) }
        switch output {
        case .fixed(let target, let width):
            guard value.count == width else { throw .corrupt("a constant of \(value.count) bytes, not \(width)") }
            Self.fill(target, value, count)
        case .bits(let target):
            guard value.count == 1 else { throw .corrupt("a boolean constant of \(value.count) bytes") }
            target.append(repeating: value.bytes[0] & 1 == 1, count: count)
        case .variable(let target):
            let width = target.offsetWidth
            guard scalar.count == 2, value.count >= 2 * width else { throw .corrupt("a text constant without offsets") }
            let start = value.offset(at: 0, width: width)
            let end = value.offset(at: 1, width: width)
            guard start >= 0, start <= end, end <= scalar[1].count else { throw .corrupt("a text constant's offsets") }
            let text = scalar[1].slice(start..<end)
            for _ in 0..<count {
                text.withUnsafeBytes { bytes in
                    if let base = bytes.baseAddress { target.data.append(base, bytes.count) }
                }
                try target.endValue()
            }
        default: throw .unsupported("a constant page of vectors, structs or dictionary values")
        }
    }

    private static func fill(_ target: OutputBuffer, _ value: ArrowBuffer, _ count: Int) {
        let width = value.count
        guard width > 0, count > 0 else { return }
        let room = target.extend(by: count * width)
        value.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            room.copyMemory(from: base, byteCount: width)
        }
        // Doubling what is there already.
        var done = 1
        while done < count {
            let step = min(done, count - done)
            (room + done * width).copyMemory(from: room, byteCount: step * width)
            done += step
        }
    }
}

/// Decodes `count` levels of one buffer to 16-bit words.
private func decodeLevels(_ bytes: ArrowBuffer, _ decoder: ValueDecoder, _ count: Int) throws(LanceError) -> ArrowBuffer
{
    // Unpacking writes whole blocks of 1024.
    let output = OutputBuffer(capacity: max(min(count, 1 << 16), 1024) * 2)
    try bytes.withUnsafeBytes { (raw) throws(LanceError) in
        try decoder.decodeBlock(raw, count: count, into: .fixed(output, width: 2))
    }
    guard output.count == count * 2 else { throw .corrupt("\(output.count / 2) levels instead of \(count)") }
    return output.finish()
}
