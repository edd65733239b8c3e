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
        guard offsets.count / MemoryLayout<Input>.size > count, let offsets = offsets.baseAddress else {
            throw .truncated("\(count) FSST values need \(count + 1) offsets")
        }
        func offset(_ index: Int) throws(LanceError) -> Int {
            let value = Input(
                littleEndian: offsets.loadUnaligned(fromByteOffset: index * MemoryLayout<Input>.size, as: Input.self)
            )
            guard let exact = Int(exactly: value), exact >= 0, exact <= data.count else {
                throw .corrupt("FSST offset \(value) is outside \(data.count) bytes of data")
            }
            return exact
        }
        ends.reserve(count * MemoryLayout<Output>.size)
        var index = 0
        var start = try offset(0)
        while index < count {
            // As many values as fit a batch, or one larger one.
            var last = index
            var stop = start
            while last < count {
                let end = try offset(last + 1)
                guard end >= stop else { throw .corrupt("FSST offset \(last + 1) is below the one before it") }
                if end - start > Self.batchBytes && last > index { break }
                stop = end
                last += 1
            }
            let batch = UnsafeRawBufferPointer(rebasing: data[start..<stop])
            let room = try batch.count.multiplied(by: Self.maximumExpansion, "decoded size of FSST values")
            let already = output.count
            // 32 spare bytes keep the last values of the batch on the decoder's fast path.
            try output.append(upTo: room + 32) { (room) throws(LanceError) -> Int in
                try decodeTable.withUnsafeBytes { (table) throws(LanceError) -> Int in
                    let decoder = try FSSTDecoder(table: table, isCompressed: isCompressed)
                    var written = 0
                    try ends.append(upTo: (last - index) * MemoryLayout<Output>.size) {
                        (room2) throws(LanceError) -> Int in
                        var from = start
                        for value in index..<last {
                            let to = try offset(value + 1)
                            written += try decoder.decode(
                                UnsafeRawBufferPointer(rebasing: data[from..<to]),
                                into: UnsafeMutableRawBufferPointer(rebasing: room[written...])
                            )
                            guard let end = Output(exactly: already + written) else {
                                throw .limitExceeded(
                                    "decoded strings need offsets of more than \(Output.bitWidth) bits"
                                )
                            }
                            let at = (value - index) * MemoryLayout<Output>.size
                            room2.storeBytes(of: end.littleEndian, toByteOffset: at, as: Output.self)
                            from = to
                        }
                        return room2.count
                    }
                    return written
                }
            }
            index = last
            start = stop
        }
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
