import LancerBytes

/// The symbols of one FSST-compressed page, and decoding with them.
///
/// A compressed value is a row of one-byte codes. A code below ``symbolCount`` stands for a symbol of 1...8 bytes,
/// code 255 (escape) for the byte that follows it. Every value is compressed on its own.
///
/// The serialized table has 2312 bytes:
///
///     0   u64  header: symbol count (bits 0-7), "compressed" switch (bit 24), magic 0x46535354 (bits 32-63)
///     8   symbolCount x 8 bytes, first byte of the symbol first
///     ..  symbolCount x 1 byte, the lengths
///     ..  zeros
///
/// Boncz, Neumann, Leis: FSST: Fast Random Access String Compression (VLDB 2020). Spec: 07-encodings.md, "FSST".
package struct FSSTSymbolTable: Sendable {
    /// Size of the serialized table, in bytes.
    package static let serializedSize = 2312
    /// Most symbols in a table.
    package static let maximumSymbols = 255
    /// Bytes that one code can stand for.
    @inlinable
    package static var maximumExpansion: Int { 8 }
    /// The code that says that the next byte stands for itself.
    static let escape: UInt8 = 255
    private static let magic: UInt64 = 0x4653_5354
    private static let switchBit: UInt64 = 1 << 24

    /// Number of symbols, 0...255.
    package let symbolCount: Int
    /// False when values are stored as they are, without codes.
    package let isCompressed: Bool
    /// 256 symbols of 8 bytes, then 256 length bytes; zeros for codes without a symbol.
    let decodeTable: ArrowBuffer

    /// Reads a serialized table.
    ///
    /// - Throws: `corrupt` for another size, magic or an impossible symbol length.
    package init(blob: ArrowBuffer) throws(LanceError) {
        guard blob.count == Self.serializedSize else {
            throw .corrupt("FSST symbol table has \(blob.count) bytes, not \(Self.serializedSize)")
        }
        var reader = ByteReader(blob, what: "FSST symbol table")
        let header = try reader.read(UInt64.self)
        guard header >> 32 == Self.magic else {
            throw .corrupt("FSST symbol table does not start with its magic number")
        }
        let count = Int(header & 0xFF)
        var symbols: [FSSTSymbol] = []
        for _ in 0..<count { symbols.append(FSSTSymbol(bytes: try reader.read(UInt64.self), length: 0)) }
        for index in 0..<count {
            let length = Int(try reader.read(UInt8.self))
            guard (1...8).contains(length) else {
                throw .corrupt("FSST symbol \(index) has \(length) bytes, not 1 to 8")
            }
            symbols[index].length = length
        }
        self.init(symbols: symbols, isCompressed: header & Self.switchBit != 0)
    }

    /// A table of at most 255 symbols; the index of a symbol is its code.
    init(symbols: [FSSTSymbol], isCompressed: Bool = true) {
        precondition(symbols.count <= Self.maximumSymbols)
        symbolCount = symbols.count
        self.isCompressed = isCompressed
        decodeTable = ArrowBuffer(count: 256 * 9) { table in
            _ = table.initializeMemory(as: UInt8.self, repeating: 0)
            for (code, symbol) in symbols.enumerated() {
                table.storeBytes(of: symbol.bytes.littleEndian, toByteOffset: code * 8, as: UInt64.self)
                table[2048 + code] = UInt8(symbol.length)
            }
        }
    }

    /// The symbols in the order of their codes.
    var symbols: [FSSTSymbol] {
        decodeTable.withUnsafeBytes { table in
            (0..<symbolCount).map { code in
                FSSTSymbol(
                    bytes: UInt64(littleEndian: table.load(fromByteOffset: code * 8, as: UInt64.self)),
                    length: Int(table[2048 + code])
                )
            }
        }
    }

    /// The serialized table, ``serializedSize`` bytes.
    package var blob: ArrowBuffer {
        var builder = BufferBuilder(capacity: Self.serializedSize)
        let header = UInt64(symbolCount) | (isCompressed ? Self.switchBit : 0) | Self.magic << 32
        builder.append(header.littleEndian)
        let symbols = symbols
        for symbol in symbols { builder.append(symbol.bytes.littleEndian) }
        for symbol in symbols { builder.append(UInt8(symbol.length)) }
        builder.append(0, repeated: Self.serializedSize - builder.count)
        return builder.finish()
    }

    /// Decodes one value into `output` and returns how many bytes it has.
    ///
    /// `maximumExpansion * value.count` bytes of room are always enough.
    ///
    /// - Throws: `corrupt` for a code without a symbol, an escape without its byte, or more bytes than there is room.
    package func decode(
        _ value: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) throws(LanceError) -> Int {
        guard let source = value.baseAddress, value.count > 0 else { return 0 }
        guard let target = output.baseAddress else { throw .corrupt("FSST value where no room is given") }
        return try withDecoder { (decoder) throws(LanceError) in
            try decoder.decode(source, value.count, target, room: output.count)
        }
    }

    /// Calls `body` with what decodes many values without looking at the table anew for each; good only inside `body`.
    package func withDecoder<Result>(
        _ body: (FSSTDecoder) throws(LanceError) -> Result
    ) throws(LanceError) -> Result {
        try decodeTable.withUnsafeBytes { (table) throws(LanceError) -> Result in
            try body(try FSSTDecoder(table: table, symbolCount: symbolCount, isCompressed: isCompressed))
        }
    }

    /// Decodes one value and appends it to `output`.
    ///
    /// - Throws: `corrupt` for a code without a symbol or an escape without its byte.
    package func decode(_ value: UnsafeRawBufferPointer, appendingTo output: inout BufferBuilder) throws(LanceError) {
        let room = try value.count.multiplied(by: Self.maximumExpansion, "decoded size of an FSST value")
        try output.append(upTo: room) { (room) throws(LanceError) -> Int in try decode(value, into: room) }
    }
}

/// A byte string of 1...8 bytes in the low end of a number, first byte lowest.
struct FSSTSymbol: Hashable, Sendable {
    var bytes: UInt64
    var length: Int

    init(bytes: UInt64, length: Int) {
        self.bytes = bytes
        self.length = length
    }

    init(byte: UInt8) { self.init(bytes: UInt64(byte), length: 1) }

    /// This symbol followed by as much of `next` as fits into eight bytes.
    func followed(by next: FSSTSymbol) -> FSSTSymbol {
        guard length < 8 else { return self }
        return FSSTSymbol(bytes: bytes | next.bytes << UInt64(length * 8), length: Swift.min(8, length + next.length))
    }
}
