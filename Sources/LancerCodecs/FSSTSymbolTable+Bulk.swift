import LancerBytes

extension FSSTSymbolTable {
    /// Codes decoded with one reservation of output memory, in bytes.
    private static let batchBytes = 1 << 16

    /// Decodes `count` neighbouring values: appends their bytes to `output` and the end of each, counted from the
    /// start of `output`, to `ends`.
    ///
    /// For Arrow offsets write the first offset (0) to `ends` before the first call. Offsets need no alignment.
    ///
    /// - Parameters:
    ///   - offsets: `count + 1` little-endian offsets into `data`, in bytes; need not start at 0.
    ///   - data: what the offsets count in.
    /// - Throws: `corrupt` for offsets that fall or leave `data` and for damaged values; `limitExceeded` when an end
    ///   does not fit into `Output`.
    package func decodeAll<
        Input: FixedWidthInteger & BitwiseCopyable,
        Output: FixedWidthInteger & BitwiseCopyable
    >(
        offsets: UnsafeRawBufferPointer,
        of input: Input.Type,
        count: Int,
        data: UnsafeRawBufferPointer,
        ends: inout BufferBuilder,
        of endType: Output.Type,
        into output: inout BufferBuilder
    ) throws(LanceError) {
        guard count > 0 else { return }
        let offsets = try VariableOffsets(offsets, of: input, valueCount: count)
        try offsets.validate(dataCount: data.count, "FSST values")
        try decodeAll(offsets, data, VariableEnds(of: endType), &ends, &output)
    }

    private func decodeAll(
        _ offsets: VariableOffsets,
        _ data: UnsafeRawBufferPointer,
        _ format: VariableEnds,
        _ ends: inout BufferBuilder,
        _ output: inout BufferBuilder
    ) throws(LanceError) {
        var index = 0
        while index < offsets.valueCount {
            let already = output.count
            let codes = Swift.min(
                offsets[offsets.valueCount] - offsets[index],
                Swift.max(Self.batchBytes, offsets[index + 1] - offsets[index])
            )
            let room = try codes.multiplied(by: Self.maximumExpansion, "decoded size of FSST values")
            let first = index
            var written = 0
            try output.append(upTo: room) { (room) throws(LanceError) -> Int in
                try ends.append(upTo: (offsets.valueCount - first) * format.size) {
                    (endRoom) throws(LanceError) -> Int in
                    try decodeTable.withUnsafeBytes { (table) throws(LanceError) in
                        let decoder = try FSSTDecoder(
                            table: table,
                            symbolCount: symbolCount,
                            isCompressed: isCompressed
                        )
                        index = try Self.decodeBatch(
                            decoder,
                            from: first,
                            offsets,
                            data,
                            room,
                            already,
                            format,
                            endRoom
                        )
                        written = format.load(at: index - first - 1, in: endRoom) - already
                    }
                    return (index - first) * format.size
                }
                return written
            }
        }
    }

    /// Decodes as many values as surely fit into `room`; returns the index of the first that was left.
    ///
    /// Whatever is decoded, room for one value at least is given.
    private static func decodeBatch(
        _ decoder: FSSTDecoder,
        from first: Int,
        _ offsets: VariableOffsets,
        _ data: UnsafeRawBufferPointer,
        _ room: UnsafeMutableRawBufferPointer,
        _ already: Int,
        _ format: VariableEnds,
        _ endRoom: UnsafeMutableRawBufferPointer
    ) throws(LanceError) -> Int {
        var start = offsets[first]
        var written = 0
        var index = first
        while index < offsets.valueCount {
            let end = offsets[index &+ 1]
            let count = end &- start
            guard count &* maximumExpansion <= room.count &- written else { break }
            if count > 0, let source = data.baseAddress, let target = room.baseAddress {
                written &+= try decoder.decode(source + start, count, target + written, room: room.count &- written)
            }
            guard already &+ written <= format.maximum else {
                throw .limitExceeded("decoded strings need offsets of more than \(format.size * 8) bits")
            }
            format.store(already &+ written, at: index &- first, in: endRoom)
            start = end
            index &+= 1
        }
        return index
    }

    /// Decodes `count` values to offsets that start at 0 and the bytes.
    ///
    /// - Throws: as the call that appends.
    package func decodeAll<Offset: FixedWidthInteger & BitwiseCopyable>(
        offsets: ArrowBuffer,
        of type: Offset.Type,
        count: Int,
        data: ArrowBuffer
    ) throws(LanceError) -> (offsets: ArrowBuffer, data: ArrowBuffer) {
        var ends = BufferBuilder()
        var output = BufferBuilder()
        ends.append(Offset.zero)
        try offsets.withUnsafeBytes { (offsets) throws(LanceError) in
            try data.withUnsafeBytes { (data) throws(LanceError) in
                try decodeAll(
                    offsets: offsets,
                    of: type,
                    count: count,
                    data: data,
                    ends: &ends,
                    of: type,
                    into: &output
                )
            }
        }
        return (ends.finish(), output.finish())
    }
}
