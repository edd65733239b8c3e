import LancerBytes

/// Finds the longest symbol at a place of a text.
///
/// Symbols of three and more bytes live in a hash table keyed by their first three bytes, one for each slot; two-byte
/// symbols in a table of all byte pairs, which falls back to the one-byte symbol or the escape of its first byte.
/// Two probes and no loop find a match; the price is that two long symbols cannot share a slot.
///
/// An entry of the pair and byte tables is a ``Match`` packed in 16 bits.
struct FSSTCodeBook {
    /// What is written for the bytes matched.
    struct Match {
        /// Bits 0-7 code, bit 8 set when the code is an escape, bits 12-15 length in bytes.
        let packed: UInt32

        @inline(__always) var code: UInt8 { UInt8(truncatingIfNeeded: packed) }
        @inline(__always) var isEscape: Bool { packed & 0x100 != 0 }
        @inline(__always) var length: Int { Int(packed &>> 12 & 15) }
        /// Bytes of output: one, or two for an escape.
        @inline(__always) var outputCount: Int { 1 &+ Int(packed &>> 8 & 1) }
    }

    /// A slot of the hash table, 16 bytes.
    private struct Slot {
        var bytes: UInt64
        /// Shift that drops the bytes above the symbol from a mask of 64 ones.
        var ignoredBits: UInt32
        var match: UInt32

        /// No masked text of one byte equals this value: a slot that never matches.
        static let free = Slot(bytes: 0x100, ignoredBits: 56, match: 0)
    }

    private static let slotCount = 2048
    private static let slotsSize = slotCount * MemoryLayout<Slot>.stride
    private static let pairsSize = 65_536 * 2
    private static let freeMatch: UInt16 = 0x1000 | 0x100 | UInt16(FSSTSymbolTable.escape)

    /// Slots, then pairs, then single bytes.
    private let storage: ArrowBuffer
    /// The symbols that found a place, in the order of their codes.
    let symbols: [FSSTSymbol]

    /// Takes symbols in the order given while there are codes, leaving out those whose place is taken and duplicates.
    init(_ candidates: some Sequence<FSSTSymbol>) {
        var kept: [FSSTSymbol] = []
        storage = ArrowBuffer(count: Self.slotsSize + Self.pairsSize + 512) { room in
            let slots = UnsafeMutableRawBufferPointer(rebasing: room[..<Self.slotsSize]).bindMemory(to: Slot.self)
            let pairs = UnsafeMutableRawBufferPointer(
                rebasing: room[Self.slotsSize..<(Self.slotsSize + Self.pairsSize)]
            ).bindMemory(to: UInt16.self)
            let singles = UnsafeMutableRawBufferPointer(rebasing: room[(Self.slotsSize + Self.pairsSize)...])
                .bindMemory(to: UInt16.self)
            slots.initialize(repeating: .free)
            pairs.initialize(repeating: 0)
            singles.initialize(repeating: Self.freeMatch)
            for symbol in candidates {
                guard kept.count < FSSTSymbolTable.maximumSymbols else { break }
                let packed = UInt16(kept.count) | UInt16(symbol.length) << 12
                switch symbol.length {
                case 1:
                    guard singles[Int(symbol.bytes)] == Self.freeMatch else { continue }
                    singles[Int(symbol.bytes)] = packed
                case 2:
                    guard pairs[Int(symbol.bytes)] == 0 else { continue }
                    pairs[Int(symbol.bytes)] = packed
                default:
                    let slot = Self.slot(of: symbol.bytes)
                    guard slots[slot].match == 0 else { continue }
                    slots[slot] = Slot(
                        bytes: symbol.bytes,
                        ignoredBits: UInt32(64 - symbol.length * 8),
                        match: UInt32(packed)
                    )
                }
                kept.append(symbol)
            }
            for pair in 0..<65_536 where pairs[pair] == 0 { pairs[pair] = singles[pair & 0xFF] }
        }
        symbols = kept
    }

    @inline(__always)
    private static func slot(of word: UInt64) -> Int {
        let product: UInt64 = (word & 0xFF_FFFF) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: product &>> 53)
    }

    /// Calls `body` with the tables, for many look-ups.
    func withMatcher<R, E: Error>(_ body: (Matcher) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(storage) {} }
        return try body(Matcher(storage.start))
    }

    /// The tables on plain pointers; valid inside ``withMatcher(_:)``.
    struct Matcher {
        // Safe: the tables have an entry for every slot number, byte pair and byte that can be computed.
        private let slots: UnsafePointer<Slot>
        private let pairs: UnsafePointer<UInt16>
        private let singles: UnsafePointer<UInt16>

        fileprivate init(_ base: UnsafeRawPointer) {
            slots = base.assumingMemoryBound(to: Slot.self)
            pairs = (base + FSSTCodeBook.slotsSize).assumingMemoryBound(to: UInt16.self)
            singles = (base + FSSTCodeBook.slotsSize + FSSTCodeBook.pairsSize).assumingMemoryBound(to: UInt16.self)
        }

        /// The longest match at the start of eight bytes of text.
        @inline(__always)
        func match(_ word: UInt64) -> Match {
            let slot = slots[FSSTCodeBook.slot(of: word)]
            let short = UInt32(pairs[Int(word & 0xFFFF)])
            return Match(packed: word & (UInt64.max &>> UInt64(slot.ignoredBits)) == slot.bytes ? slot.match : short)
        }

        /// The longest match of at most `limit` (1...7) bytes; bytes of `word` above are not looked at.
        @inline(__always)
        func match(_ word: UInt64, limit: Int) -> Match {
            let long = match(word)
            if long.length <= limit { return long }
            let short = Match(packed: UInt32(pairs[Int(word & 0xFFFF)]))
            return short.length <= limit ? short : Match(packed: UInt32(singles[Int(word & 0xFF)]))
        }
    }
}

extension UnsafeRawPointer {
    /// The bytes at `offset`, up to eight and not beyond `end`, as a little-endian number.
    @inline(__always)
    func textWord(at offset: Int, end: Int) -> UInt64 {
        if end &- offset >= 8 { return UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        var word: UInt64 = 0
        var position = offset
        var shift: UInt64 = 0
        while position < end {
            word |= UInt64(load(fromByteOffset: position, as: UInt8.self)) &<< shift
            position &+= 1
            shift &+= 8
        }
        return word
    }
}
