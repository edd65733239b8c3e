import LancerArrow
import LancerBytes
import LancerCodecs

/// The values of one page, decoded as they are asked for.
struct ValueDecoder {
    private enum Form {
        case plainBits(next: Int)
        case plainFixed(width: Int)
        case plainBytes
        case booleanRuns(RunLengthDecoder)
        case dictionary(RunLengthDecoder, DictionaryPage)
        case delta(DeltaDecoder, width: Int)
        case deltaLength(DeltaDecoder)
        case deltaBytes(prefixes: DeltaDecoder, suffixes: DeltaDecoder, previous: [UInt8])
        case split(all: ArrowBuffer, next: Int, width: Int)
    }

    private let page: ArrowBuffer
    private var offset: Int
    private var form: Form
    /// Bytes of a long value, as far as is known, to tell how many may be asked for at once.
    private(set) var longest = 16
    /// Most bytes that a page of shared prefixes may grow to by one call.
    private static let prefixLimit = 1 << 27

    /// Values that start at `offset` of a page.
    ///
    /// - Throws: `unsupported` for unknown encodings, `corrupt` for one that does not fit the type.
    init(
        _ page: ArrowBuffer,
        at offset: Int,
        encoding: ParquetEncoding,
        leaf: LeafColumn,
        shape: ValueBuilder.Shape,
        dictionary: DictionaryPage?,
        count: Int
    ) throws(LanceError) {
        self.page = page
        self.offset = offset
        longest = max(longest, (page.count - offset) / max(count, 1))
        switch (encoding, shape) {
        case (.plain, .bits): form = .plainBits(next: offset * 8)
        case (.plain, .fixed(let width)): form = .plainFixed(width: width)
        case (.plain, .bytes): form = .plainBytes
        case (.rleDictionary, _), (.plainDictionary, _):
            guard let dictionary else { throw .corrupt("a Parquet page has indices and the column no dictionary") }
            longest = dictionary.longest
            // A page of nothing but nulls may be without a width.
            guard offset < page.count else {
                form = .dictionary(try RunLengthDecoder(page, offset..<offset, width: 0), dictionary)
                return
            }
            let width = Int(page.start.load(fromByteOffset: offset, as: UInt8.self))
            form = .dictionary(try RunLengthDecoder(page, (offset + 1)..<page.count, width: width), dictionary)
        case (.rle, .bits):
            var reader = ByteReader(page, at: offset, what: "booleans of a Parquet page")
            if reader.remaining == 0 {
                form = .booleanRuns(try RunLengthDecoder(page, offset..<offset, width: 1))
                return
            }
            let size = Int(try reader.read(UInt32.self))
            guard size <= reader.remaining else { throw .truncated("booleans of a Parquet page are cut") }
            form = .booleanRuns(try RunLengthDecoder(page, (offset + 4)..<(offset + 4 + size), width: 1))
        case (.deltaBinaryPacked, .fixed(let width))
        where leaf.physicalType == .int32 || leaf.physicalType == .int64:
            form = .delta(try DeltaDecoder(page, at: offset), width: width)
        case (.deltaLengthByteArray, .bytes):
            let lengths = try DeltaDecoder(page, at: offset)
            self.offset = try lengths.endOffset()
            form = .deltaLength(lengths)
        case (.deltaByteArray, .bytes), (.deltaByteArray, .fixed):
            let prefixes = try DeltaDecoder(page, at: offset)
            let suffixes = try DeltaDecoder(page, at: try prefixes.endOffset())
            self.offset = try suffixes.endOffset()
            form = .deltaBytes(prefixes: prefixes, suffixes: suffixes, previous: [])
        case (.byteStreamSplit, .fixed(let width)):
            let bytes = page.slice(offset..<page.count)
            guard bytes.count.isMultiple(of: width) else {
                throw .corrupt("\(bytes.count) bytes of split values of \(width) bytes")
            }
            form = .split(all: try ByteStreamSplit.decode(bytes, width: width), next: 0, width: width)
        default: throw .unsupported("\(leaf.physicalType) values in encoding \(encoding)")
        }
    }

    /// Decodes the next `count` values.
    ///
    /// - Throws: `truncated` when the page has fewer, `corrupt` for impossible ones.
    mutating func decode(_ count: Int, into builder: ValueBuilder) throws(LanceError) {
        if count == 0 { return }
        switch form {
        case .plainBits(let next):
            guard next + count <= page.count * 8 else { throw short }
            let bits = Bitmap(page, bitOffset: next, count: count)
            for index in 0..<count { builder.append(bit: bits[index]) }
            form = .plainBits(next: next + count)
        case .plainFixed(let width):
            try copy(count, width: width, from: page, at: offset, into: builder)
            offset += count * width
        case .plainBytes: try plainBytes(count, into: builder)
        case .booleanRuns(var decoder):
            var failure: LanceError?
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { room in
                do throws(LanceError) {
                    guard let base = room.baseAddress else { return }
                    try decoder.decode(count, into: base)
                    for index in 0..<count { builder.append(bit: base[index] != 0) }
                } catch { failure = error }
            }
            if let failure { throw failure }
            form = .booleanRuns(decoder)
        case .dictionary(var decoder, let dictionary):
            try dictionary.decode(&decoder, count, into: builder)
            form = .dictionary(decoder, dictionary)
        case .delta(var decoder, let width): try delta(&decoder, count, width: width, into: builder)
        case .deltaLength(var lengths):
            try deltaLength(&lengths, count, into: builder)
            form = .deltaLength(lengths)
        case .deltaBytes(var prefixes, var suffixes, var previous):
            // Taken out of the form, so that the bytes are changed in place.
            form = .plainBytes
            try deltaBytes(&prefixes, &suffixes, &previous, count, into: builder)
            form = .deltaBytes(prefixes: prefixes, suffixes: suffixes, previous: previous)
        case .split(let all, let next, let width):
            try copy(count, width: width, from: all, at: next, into: builder)
            form = .split(all: all, next: next + count * width, width: width)
        }
    }

