import LancerBytes

/// The loop that turns codes into symbols, on plain pointers.
struct FSSTDecoder {
    /// Length entry of a code that has no symbol: no bytes, and a bit that shows up in the sum of all entries.
    static let unknown: UInt8 = 0x40
    private static let lengthMask = 0x0F

    // Safe: both point into the 2304 bytes of a symbol table that outlives the decoder, and are indexed by bytes.
    private let symbols: UnsafePointer<UInt64>
    private let lengths: UnsafePointer<UInt8>
    private let isCompressed: Bool

    /// - Parameter table: the decode table of an ``FSSTSymbolTable``; must outlive the decoder.
    init(table: UnsafeRawBufferPointer, isCompressed: Bool) throws(LanceError) {
        guard let base = table.baseAddress, table.count == 256 * 9 else { throw .corrupt("FSST table without symbols") }
        symbols = base.assumingMemoryBound(to: UInt64.self)
        lengths = (base + 2048).assumingMemoryBound(to: UInt8.self)
        self.isCompressed = isCompressed
    }

    /// Decodes one value into `output` and returns how many bytes it has.
    @inline(__always)
    func decode(_ value: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(LanceError) -> Int {
        guard let source = value.baseAddress, value.count > 0 else { return 0 }
        guard let target = output.baseAddress, output.count > 0 else { throw Self.noRoom(output.count) }
        guard isCompressed else {
            guard value.count <= output.count else { throw Self.noRoom(output.count) }
            target.copyMemory(from: source, byteCount: value.count)
            return value.count
        }
        return try expand(source, value.count, target, output.count)
    }

    /// Four codes at a time while none is an escape and four whole symbols surely fit, then one at a time.
    ///
    /// Whole eight-byte symbols are stored, whatever their length, and overwritten by the next.
    @inline(__always)
    private func expand(
        _ source: UnsafeRawPointer,
        _ sourceCount: Int,
        _ target: UnsafeMutableRawPointer,
        _ room: Int
    ) throws(LanceError) -> Int {
        var read = 0
        var written = 0
        var seen: UInt8 = 0
        while sourceCount &- read >= 4 && room &- written >= 32 {
            let codes = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: read, as: UInt32.self))
            let first = Int(codes & 0xFF)
            let second = Int(codes &>> 8 & 0xFF)
            let third = Int(codes &>> 16 & 0xFF)
            let fourth = Int(codes &>> 24)
            if Self.hasEscape(codes) {
                // At least one code advances, so the loop ends.
                if first == Int(FSSTSymbolTable.escape) {
                    target.storeBytes(of: UInt8(second), toByteOffset: written, as: UInt8.self)
                    written &+= 1
                    read &+= 2
                    continue
                }
                emit(first, target, &written, &seen)
                read &+= 1
                if second == Int(FSSTSymbolTable.escape) { continue }
                emit(second, target, &written, &seen)
                read &+= 1
                if third == Int(FSSTSymbolTable.escape) { continue }
                emit(third, target, &written, &seen)
                read &+= 1
                continue
            }
            emit(first, target, &written, &seen)
            emit(second, target, &written, &seen)
            emit(third, target, &written, &seen)
            emit(fourth, target, &written, &seen)
            read &+= 4
        }
        while read < sourceCount {
            let code = Int(source.load(fromByteOffset: read, as: UInt8.self))
            read &+= 1
            if code == Int(FSSTSymbolTable.escape) {
                guard read < sourceCount else { throw .corrupt("FSST value ends after an escape code") }
                guard written < room else { throw Self.noRoom(room) }
                let literal = source.load(fromByteOffset: read, as: UInt8.self)
                target.storeBytes(of: literal, toByteOffset: written, as: UInt8.self)
                read &+= 1
                written &+= 1
            } else if room &- written >= 8 {
                emit(code, target, &written, &seen)
            } else {
                seen |= lengths[code]
                var symbol = symbols[code]
                let length = Int(lengths[code]) & Self.lengthMask
                guard room &- written >= length else { throw Self.noRoom(room) }
                for _ in 0..<length {
                    target.storeBytes(of: UInt8(truncatingIfNeeded: symbol), toByteOffset: written, as: UInt8.self)
                    symbol &>>= 8
                    written &+= 1
                }
            }
        }
        guard seen & Self.unknown == 0 else { throw .corrupt("FSST value has a code without a symbol") }
        return written
    }

    /// Stores the symbol of `code`; eight bytes of room must be left.
    @inline(__always)
    private func emit(_ code: Int, _ target: UnsafeMutableRawPointer, _ written: inout Int, _ seen: inout UInt8) {
        (target + written).storeBytes(of: symbols[code], as: UInt64.self)
        let length = lengths[code]
        seen |= length
        written &+= Int(length) & Self.lengthMask
    }

    /// Whether one of the four bytes is 255: the only bytes whose low seven bits, inverted, carry nothing into bit 7.
    @inline(__always)
    private static func hasEscape(_ codes: UInt32) -> Bool {
        codes & 0x8080_8080 & (((~codes & 0x7F7F_7F7F) &+ 0x7F7F_7F7F) ^ 0x8080_8080) != 0
    }

    @inline(never)
    private static func noRoom(_ room: Int) -> LanceError {
        .corrupt("FSST value decodes to more than the \(room) bytes there is room for")
    }
}
