import LancerArrow
import LancerBytes

/// `LIKE` and `ILIKE`.
enum LikeKernel {
    /// Whether texts have the shape of the pattern; null where either is.
    static func match(
        _ text: Operand,
        _ pattern: Operand,
        ignoringCase: Bool,
        count: Int
    ) throws(LanceError) -> Truth {
        defer { withExtendedLifetime((text, pattern)) {} }
        if pattern.isConstant, pattern.array.isNull(0) { return Truth(repeating: nil, count: count) }
        if text.isConstant, text.array.isNull(0) { return Truth(repeating: nil, count: count) }
        let texts = try ByteColumn(text)
        let patterns = try ByteColumn(pattern)
        let bits: [UInt64]
        if pattern.isConstant {
            let like = LikePattern(patterns[0], ignoringCase: ignoringCase)
            bits = BitWords.make(count) { like.matches(texts[$0]) }
        } else {
            bits = BitWords.make(count) { row in
                if pattern.isNull(row) || text.isNull(row) { return false }
                return LikePattern(patterns[row], ignoringCase: ignoringCase).matches(texts[row])
            }
        }
        let textValid = text.isConstant ? nil : text.array.validity
        let patternValid = pattern.isConstant ? nil : pattern.array.validity
        let valid = Bitmap.intersection(textValid, patternValid)
        return Truth(bits, valid: valid.map { BitWords.of($0) }, count: count)
    }
}

/// A pattern of LIKE made ready: `%` is any text, `_` any one character, `\` takes the next one as it is.
struct LikePattern {
    private enum Part: Equatable {
        case byte(UInt8)
        case anyCharacter
        case anyText
    }

    private let parts: [Part]
    private let ignoringCase: Bool
    /// A pattern without `_` and with `%` at its ends only: bytes to look for, and where.
    private let simple: (bytes: [UInt8], isOpenAtStart: Bool, isOpenAtEnd: Bool)?

    init(_ pattern: UnsafeRawBufferPointer, ignoringCase: Bool) {
        self.ignoringCase = ignoringCase
        let bytes = ignoringCase ? CaseFolding.folded(pattern) : Array(pattern)
        var parts: [Part] = []
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "%"):
                if parts.last != .anyText { parts.append(.anyText) }
            case UInt8(ascii: "_"): parts.append(.anyCharacter)
            case UInt8(ascii: "\\") where index + 1 < bytes.count:
                index += 1
                parts.append(.byte(bytes[index]))
            default: parts.append(.byte(bytes[index]))
            }
            index += 1
        }
        self.parts = parts
        let isOpenAtStart = parts.first == .anyText
        let isOpenAtEnd = parts.count > 1 && parts.last == .anyText
        let middle = parts[(isOpenAtStart ? 1 : 0)..<(parts.count - (isOpenAtEnd ? 1 : 0))]
        var plain: [UInt8] = []
        for case .byte(let byte) in middle { plain.append(byte) }
        simple = plain.count == middle.count ? (plain, isOpenAtStart, isOpenAtEnd) : nil
    }

    func matches(_ text: UnsafeRawBufferPointer) -> Bool {
        guard ignoringCase else { return matchesFolded(text) }
        return CaseFolding.folded(text).withUnsafeBytes { matchesFolded($0) }
    }

    private func matchesFolded(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let simple else { return matchesParts(text) }
        return simple.bytes.withUnsafeBytes { wanted in
            if text.count < wanted.count { return false }
            switch (simple.isOpenAtStart, simple.isOpenAtEnd) {
            case (false, false): return text.equals(wanted)
            case (false, true): return UnsafeRawBufferPointer(rebasing: text[..<wanted.count]).equals(wanted)
            case (true, false):
                return UnsafeRawBufferPointer(rebasing: text[(text.count - wanted.count)...]).equals(wanted)
                    || wanted.isEmpty
            case (true, true): return text.firstIndex(of: wanted) != nil
            }
        }
    }

    /// Walks text and pattern together; at a mismatch the last `%` takes one more byte.
    private func matchesParts(_ text: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        var part = 0
        var retry: (part: Int, position: Int)?
        while position < text.count {
            if part < parts.count {
                switch parts[part] {
                case .byte(let byte) where text[position] == byte:
                    position += 1
                    part += 1
                    continue
                case .anyCharacter where text[position] & 0xC0 != 0x80:
                    position += 1
                    while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
                    part += 1
                    continue
                case .anyText:
                    retry = (part + 1, position)
                    part += 1
                    continue
                default: break
                }
            }
            guard let again = retry else { return false }
            retry = (again.part, again.position + 1)
            part = again.part
            position = again.position + 1
        }
        while part < parts.count, parts[part] == .anyText { part += 1 }
        return part == parts.count
    }
}

extension UnsafeRawBufferPointer {
    /// Where `wanted` begins first, or nil.
    func firstIndex(of wanted: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        guard let first = wanted.first else { return start <= count ? start : nil }
        let end = count - wanted.count
        var index = start
        while index <= end {
            if self[index] == first,
                UnsafeRawBufferPointer(rebasing: self[index..<(index + wanted.count)]).equals(wanted)
            {
                return index
            }
            index &+= 1
        }
        return nil
    }
}

/// Text without the difference between capital and small letters, for comparing: simple folding, letter by letter.
enum CaseFolding {
    static func folded(_ text: UnsafeRawBufferPointer) -> [UInt8] {
        if text.allSatisfy({ $0 < 0x80 }) {
            return text.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            result.append(contentsOf: Array(String(Character(folded(scalar))).utf8))
        }
        return result
    }

    /// The small letter of the capital letter, where these are single letters.
    static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar.isASCII {
            return ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value + 32)) : scalar
        }
        // The dotless i and the dotted I are letters of their own.
        if scalar == "\u{131}" || scalar == "\u{130}" { return scalar }
        let upper = single(scalar.properties.uppercaseMapping) ?? scalar
        return single(upper.properties.lowercaseMapping) ?? upper
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        let scalars = text.unicodeScalars
        return scalars.count == 1 ? scalars.first : nil
    }
}