    @inline(never)
    private var short: LanceError { .truncated("a Parquet page of \(page.count) bytes has too few values") }

    private func copy(
        _ count: Int,
        width: Int,
        from source: ArrowBuffer,
        at start: Int,
        into builder: ValueBuilder
    ) throws(LanceError) {
        guard count <= (source.count - start) / width else { throw short }
        try builder.append(fixed: count, width: width) { room in
            room.baseAddress?.copyMemory(from: source.start + start, byteCount: room.count)
        }
    }

    private mutating func plainBytes(_ count: Int, into builder: ValueBuilder) throws(LanceError) {
        builder.reserve(values: count, bytes: 0)
        var cursor = offset
        let end = page.count
        for _ in 0..<count {
            guard end &- cursor >= 4 else { throw short }
            let length = Int(page.start.loadUnaligned(fromByteOffset: cursor, as: UInt32.self).littleEndian)
            cursor &+= 4
            guard length <= end &- cursor else { throw short }
            try builder.append(UnsafeRawBufferPointer(start: page.start + cursor, count: length))
            cursor &+= length
        }
        offset = cursor
    }

    private mutating func delta(
        _ decoder: inout DeltaDecoder,
        _ count: Int,
        width: Int,
        into builder: ValueBuilder
    ) throws(LanceError) {
        guard count <= decoder.left else { throw short }
        try builder.append(fixed: count, width: width) { (room) throws(LanceError) in
            guard var target = room.baseAddress else { return }
            if width == 4 {
                try decoder.decode(count) { (value) throws(LanceError) in
                    target.storeBytes(of: Int32(truncatingIfNeeded: value), as: Int32.self)
                    target += 4
                }
            } else {
                try decoder.decode(count) { (value) throws(LanceError) in
                    target.storeBytes(of: value, as: Int64.self)
                    target += 8
                }
            }
        }
        form = .delta(decoder, width: width)
    }

    private mutating func deltaLength(
        _ lengths: inout DeltaDecoder,
        _ count: Int,
        into builder: ValueBuilder
    ) throws(LanceError) {
        builder.reserve(values: count, bytes: 0)
        var cursor = offset
        let page = page
        try lengths.decode(count) { (length) throws(LanceError) in
            guard length >= 0, length <= Int64(page.count - cursor) else {
                throw .truncated("value of \(length) bytes in a Parquet page with \(page.count - cursor) bytes left")
            }
            try builder.append(UnsafeRawBufferPointer(start: page.start + cursor, count: Int(length)))
            cursor += Int(length)
        }
        offset = cursor
    }

    private mutating func deltaBytes(
        _ prefixes: inout DeltaDecoder,
        _ suffixes: inout DeltaDecoder,
        _ previous: inout [UInt8],
        _ count: Int,
        into builder: ValueBuilder
    ) throws(LanceError) {
        var total = 0
        for _ in 0..<count {
            var prefix: Int64 = 0
            var suffix: Int64 = 0
            try prefixes.decode(1) { (value) throws(LanceError) in prefix = value }
            try suffixes.decode(1) { (value) throws(LanceError) in suffix = value }
            guard prefix >= 0, prefix <= Int64(previous.count) else {
                throw .corrupt("prefix of \(prefix) bytes behind a value of \(previous.count)")
            }
            guard suffix >= 0, suffix <= Int64(page.count - offset) else { throw short }
            previous.removeSubrange(Int(prefix)..<previous.count)
            let bytes = UnsafeRawBufferPointer(start: page.start + offset, count: Int(suffix))
            previous.append(contentsOf: bytes)
            offset += Int(suffix)
            total += previous.count
            longest = max(longest, previous.count)
            guard total <= Self.prefixLimit || count == 1 else {
                throw .limitExceeded("values with shared prefixes that grow to more than \(Self.prefixLimit) bytes")
            }
            try append(previous, to: builder)
        }
    }

    private func append(_ value: [UInt8], to builder: ValueBuilder) throws(LanceError) {
        guard case .fixed(let width) = builder.shape else {
            return try value.span.bytes.withUnsafeBytes { (bytes) throws(LanceError) in try builder.append(bytes) }
        }
        guard value.count == width else { throw .corrupt("a value of \(value.count) bytes where all have \(width)") }
        try builder.append(fixed: 1, width: width) { room in value.withUnsafeBytes { room.copyMemory(from: $0) } }
    }
}
