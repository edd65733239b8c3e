import LancerBytes

/// Reads one JSON text strictly as RFC 8259 has it, token by token.
///
/// The text must be followed by at least eight readable bytes of which the first is no part of any token (a line end or
/// NUL), so that scanning needs no check of the end at every byte.
struct JSONScanner {
    /// The deepest nesting of arrays and objects that is read.
    static let depthLimit = 64

    private let text: UnsafePointer<UInt8>
    private let end: Int
    private(set) var position: Int
    /// Bytes of the last string with escapes, unescaped; eight spare bytes behind.
    private var scratch: UnsafeMutablePointer<UInt8>

    /// The kind of a value, by its first byte.
    enum Kind {
        case object, array, string, number, bool, null
    }

    /// The text of a token: a number as written, a string without quotes and escapes.
    struct Token {
        let start: UnsafePointer<UInt8>
        let count: Int
        /// Whether all bytes are ASCII.
        let isASCII: Bool

        var bytes: TextBytes { TextBytes(start: start, count: count) }
        var string: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Room for unescaped strings, shared by the scanners of many texts.
    final class Scratch {
        fileprivate var memory: UnsafeMutablePointer<UInt8>
        fileprivate var capacity = 256

        init() { memory = .allocate(capacity: capacity) }

        deinit { memory.deallocate() }

        fileprivate func reserve(_ count: Int) {
            guard capacity < count + 8 else { return }
            memory.deallocate()
            capacity = count + 8
            memory = .allocate(capacity: capacity)
        }
    }

    private let room: Scratch

    /// Reads `text[start..<end]`.
    init(_ text: UnsafePointer<UInt8>, from start: Int, to end: Int, scratch: Scratch) {
        self.text = text
        self.end = end
        position = start
        room = scratch
        self.scratch = scratch.memory
    }

    // MARK: Structure

    @inline(__always)
    mutating func skipBlanks() {
        while text[position] <= 0x20, position < end,
            text[position] == 0x20 || text[position] == 0x09 || text[position] == 0x0D || text[position] == 0x0A
        { position += 1 }
    }

    /// The kind of the value that starts here (after blanks).
    @inline(__always)
    mutating func peek() throws(JSONFault) -> Kind {
        skipBlanks()
        guard position < end else { throw JSONFault(syntax: "the JSON text ends where a value belongs") }
        switch text[position] {
        case 0x7B: return .object
        case 0x5B: return .array
        case 0x22: return .string
        case 0x2D, 0x30...0x39: return .number
        case 0x74, 0x66: return .bool
        case 0x6E: return .null
        default: throw unexpected("a value")
        }
    }

    /// Takes `byte` if it comes next (after blanks).
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard position < end, text[position] == byte else { return false }
        position += 1
        return true
    }

    /// Takes `[` or `{` and tells whether the close follows at once (it is taken too).
    @inline(__always)
    mutating func open(_ close: UInt8) -> Bool {
        position += 1
        return !take(close)
    }

    /// After an item: true when a comma and another item follow, false after the closing `close`.
    @inline(__always)
    mutating func hasMore(_ close: UInt8) throws(JSONFault) -> Bool {
        skipBlanks()
        if position < end {
            if text[position] == 0x2C {
                position += 1
                return true
            }
            if text[position] == close {
                position += 1
                return false
            }
        }
        throw unexpected(close == 0x5D ? "\",\" or \"]\"" : "\",\" or \"}\"")
    }

    /// A key with its colon.
    @inline(__always)
    mutating func key() throws(JSONFault) -> Token {
        skipBlanks()
        guard position < end, text[position] == 0x22 else { throw unexpected("a key in double quotes") }
        let token = try string()
        guard take(0x3A) else { throw unexpected("\":\" behind the key") }
        return token
    }

    /// Checks that nothing but blanks is left.
    mutating func expectEnd() throws(JSONFault) {
        skipBlanks()
        if position < end { throw unexpected("nothing more") }
    }

    // MARK: Scalars

