import LancerBytes

/// Compresses strings with the symbols of one table.
///
/// At each place the longest symbol wins; a byte without a symbol costs an escape and itself, so a value at most
/// doubles.
package struct FSSTEncoder: Sendable {
    /// Bytes of output that one byte of input can take.
    package static let maximumExpansion = 2

    /// The symbols; what a reader needs to decode.
    package let table: FSSTSymbolTable
    private let book: FSSTCodeBook

    /// Trains a table on a sample of values and makes an encoder for it.
    ///
    /// - Parameters:
    ///   - offsets: one more than there are values; they count in `data`, in bytes.
    ///   - data: all the text there is, a sample is taken from it.
    /// - Throws: `corrupt` for offsets that fall or leave `data`.
    package init<Offset: FixedWidthInteger & BitwiseCopyable>(
        trainingOn offsets: UnsafeBufferPointer<Offset>,
        data: UnsafeRawBufferPointer
    ) throws(LanceError) {
        let checked = try Self.checked(offsets, data)
        let book = FSSTCodeBook(checked.map { FSSTTrainer(offsets: $0, data: data).train() } ?? [])
        self.book = book
        self.table = FSSTSymbolTable(symbols: book.symbols)
    }

    /// Chooses the symbols for values like these.
    ///
    /// - Parameters: as in ``init(trainingOn:data:)``.
    package static func train<Offset: FixedWidthInteger & BitwiseCopyable>(
        offsets: UnsafeBufferPointer<Offset>,
        data: UnsafeRawBufferPointer
    ) throws(LanceError) -> FSSTSymbolTable {
        try FSSTEncoder(trainingOn: offsets, data: data).table
    }

    /// The serialized symbol table, 2312 bytes.
    package var blob: ArrowBuffer { table.blob }

    /// Compresses one value into `output` and returns how many bytes it takes.
    ///
    /// `output` has at least `maximumExpansion * value.count` bytes of room.
    package func encode(_ value: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int {
        precondition(output.count / Self.maximumExpansion >= value.count, "no room for an incompressible value")
        guard let source = value.baseAddress, let target = output.baseAddress else { return 0 }
        return book.withMatcher { Self.encode(source, 0..<value.count, value.count, target, $0) }
    }

    /// Compresses all values: appends their codes to `output` and the end of each, counted from the start of `output`,
    /// to `ends`.
    ///
    /// - Throws: `corrupt` for offsets that fall or leave `data`; `limitExceeded` when an end does not fit into
    ///   `Offset`.
    package func encodeAll<Offset: FixedWidthInteger & BitwiseCopyable>(
        offsets: UnsafeBufferPointer<Offset>,
        data: UnsafeRawBufferPointer,
        ends: inout BufferBuilder,
        into output: inout BufferBuilder
    ) throws(LanceError) {
        guard let offsets = try Self.checked(offsets, data) else { return }
        let format = VariableEnds(of: Offset.self)
        var index = 0
        while index < offsets.valueCount {
            // A batch bounds the memory reserved for the worst case.
            let start = offsets[index]
            var last = index + 1
            while last < offsets.valueCount && offsets[last + 1] - start <= Self.batchBytes { last += 1 }
            let range = index..<last
            let already = output.count
            ends.append(upTo: range.count * format.size) { endRoom in
                output.append(upTo: (offsets[last] - start) * Self.maximumExpansion) { room in
                    encode(range, offsets, data, room, endRoom, already, format)
                }
                return endRoom.count
            }
            guard output.count <= format.maximum else {
                throw .limitExceeded("compressed strings need offsets of more than \(Offset.bitWidth) bits")
            }
            index = last
        }
    }

    /// Compresses all values to offsets that start at 0 and the codes.
    ///
    /// - Throws: `limitExceeded` when an offset does not fit into `Offset`.
    package func encodeAll<Offset: FixedWidthInteger & BitwiseCopyable>(
        offsets: UnsafeBufferPointer<Offset>,
        data: UnsafeRawBufferPointer
    ) throws(LanceError) -> (offsets: ArrowBuffer, data: ArrowBuffer) {
        var ends = BufferBuilder(capacity: offsets.count * MemoryLayout<Offset>.size)
        var output = BufferBuilder()
        ends.append(Offset.zero)
        try encodeAll(offsets: offsets, data: data, ends: &ends, into: &output)
        return (ends.finish(), output.finish())
    }

    private static let batchBytes = 1 << 20

    /// Encodes the values `range` into `room` and writes their ends to `endRoom`.
    private func encode(
        _ range: Range<Int>,
        _ offsets: VariableOffsets,
        _ data: UnsafeRawBufferPointer,
        _ room: UnsafeMutableRawBufferPointer,
        _ endRoom: UnsafeMutableRawBufferPointer,
        _ already: Int,
        _ format: VariableEnds
    ) -> Int {
        book.withMatcher { matcher in
            var written = 0
            var start = offsets[range.lowerBound]
            for index in range {
                let end = offsets[index + 1]
                if end > start, let source = data.baseAddress, let target = room.baseAddress {
                    written &+= Self.encode(source, start..<end, data.count, target + written, matcher)
                }
                format.store(already &+ written, at: index &- range.lowerBound, in: endRoom)
                start = end
            }
            return written
        }
    }

    /// Encodes one value. While eight bytes are left a match needs no check against the value's end.
    @inline(__always)
    private static func encode(
        _ source: UnsafeRawPointer,
        _ range: Range<Int>,
        _ sourceEnd: Int,
        _ target: UnsafeMutableRawPointer,
        _ matcher: FSSTCodeBook.Matcher
    ) -> Int {
        var read = range.lowerBound
        let end = range.upperBound
        var written = 0
        while end &- read >= 8 {
            let word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: read, as: UInt64.self))
            emit(matcher.match(word), word, target, &read, &written)
        }
        while read < end {
            let word = source.textWord(at: read, end: sourceEnd)
            emit(matcher.match(word, limit: end &- read), word, target, &read, &written)
        }
        return written
    }

    /// Writes the code and, in case it is an escape, the byte after it.
    @inline(__always)
    private static func emit(
        _ match: FSSTCodeBook.Match,
        _ word: UInt64,
        _ target: UnsafeMutableRawPointer,
        _ read: inout Int,
        _ written: inout Int
    ) {
        // A code leaves at least its own length of room, an escape two bytes: the second store is always inside.
        let codeAndByte = UInt16(match.code) | UInt16(truncatingIfNeeded: word) &<< 8
        target.storeBytes(of: codeAndByte.littleEndian, toByteOffset: written, as: UInt16.self)
        written &+= match.outputCount
        read &+= match.length
    }

    /// The offsets of at least one value, checked; nil when there is none.
    private static func checked<Offset: FixedWidthInteger & BitwiseCopyable>(
        _ offsets: UnsafeBufferPointer<Offset>,
        _ data: UnsafeRawBufferPointer
    ) throws(LanceError) -> VariableOffsets? {
        guard offsets.count > 1 else { return nil }
        let checked = try VariableOffsets(
            UnsafeRawBufferPointer(offsets),
            of: Offset.self,
            valueCount: offsets.count - 1
        )
        try checked.validate(dataCount: data.count, "strings to compress")
        return checked
    }
}
