import LancerArrow
import LancerBytes

/// A full-zip page ready to be read.
///
/// ```
/// buffer 0:  entries (``EntryWalk``)
/// buffer 1:  byte offset in buffer 0 of each row, and the end; 1, 2, 4 or 8 bytes each
/// ```
/// The control word is `rep << bits_def | def`. A fixed-width value is there for nulls too; a variable one
/// (`length | bytes`) only for valid entries. Buffer 1 is absent for fixed width without lists.
/// Spec: 04-full-zip.md, "Entries".
package final class FullZipPage: PreparedPage {
    let layout: FullZipLayout
    let shape: PageShape
    let values: FullZipValueDecoder
    /// The whole of buffer 1 when it is small enough to be kept.
    private let rowIndex: ArrowBuffer?
    /// Where ``rowIndex`` starts, which it keeps alive: counting references to it for each row, in all threads at once,
    /// was 40 % of a scan with a condition.
    private nonisolated(unsafe) let indexStart: UnsafeRawPointer?
    /// Bytes of an entry of buffer 1; 0 when there is none.
    private let indexWidth: Int

    /// Largest index that is read and kept whole; of larger ones only the entries needed are read.
    package static let keptIndexBytes = 4 << 20

    package var layers: [RepDefLayer] { layout.layers }

    package var sizeInBytes: Int { 512 + (rowIndex?.count ?? 0) }

    /// The buffers that ``init(layout:shape:type:buffers:)`` wants, whole.
    package static func searchBuffers(_ layout: FullZipLayout, _ shape: PageShape) -> [Int] {
        guard needsIndex(layout), shape.bufferSizes.count > 1, shape.bufferSizes[1] <= keptIndexBytes else { return [] }
        return [1]
    }

    private static func needsIndex(_ layout: FullZipLayout) -> Bool {
        if case .variable = layout.width { return true }
        return layout.layers.maxRepetition > 0
    }

    package init(
        layout: FullZipLayout,
        shape: PageShape,
        type: ArrowType,
        buffers: [ArrowBuffer]
    ) throws(LanceError) {
        guard !shape.bufferSizes.isEmpty else { throw .corrupt("a full-zip page without buffers") }
        self.layout = layout
        self.shape = shape
        values = try FullZipValueDecoder(layout, for: type)
        // Every row has the highest repetition level; definition levels that do not occur need no bits.
        guard layout.layers.maxRepetition < 1 << layout.repetitionBits else {
            throw .corrupt("a control word too narrow for its levels")
        }
        if Self.needsIndex(layout) {
            guard shape.bufferSizes.count > 1 else { throw .corrupt("a full-zip page without row index") }
            let entries = shape.rowCount + 1
            let width = shape.bufferSizes[1] / entries
            guard [1, 2, 4, 8].contains(width), width * entries == shape.bufferSizes[1] else {
                throw .corrupt("a row index of \(shape.bufferSizes[1]) bytes for \(shape.rowCount) rows")
            }
            indexWidth = width
            rowIndex = buffers.first
            indexStart = rowIndex?.start
        } else {
            indexWidth = 0
            rowIndex = nil
            indexStart = nil
            let stride = values.fixedBytes + layout.controlWordBytes
            guard try stride.multiplied(by: shape.rowCount, "size of a page") == shape.bufferSizes[0] else {
                throw .corrupt("\(shape.bufferSizes[0]) bytes for \(shape.rowCount) values of \(stride) bytes")
            }
        }
    }

    package func indexRanges(_ rows: ArraySlice<Range<Int>>) -> [PageRange] {
        guard indexWidth > 0, rowIndex == nil else { return [] }
        var result: [PageRange] = []
        for rows in rows where !rows.isEmpty {
            for row in [rows.lowerBound, rows.upperBound] {
                result.join(1, (row * indexWidth)..<((row + 1) * indexWidth), from: 0)
            }
        }
        return result
    }

    package func plan(
        _ rows: ArraySlice<Range<Int>>,
        index: PageData,
        into plan: inout [PageRange]
    ) throws(LanceError) {
        let first = plan.count
        var end = 0
        for rows in rows where !rows.isEmpty {
            let bytes = try byteRange(rows, index)
            guard bytes.lowerBound >= end else { throw .corrupt("the row index falls", part: "page buffer 1") }
            end = bytes.upperBound
            plan.join(0, bytes, from: first)
        }
    }

    /// Where the entries of `rows` lie in buffer 0.
    func byteRange(_ rows: Range<Int>, _ index: PageData) throws(LanceError) -> Range<Int> {
        if indexWidth == 0 {
            let stride = values.fixedBytes + layout.controlWordBytes
            return (rows.lowerBound * stride)..<(rows.upperBound * stride)
        }
        let start = try rowOffset(rows.lowerBound, index)
        let end = try rowOffset(rows.upperBound, index)
        guard start <= end, end <= shape.bufferSizes[0] else {
            throw .corrupt("rows \(rows) at bytes \(start) to \(end) of \(shape.bufferSizes[0])", part: "page buffer 1")
        }
        return start..<end
    }

    private func rowOffset(_ row: Int, _ index: PageData) throws(LanceError) -> Int {
        let entry: UnsafeRawPointer
        if let indexStart {
            // The initialiser has compared the index with the number of rows.
            entry = indexStart + row * indexWidth
        } else {
            let bytes = try index.pointer(1, (row * indexWidth)..<((row + 1) * indexWidth))
            guard let start = bytes.baseAddress else { throw .corrupt("an empty entry", part: "page buffer 1") }
            entry = start
        }
        switch indexWidth {
        case 1: return Int(entry.load(as: UInt8.self))
        case 2: return Int(UInt16(littleEndian: entry.loadUnaligned(as: UInt16.self)))
        case 4: return Int(UInt32(littleEndian: entry.loadUnaligned(as: UInt32.self)))
        default:
            return try Int(checked: UInt64(littleEndian: entry.loadUnaligned(as: UInt64.self)), "offset in a row index")
        }
    }

    package func decode(
        _ rows: ArraySlice<Range<Int>>,
        data: PageData,
        index: PageData,
        levels: LevelCollector,
        values output: ValueAccumulator
    ) throws(LanceError) {
        let translation = try levels.prepare(for: layers)
        let hasLists = layout.layers.maxRepetition > 0
        let isVariable = if case .variable = layout.width { true } else { false }
        let rowCount = rows.reduce(0) { $0 + $1.count }
        if layout.controlWordBytes == 0, !isVariable {
            return try decodePlain(rows, rowCount, data, index, levels, translation, output)
        }
        // Single values are put together first: they go on as one, and nothing is allocated for each.
        let compact = OutputBuffer()
        let repetition = OutputBuffer(capacity: rowCount * 2)
        let definition = OutputBuffer(capacity: rowCount * 2)
        var stored = 0
        if isVariable { for rows in rows where !rows.isEmpty { stored += try byteRange(rows, index).count } }
        var total = (count: 0, visible: 0)
        defer { withExtendedLifetime(data) {} }
        if case .variable(let target) = output, holdsPlainTexts {
            let count = try decodeTexts(
                rows,
                stored: stored,
                data: data,
                index: index,
                definition: definition,
                into: target
            )
            return try levels.append(
                repetition: nil,
                definition: layout.layers.maxDefinition > 0
                    ? definition.start.assumingMemoryBound(to: UInt16.self) : nil,
                count: count,
                translation: translation
            )
        }
        if case .variable(let target) = output { target.data.reserve(values.isCompressed ? stored * 3 : stored) }
        var walk = EntryWalk(layout)
        var found = 0
        for rows in rows where !rows.isEmpty {
            let range = try byteRange(rows, index)
            let bytes =
                range.isEmpty ? UnsafeRawBufferPointer(start: nil, count: 0) : try data.pointer(0, range, near: &found)
            if !isVariable { compact.reserve(bytes.count) }
            let entries = try collect(bytes, &walk, repetition, definition, compact, output)
            if !hasLists, entries.count != rows.count {
                throw .corrupt("\(entries.count) entries for \(rows.count) rows")
            }
            total.count += entries.count
            total.visible += entries.visible
        }
        if !isVariable { try values.appendFixed(compact.finish(), count: total.visible, into: output) }
        try levels.append(
            repetition: hasLists ? repetition.start.assumingMemoryBound(to: UInt16.self) : nil,
            definition: layout.layers.maxDefinition > 0
                ? definition.start.assumingMemoryBound(to: UInt16.self) : nil,
            count: total.count,
            translation: translation
        )
    }

    /// Decodes values of fixed width that have no levels: they lie back to back.
    private func decodePlain(
        _ rows: ArraySlice<Range<Int>>,
        _ rowCount: Int,
        _ data: PageData,
        _ index: PageData,
        _ levels: LevelCollector,
        _ translation: LevelCollector.Translation?,
        _ output: ValueAccumulator
    ) throws(LanceError) {
        try levels.append(repetition: nil, definition: nil, count: rowCount, translation: translation)
        if rows.count == 1, let rows = rows.first {
            let range = try byteRange(rows, index)
            let bytes = range.isEmpty ? ArrowBuffer.empty : try data.bytes(0, range)
            return try values.appendFixed(bytes, count: rowCount, into: output)
        }
        let compact = OutputBuffer(capacity: rowCount * values.fixedBytes)
        var found = 0
        for rows in rows where !rows.isEmpty {
            let range = try byteRange(rows, index)
            guard !range.isEmpty, let bytes = try data.pointer(0, range, near: &found).baseAddress else { continue }
            compact.append(bytes, range.count)
        }
        withExtendedLifetime(data) {}
        try values.appendFixed(compact.finish(), count: rowCount, into: output)
    }

    /// Goes through entries: collects levels, and fixed-width values (into `compact`) or variable ones.
    private func collect(
        _ bytes: UnsafeRawBufferPointer,
        _ walk: inout EntryWalk,
        _ repetition: OutputBuffer,
        _ definition: OutputBuffer,
        _ compact: OutputBuffer,
        _ output: ValueAccumulator
    ) throws(LanceError) -> (count: Int, visible: Int) {
        let fixedBytes = values.fixedBytes
        let isVariable = if case .variable = layout.width { true } else { false }
        var count = 0
        var visible = 0
        walk.start(bytes)
        while !walk.isAtEnd {
            let levels = try walk.nextLevels()
            repetition.append(value: levels.repetition)
            definition.append(value: levels.definition)
            count += 1
            guard levels.definition <= walk.maxVisible else { continue }
            visible += 1
            if !isVariable {
                let value = try walk.nextValue(of: fixedBytes)
                if let base = value.baseAddress { compact.append(base, value.count) }
            } else if levels.definition == 0 {
                try values.appendVariable(try walk.nextValue(), into: output)
            } else {
                try output.appendEmpty(1)
            }
        }
        return (count, visible)
    }
}
