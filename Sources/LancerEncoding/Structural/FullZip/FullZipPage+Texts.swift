import LancerBytes
import LancerCodecs

extension FullZipPage {
    /// Whether ``decodeTexts(_:stored:data:index:definition:into:)`` can decode the page.
    var holdsPlainTexts: Bool {
        guard layout.layers.maxRepetition == 0 else { return false }
        switch values {
        case .bytes, .fsst: return true
        default: return false
        }
    }

    /// Decodes rows of text or binary outside of lists in one loop over plain memory: what these cost, one by one
    /// through the general decoder, was half of the time of a scan of long texts.
    ///
    /// - Parameters:
    ///   - stored: Bytes that the rows take in the page.
    ///   - definition: Gets the definition level of each row.
    /// - Returns: Number of rows.
    func decodeTexts(
        _ rows: ArraySlice<Range<Int>>,
        stored: Int,
        data: PageData,
        index: PageData,
        definition: OutputBuffer,
        into target: VariableOutput
    ) throws(LanceError) -> Int {
        guard case .fsst(let table) = values else {
            return try decodeTexts(rows, stored, data, index, definition, nil, target)
        }
        return try table.withDecoder { (decoder) throws(LanceError) in
            try decodeTexts(rows, stored, data, index, definition, decoder, target)
        }
    }

    private func decodeTexts(
        _ rows: ArraySlice<Range<Int>>,
        _ stored: Int,
        _ data: PageData,
        _ index: PageData,
        _ definition: OutputBuffer,
        _ decoder: FSSTDecoder?,
        _ target: VariableOutput
    ) throws(LanceError) -> Int {
        let rowCount = rows.reduce(0) { $0 + $1.count }
        let levels = definition.room(rowCount * 2).assumingMemoryBound(to: UInt16.self)
        let isNarrow = target.offsetWidth == 4
        let ends = target.offsets.room(rowCount * target.offsetWidth)
        var output = TextOutput(
            target.data,
            limit: isNarrow ? Int(Int32.max) : Int.max,
            stored: stored,
            isCompressed: decoder != nil
        )
        var walk = EntryWalk(layout)
        var entry = 0
        var visible = 0
        var found = 0
        for rows in rows where !rows.isEmpty {
            let range = try byteRange(rows, index)
            let bytes =
                range.isEmpty ? UnsafeRawBufferPointer(start: nil, count: 0) : try data.pointer(0, range, near: &found)
            walk.start(bytes)
            for _ in rows {
                let level = try walk.nextLevels().definition
                levels[entry] = level
                entry += 1
                guard level <= walk.maxVisible else { continue }
                if level == 0 {
                    let value = try walk.nextValue()
                    guard try output.append(value, decoder) else { throw target.overflow }
                }
                if isNarrow {
                    ends.storeBytes(
                        of: Int32(truncatingIfNeeded: output.end),
                        toByteOffset: visible * 4,
                        as: Int32.self
                    )
                } else {
                    ends.storeBytes(of: Int64(output.end), toByteOffset: visible * 8, as: Int64.self)
                }
                visible += 1
            }
            guard walk.isAtEnd else { throw .corrupt("more entries than the \(rows.count) rows they are of") }
        }
        output.finish()
        target.offsets.advance(by: visible * target.offsetWidth)
        definition.advance(by: rowCount * 2)
        return entry
    }
}

/// Appends texts to a buffer whose room is looked up only when it is used up.
private struct TextOutput {
    /// Bytes in the buffer, those not yet counted by it included.
    private(set) var end: Int
    private let buffer: OutputBuffer
    private let limit: Int
    private var room: UnsafeMutableRawBufferPointer
    private var written = 0
    private let before: Int
    /// Stored bytes that all values have, and those of the values so far.
    private let stored: Int
    private var done = 0

    /// Compressed values up to which nothing is known about how long they come out.
    private static let firstBytes = 16 << 10

    init(_ buffer: OutputBuffer, limit: Int, stored: Int, isCompressed: Bool) {
        self.buffer = buffer
        self.limit = limit
        self.stored = stored
        before = buffer.count
        end = before
        room = buffer.allRoom(isCompressed ? Swift.min(stored, Self.firstBytes) * 3 : stored)
    }

    /// Appends a value; false when there would be too many bytes.
    @inline(__always)
    mutating func append(_ value: UnsafeRawBufferPointer, _ decoder: FSSTDecoder?) throws(LanceError) -> Bool {
        guard value.count > 0, let source = value.baseAddress else { return true }
        // Slack keeps the decoder on its fast path to the end.
        let most = decoder == nil ? value.count : value.count * FSSTSymbolTable.maximumExpansion + 32
        if room.count - written < most { makeRoom(most) }
        guard let target = room.baseAddress else { return false }
        var size = value.count
        if let decoder {
            size = try decoder.decode(source, value.count, target + written, room: room.count - written)
        } else {
            (target + written).copyMemory(from: source, byteCount: size)
        }
        written += size
        end += size
        done += value.count
        return end <= limit
    }

    @inline(never)
    private mutating func makeRoom(_ size: Int) {
        buffer.advance(by: written)
        written = 0
        // The rest comes out as much longer than it is stored as what is done did. Doubling until all fits copied
        // every byte once more on average: a tenth of a scan of long texts.
        let ratio = done > 0 ? Double(end - before) / Double(done) : 1
        let rest = Double(Swift.max(stored - done, 0)) * ratio * 1.05
        room = buffer.allRoom(size + Int(Swift.min(rest, Double(limit))))
    }

    /// Lets the buffer count what was written.
    mutating func finish() {
        buffer.advance(by: written)
        written = 0
    }
}
