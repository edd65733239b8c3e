/// Scanning text eight bytes at a time.
///
/// Each test gives a word with the top bit of every matching byte set and all other bits clear, so that
/// `trailingZeroBitCount / 8` is the position of the first match and no false match can follow a true one.
enum ByteScan {
    static let high: UInt64 = 0x8080_8080_8080_8080
    static let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F

    /// `byte` in all eight positions.
    @inline(__always)
    static func spread(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// Bytes that are not zero: top bit set (other bits undefined).
    @inline(__always)
    static func nonZero(_ word: UInt64) -> UInt64 { ((word & low) &+ low) | word }

    /// Eight bytes in the order they have in memory, first byte lowest.
    @inline(__always)
    static func load(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt64.self))
    }

    /// Top bits of the bytes equal to the spread byte.
    @inline(__always)
    static func matches(_ word: UInt64, _ pattern: UInt64) -> UInt64 { ~nonZero(word ^ pattern) & high }

    /// Top bits of the bytes equal to one of three spread bytes.
    @inline(__always)
    static func matches(_ word: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
        ~(nonZero(word ^ a) & nonZero(word ^ b) & nonZero(word ^ c)) & high
    }

    /// Position of the first `byte` in `start..<end`, or nil.
    ///
    /// Up to seven bytes past `end` are loaded (not looked at), so they must be readable memory.
    static func firstIndex(of byte: UInt8, in text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int? {
        let pattern = spread(byte)
        var position = start
        while position < end {
            let found = matches(load(text + position), pattern)
            if found != 0 {
                let index = position + found.trailingZeroBitCount >> 3
                return index < end ? index : nil
            }
            position += 8
        }
        return nil
    }

    /// Number of line ends in the text: LF, CR LF and lone CR each count once.
    ///
    /// - Parameter last: Whether a CR as the very last byte counts (else the LF it may belong to is yet to come).
    static func lineEndCount(_ text: UnsafePointer<UInt8>, _ count: Int, last: Bool) -> Int {
        let lineFeed = spread(0x0A)
        let carriageReturn = spread(0x0D)
        var total = 0
        var position = 0
        while position + 8 <= count {
            let word = load(text + position)
            let lineFeeds = matches(word, lineFeed)
            total += lineFeeds.nonzeroBitCount
            let returns = matches(word, carriageReturn)
            if returns != 0 {
                // A CR counts here unless the next byte is an LF; the eighth byte's neighbour is looked at apart.
                total += (returns & ~(lineFeeds >> 8) & (high >> 8)).nonzeroBitCount
                if returns >> 63 == 1 {
                    if position + 8 == count {
                        total += last ? 1 : 0
                    } else if text[position + 8] != 0x0A {
                        total += 1
                    }
                }
            }
            position += 8
        }
        while position < count {
            if text[position] == 0x0A {
                total += 1
            } else if text[position] == 0x0D {
                if position + 1 == count { total += last ? 1 : 0 } else if text[position + 1] != 0x0A { total += 1 }
            }
            position += 1
        }
        return total
    }

    /// Whether all bytes are below 0x80.
    static func isASCII(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var seen: UInt64 = 0
        var position = 0
        while position + 8 <= count {
            seen |= load(text + position)
            position += 8
        }
        while position < count {
            seen |= UInt64(text[position])
            position += 1
        }
        return seen & high == 0
    }

    /// Whether the bytes are valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
    static func isUTF8(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var position = 0
        while position < count {
            if position + 8 <= count, load(text + position) & high == 0 {
                position += 8
                continue
            }
            let lead = text[position]
            if lead < 0x80 {
                position += 1
                continue
            }
            let length: Int
            var lowest: UInt8 = 0x80
            var highest: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, lowest) = (3, 0xA0)
            case 0xED: (length, highest) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, lowest) = (4, 0x90)
            case 0xF4: (length, highest) = (4, 0x8F)
            case 0xF1...0xF3: length = 4
            default: return false
            }
            guard position + length <= count else { return false }
            let second = text[position + 1]
            guard second >= lowest, second <= highest else { return false }
            for next in 2..<Swift.max(length, 2) where text[position + next] & 0xC0 != 0x80 { return false }
            position += length
        }
        return true
    }
}

/// Bytes of a text being read: where it starts and how long it is.
typealias TextBytes = UnsafeBufferPointer<UInt8>

extension TextBytes {
    /// The text for an error message: at most 60 bytes of it, damaged UTF-8 replaced, in double quotes.
    var quotedForMessage: String {
        let limit = 60
        let shown = String(decoding: prefix(limit), as: UTF8.self)
        var text = "\""
        for scalar in shown.unicodeScalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0": text += "\\0"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return count > limit ? text + "…\" (\(count) bytes)" : text + "\""
    }
}
