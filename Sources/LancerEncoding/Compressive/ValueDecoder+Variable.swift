import LancerBytes
import LancerCodecs

extension ValueDecoder {
    /// Appends values `range` of `count` values of text or binary.
    ///
    /// - Parameters:
    ///   - bytes: offsets at the start, data anywhere behind them.
    ///   - offsetBase: what the offsets count from: the buffer itself in a mini-block chunk, the data in a block.
    static func appendVariable(
        _ bytes: UnsafeRawBufferPointer,
        _ offsetWidth: Int,
        _ table: FSSTSymbolTable?,
        offsetBase: Int,
        range: Range<Int>,
        count: Int,
        into target: VariableOutput
    ) throws(LanceError) {
        guard range.upperBound <= count, (count &+ 1) <= bytes.count / offsetWidth, let base = bytes.baseAddress else {
            throw short(bytes, count)
        }
        let data = UnsafeRawBufferPointer(rebasing: bytes[offsetBase...])
        switch (offsetWidth, table) {
        case (4, nil): try appendPlain(base, UInt32.self, data, range, target)
        case (4, let table?): try appendCompressed(base, UInt32.self, data, table, range, target)
        case (_, nil): try appendPlain(base, UInt64.self, data, range, target)
        case (_, let table?): try appendCompressed(base, UInt64.self, data, table, range, target)
        }
    }

    private static func appendPlain<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ offsets: UnsafeRawPointer,
        _ type: T.Type,
        _ data: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ target: VariableOutput
    ) throws(LanceError) {
        let size = MemoryLayout<T>.size
        let first = offsets.loadUnaligned(fromByteOffset: range.lowerBound * size, as: T.self)
        let last = offsets.loadUnaligned(fromByteOffset: range.upperBound * size, as: T.self)
        guard first <= last, last <= T(clamping: data.count), let dataBase = data.baseAddress else {
            if first == last, range.isEmpty { return }
            throw badOffsets(Int(clamping: first), Int(clamping: last), data.count)
        }
        let start = Int(truncatingIfNeeded: first)
        let written = target.data.count
        let length = Int(truncatingIfNeeded: last) - start
        if target.offsetWidth == 4, length > Int(Int32.max) - written { throw target.overflow }
        // One pass that shifts the offsets and finds out whether any falls; falling ones are reported, not used.
        var previous = first
        var ascending = true
        if target.offsetWidth == 4 {
            let room = target.offsets.extend(by: range.count * 4).assumingMemoryBound(to: UInt32.self)
            let shift = UInt32(truncatingIfNeeded: written) &- UInt32(truncatingIfNeeded: start)
            for index in 0..<range.count {
                let end = offsets.loadUnaligned(fromByteOffset: (range.lowerBound &+ 1 &+ index) &* size, as: T.self)
                ascending = ascending && end >= previous
                previous = end
                room[index] = UInt32(truncatingIfNeeded: end) &+ shift
            }
        } else {
            let room = target.offsets.extend(by: range.count * 8).assumingMemoryBound(to: UInt64.self)
            let shift = UInt64(truncatingIfNeeded: written) &- UInt64(truncatingIfNeeded: start)
            for index in 0..<range.count {
                let end = offsets.loadUnaligned(fromByteOffset: (range.lowerBound &+ 1 &+ index) &* size, as: T.self)
                ascending = ascending && end >= previous
                previous = end
                room[index] = UInt64(truncatingIfNeeded: end) &+ shift
            }
        }
        guard ascending else { throw .corrupt("offsets of text or binary values fall") }
        target.data.append(dataBase + start, length)
    }

    private static func appendCompressed<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ offsets: UnsafeRawPointer,
        _ type: T.Type,
        _ data: UnsafeRawBufferPointer,
        _ table: FSSTSymbolTable,
        _ range: Range<Int>,
        _ target: VariableOutput
    ) throws(LanceError) {
        let size = MemoryLayout<T>.size
        var start = offsets.loadUnaligned(fromByteOffset: range.lowerBound * size, as: T.self)
        let last = offsets.loadUnaligned(fromByteOffset: range.upperBound * size, as: T.self)
        guard start <= last, last <= T(clamping: data.count) else {
            throw badOffsets(Int(clamping: start), Int(clamping: last), data.count)
        }
        // Room for the worst case plus slack that keeps the decoder on its fast path to the end.
        let room = Int(truncatingIfNeeded: last - start) * FSSTSymbolTable.maximumExpansion + 32
        let output = target.data.room(room)
        var written = 0
        let before = target.data.count
        let limit = target.offsetWidth == 4 ? Int(Int32.max) : Int.max
        let ends = target.offsets.room(range.count * target.offsetWidth)
        guard let dataBase = data.baseAddress else { throw short(data, range.count) }
        try table.withDecoder { (decoder) throws(LanceError) in
            for index in 0..<range.count {
                let end = offsets.loadUnaligned(fromByteOffset: (range.lowerBound &+ 1 &+ index) &* size, as: T.self)
                guard end >= start, end <= last else { throw .corrupt("offsets of text or binary values fall") }
                written += try decoder.decode(
                    dataBase + Int(truncatingIfNeeded: start),
                    Int(truncatingIfNeeded: end &- start),
                    output + written,
                    room: room - written
                )
                guard before + written <= limit else { throw target.overflow }
                if target.offsetWidth == 4 {
                    ends.storeBytes(
                        of: Int32(truncatingIfNeeded: before + written),
                        toByteOffset: index * 4,
                        as: Int32.self
                    )
                } else {
                    ends.storeBytes(of: Int64(before + written), toByteOffset: index * 8, as: Int64.self)
                }
                start = end
            }
        }
        target.data.advance(by: written)
        target.offsets.advance(by: range.count * target.offsetWidth)
    }

    @inline(never)
    private static func badOffsets(_ first: Int, _ last: Int, _ count: Int) -> LanceError {
        .corrupt("offsets \(first)..<\(last) of text or binary values leave their \(count) bytes")
    }
}