    /// Takes `true` or `false`.
    mutating func bool() throws(JSONFault) -> Bool {
        if literal("true") { return true }
        if literal("false") { return false }
        throw unexpected("true or false")
    }

    /// Takes `null`.
    mutating func null() throws(JSONFault) {
        if !literal("null") { throw unexpected("null") }
    }

    private mutating func literal(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard end - position >= count else { return false }
        for index in 0..<count where text[position + index] != word.utf8Start[index] { return false }
        position += count
        return true
    }

    /// Takes a number: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    @inline(__always)
    mutating func number() throws(JSONFault) -> Token {
        let start = position
        var at = position
        if text[at] == 0x2D { at += 1 }
        if text[at] == 0x30 {
            at += 1
        } else {
            let digits = at
            while text[at] &- 0x30 <= 9 { at += 1 }
            if at == digits { throw unexpected("a digit", at: at) }
        }
        if text[at] == 0x2E {
            at += 1
            let digits = at
            while text[at] &- 0x30 <= 9 { at += 1 }
            if at == digits { throw unexpected("a digit behind the point", at: at) }
        }
        if text[at] | 0x20 == 0x65 {
            at += 1
            if text[at] == 0x2D || text[at] == 0x2B { at += 1 }
            let digits = at
            while text[at] &- 0x30 <= 9 { at += 1 }
            if at == digits { throw unexpected("a digit in the exponent", at: at) }
        }
        if text[at] &- 0x30 <= 9 { throw JSONFault(syntax: "a number with a leading zero") }
        position = at
        return Token(start: text + start, count: at - start, isASCII: true)
    }

