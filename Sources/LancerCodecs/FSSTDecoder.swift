import LancerBytes

/// The loop that turns codes into symbols, on plain pointers.
package struct FSSTDecoder {
    private static let escape = Int(FSSTSymbolTable.escape)

    // Safe: both point into the 2304 bytes of a symbol table that outlives the decoder, and are indexed by bytes.
    private let symbols: UnsafePointer<UInt64>
    private let lengths: UnsafePointer<UInt8>
    /// The first code that has no symbol; all above it have none either.
    private let symbolCount: Int
    private let isCompressed: Bool
    /// See ``hasOther(_:)``.
    private let carry: UInt64
    private let either: UInt64

    /// - Parameter table: the decode table of an ``FSSTSymbolTable``; must outlive the decoder.
    init(table: UnsafeRawBufferPointer, symbolCount: Int, isCompressed: Bool) throws(LanceError) {
        guard let base = table.baseAddress, table.count == 256 * 9 else { throw .corrupt("FSST table without symbols") }
        symbols = base.assumingMemoryBound(to: UInt64.self)
        lengths = (base + 2048).assumingMemoryBound(to: UInt8.self)
        self.symbolCount = symbolCount
        self.isCompressed = isCompressed
        let ones: UInt64 = 0x0101_0101_0101_0101
        carry = ones &* UInt64(symbolCount > 128 ? 256 - symbolCount : 128 - symbolCount)
        either = symbolCount > 128 ? 0 : .max
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

    /// Decodes where eight bytes of room for each code are given, eight codes at a time while all are of symbols.
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
        while true {
            while count &- read >= 8 {
                let codes = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: read, as: UInt64.self))
                if hasOther(codes) { break }
                emit(Int(truncatingIfNeeded: codes & 0xFF), target, &written)
                emit(Int(truncatingIfNeeded: codes &>> 8 & 0xFF), target, &written)
                emit(Int(truncatingIfNeeded: codes &>> 16 & 0xFF), target, &written)
                emit(Int(truncatingIfNeeded: codes &>> 24 & 0xFF), target, &written)
                emit(Int(truncatingIfNeeded: codes &>> 32 & 0xFF), target, &written)
                emit(Int(truncatingIfNeeded: codes &>> 40 & 0xFF), target, &written)
                emit(Int(truncatingIfNeeded: codes &>> 48 & 0xFF), target, &written)
                emit(Int(truncatingIfNeeded: codes &>> 56), target, &written)
                read &+= 8
            }
            if count &- read >= 4 {
                // Most values of a column of short texts have fewer than eight codes.
                let codes = UInt64(UInt32(littleEndian: source.loadUnaligned(fromByteOffset: read, as: UInt32.self)))
                if !hasOther(codes) {
                    emit(Int(truncatingIfNeeded: codes & 0xFF), target, &written)
                    emit(Int(truncatingIfNeeded: codes &>> 8 & 0xFF), target, &written)
                    emit(Int(truncatingIfNeeded: codes &>> 16 & 0xFF), target, &written)
                    emit(Int(truncatingIfNeeded: codes &>> 24), target, &written)
                    read &+= 4
                }
            }
            // Up to and with the next escape, or to the end.
            while read < count {
                let code = Int(source.load(fromByteOffset: read, as: UInt8.self))
                read &+= 1
                if code < symbolCount {
                    emit(code, target, &written)
                    continue
                }
                guard code == Self.escape else { throw Self.noSymbol() }
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
            } else if code >= symbolCount {
                throw Self.noSymbol()
            }
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
    private func emit(_ code: Int, _ target: UnsafeMutableRawPointer, _ written: inout Int) {
        (target + written).storeBytes(of: symbols[code], as: UInt64.self)
        written &+= Int(lengths[code])
    }

    /// Whether one of eight codes is not below ``symbolCount``: an escape or a code without a symbol.
    ///
    /// ``carry`` brings the low seven bits of a byte that are not below those of the count over into the highest bit.
    /// Above 128 symbols that bit of the code must be set, too; else it is enough (``either``).
    @inline(__always)
    private func hasOther(_ codes: UInt64) -> Bool {
        let sums = (codes & 0x7F7F_7F7F_7F7F_7F7F) &+ carry
        return ((sums & codes) | ((sums | codes) & either)) & 0x8080_8080_8080_8080 != 0
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
