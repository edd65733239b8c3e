import LancerBytes

/// The loop that turns codes into symbols, on plain pointers.
package struct FSSTDecoder {
    /// Length entry of a code that has no symbol: no bytes, and a bit that shows up in the sum of all entries.
    static let unknown: UInt8 = 0x40
    private static let lengthMask = 0x0F
    private static let escape = Int(FSSTSymbolTable.escape)

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

    /// Decodes `count` bytes of codes at `source` to `target`, where there is room for `room` bytes; returns how many
    /// were written.
    ///
    /// ``FSSTSymbolTable/maximumExpansion`` bytes of room for each code are always enough.
    ///
    /// - Throws: as ``FSSTSymbolTable/decode(_:into:)``.
    @inline(__always)
    package func decode(
        _ source: UnsafeRawPointer,
        _ count: Int,
        _ target: UnsafeMutableRawPointer,
        room: Int
    ) throws(LanceError) -> Int {
        guard isCompressed else {
            guard count <= room else { throw Self.noRoom(room) }
            target.copyMemory(from: source, byteCount: count)
            return count
        }
        return room / FSSTSymbolTable.maximumExpansion >= count
            ? try expand(source, count, target)
            : try expandCarefully(source, count, target, room)
    }

    /// Decodes where eight bytes of room for each code are given, four codes at a time while none is an escape.
    ///
    /// Whole eight-byte symbols are stored, whatever their length, and overwritten by the next.
    @inline(__always)
    private func expand(
        _ source: UnsafeRawPointer,
        _ count: Int,
        _ target: UnsafeMutableRawPointer
    ) throws(LanceError) -> Int {
        var read = 0
        var written = 0
        var seen: UInt8 = 0
        while true {
            while count &- read >= 4 {
                let codes = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: read, as: UInt32.self))
                if Self.hasEscape(codes) { break }
                emit(Int(codes & 0xFF), target, &written, &seen)
                emit(Int(codes &>> 8 & 0xFF), target, &written, &seen)
                emit(Int(codes &>> 16 & 0xFF), target, &written, &seen)
                emit(Int(codes &>> 24), target, &written, &seen)
                read &+= 4
            }
            // Up to and with the next escape, or to the end.
            while read < count {
                let code = Int(source.load(fromByteOffset: read, as: UInt8.self))
                read &+= 1
                if code != Self.escape {
                    emit(code, target, &written, &seen)
                    continue
                }
                guard read < count else { throw Self.lonelyEscape() }
                target.storeBytes(
                    of: source.load(fromByteOffset: read, as: UInt8.self),
                    toByteOffset: written,
                    as: UInt8.self
                )
                read &+= 1
                written &+= 1
                break
            }
            if read >= count { break }
        }
        guard seen & Self.unknown == 0 else { throw Self.noSymbol() }
        return written
    }

    /// Decodes code by code and byte by byte where room may be scarce.
    @inline(never)
    private func expandCarefully(
        _ source: UnsafeRawPointer,
        _ count: Int,
        _ target: UnsafeMutableRawPointer,
        _ room: Int
    ) throws(LanceError) -> Int {
        var read = 0
        var written = 0
        while read < count {
            let code = Int(source.load(fromByteOffset: read, as: UInt8.self))
            read += 1
            var symbol = symbols[code]
            var length = Int(lengths[code])
            if code == Self.escape {
                guard read < count else { throw Self.lonelyEscape() }
                symbol = UInt64(source.load(fromByteOffset: read, as: UInt8.self))
                length = 1
                read += 1
            }
            guard length != Int(Self.unknown) else { throw Self.noSymbol() }
            guard room - written >= length else { throw Self.noRoom(room) }
            for _ in 0..<length {
                target.storeBytes(of: UInt8(truncatingIfNeeded: symbol), toByteOffset: written, as: UInt8.self)
                symbol >>= 8
                written += 1
            }
        }
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

    @inline(never)
    private static func lonelyEscape() -> LanceError { .corrupt("FSST value ends after an escape code") }

    @inline(never)
    private static func noSymbol() -> LanceError { .corrupt("FSST value has a code without a symbol") }
}