    /// Takes a string. The token's text is valid until the next string with escapes is taken.
    @inline(__always)
    mutating func string() throws(JSONFault) -> Token {
        position += 1
        let start = position
        var at = start
        var seen: UInt64 = 0
        let quotes = ByteScan.spread(0x22)
        let escapes = ByteScan.spread(0x5C)
        while at < end {
            let word = ByteScan.load(text + at)
            // Controls are the bytes below 0x20: the top three bits are zero.
            let controls = ByteScan.matches(word & 0xE0E0_E0E0_E0E0_E0E0, 0)
            let found = ByteScan.matches(word, quotes) | ByteScan.matches(word, escapes) | controls
            if found == 0 {
                seen |= word
                at += 8
                continue
            }
            let index = found.trailingZeroBitCount >> 3
            if index > 0 { seen |= word << UInt64(64 - index * 8) }
            at += index
            break
        }
        guard at < end else { throw JSONFault(syntax: "a string is not closed") }
        if text[at] == 0x22 {
            position = at + 1
            let isASCII = seen & ByteScan.high == 0
            if !isASCII, !ByteScan.isUTF8(text + start, at - start) {
                throw JSONFault(syntax: "a string is not valid UTF-8")
            }
            return Token(start: text + start, count: at - start, isASCII: isASCII)
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(JSONFault) -> Token {
        guard let close = closingQuote(from: start) else { throw JSONFault(syntax: "a string is not closed") }
        room.reserve(close - start)
        scratch = room.memory
        var count = 0
        var at = start
        while at < close {
            let byte = text[at]
            at += 1
            if byte < 0x20 {
                throw JSONFault(syntax: "a control character (code \(byte)) in a string; it is written \\u00XX")
            }
            guard byte == 0x5C else {
                scratch[count] = byte
                count += 1
                continue
            }
            let escape = text[at]
            at += 1
            switch escape {
            case 0x22, 0x5C, 0x2F: scratch[count] = escape
            case 0x62: scratch[count] = 0x08
            case 0x66: scratch[count] = 0x0C
            case 0x6E: scratch[count] = 0x0A
            case 0x72: scratch[count] = 0x0D
            case 0x74: scratch[count] = 0x09
            case 0x75:
                let scalar = try unicodeEscape(&at, close)
                if let units = UTF8.encode(scalar) {
                    for unit in units {
                        scratch[count] = unit
                        count += 1
                    }
                }
                continue
            default: throw JSONFault(syntax: "an unknown escape in a string: \\\(Unicode.Scalar(escape))")
            }
            count += 1
        }
        position = close + 1
        let isASCII = ByteScan.isASCII(scratch, count)
        if !isASCII, !ByteScan.isUTF8(scratch, count) { throw JSONFault(syntax: "a string is not valid UTF-8") }
        return Token(start: UnsafePointer(scratch), count: count, isASCII: isASCII)
    }

    private func closingQuote(from start: Int) -> Int? {
        var at = start
        while at < end {
            if text[at] == 0x22 { return at }
            at += text[at] == 0x5C ? 2 : 1
        }
        return nil
    }

    /// The scalar of `\uXXXX` (the `u` is taken), or of two that make a surrogate pair.
    private func unicodeEscape(_ at: inout Int, _ close: Int) throws(JSONFault) -> Unicode.Scalar {
        let first = try hexUnit(&at, close)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, close - at >= 6, text[at] == 0x5C, text[at + 1] == 0x75 else {
            throw JSONFault(syntax: "half of a surrogate pair in a string")
        }
        at += 2
        let second = try hexUnit(&at, close)
        guard second >= 0xDC00, second <= 0xDFFF,
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        else { throw JSONFault(syntax: "half of a surrogate pair in a string") }
        return scalar
    }

    private func hexUnit(_ at: inout Int, _ close: Int) throws(JSONFault) -> UInt16 {
        guard close - at >= 4 else { throw JSONFault(syntax: "\\u needs four hexadecimal digits") }
        var value: UInt16 = 0
        for index in 0..<4 {
            let byte = text[at + index]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: throw JSONFault(syntax: "\\u needs four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
        }
        at += 4
        return value
    }

    /// Takes a value of any kind without looking at what it says.
    mutating func skipValue(depth: Int) throws(JSONFault) {
        switch try peek() {
        case .null: try null()
        case .bool: _ = try bool()
        case .number: _ = try number()
        case .string: _ = try string()
        case .array:
            try Self.check(depth: depth)
            guard open(0x5D) else { return }
            repeat { try skipValue(depth: depth + 1) } while try hasMore(0x5D)
        case .object:
            try Self.check(depth: depth)
            guard open(0x7D) else { return }
            repeat {
                _ = try key()
                try skipValue(depth: depth + 1)
            } while try hasMore(0x7D)
        }
    }

    /// Refuses the `depth`-th level of nesting (from 0) beyond the limit.
    @inline(__always)
    static func check(depth: Int) throws(JSONFault) {
        if depth >= depthLimit { throw JSONFault(syntax: "nested deeper than \(depthLimit) levels") }
    }

    // MARK: Faults

    @inline(never)
    private func unexpected(_ what: String, at place: Int? = nil) -> JSONFault {
        let place = place ?? position
        guard place < end else { return JSONFault(syntax: "the JSON text ends where \(what) belongs") }
        let found = TextBytes(start: text + place, count: Swift.min(end - place, 20)).quotedForMessage
        return JSONFault(syntax: "expected \(what), found \(found)")
    }
}

/// Questions about numbers as JSON writes them.
enum JSONNumber {
    /// Whether an integer's text says exactly what the nearest double says in its shortest form, so that reading it as
    /// a double loses no digit.
    static func survivesDouble(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard let written = FloatText.split(text, count), !written.truncated else { return false }
        let value = FloatText.double(written, text, count)
        guard value.isFinite else { return false }
        // The eight bytes behind the text that scanning may load.
        let shortest = Array(value.description.utf8) + [UInt8](repeating: 0, count: 8)
        return shortest.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress, let read = FloatText.split(base, bytes.count - 8) else { return false }
            return normalized(read) == normalized(written)
        }
    }

    private static func normalized(_ decimal: FloatText.Decimal) -> [Int64] {
        var significand = decimal.significand
        var exponent = decimal.exponent
        while significand > 0, significand % 10 == 0 {
            significand /= 10
            exponent += 1
        }
        return [Int64(truncatingIfNeeded: significand), Int64(exponent)]
    }
}
