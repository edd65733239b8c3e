import LancerBytes

/// A regular expression read into a tree.
///
/// The common language of RE2 and Rust: literals, `.`, classes, `\d \w \s \b` and their opposites, groups (capturing,
/// named, `(?:…)`), `(?i) (?s) (?m) (?x-…)` flags, alternatives, and the repetitions `* + ? {m,n}` with their lazy
/// forms. No look-around and no back references: those cannot be matched in linear time.
indirect enum RegexNode {
    case empty
    case scalar(RegexSet)
    case assertion(RegexAssertion)
    case sequence([RegexNode])
    case alternatives([RegexNode])
    case repeated(RegexNode, low: Int, high: Int?, isGreedy: Bool)
    case group(RegexNode, Int)
}

enum RegexAssertion {
    case textStart, textEnd, lineStart, lineEnd, wordBorder, noWordBorder
}

/// A set of characters.
struct RegexSet {
    var ranges: [ClosedRange<UInt32>]
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }

    static let digits = RegexSet(ranges: [0x30...0x39])
    static let blanks = RegexSet(ranges: [
        0x09...0x0D, 0x20...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ])
    static let word = RegexSet(ranges: [
        0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A, 0xAA...0xAA, 0xB5...0xB5, 0xBA...0xBA, 0xC0...0xD6,
        0xD8...0xF6, 0xF8...0x2C1, 0x370...0x373, 0x376...0x377, 0x37B...0x37D, 0x386...0x386, 0x388...0x481,
        0x48A...0x559, 0x561...0x587, 0x5D0...0x5F2, 0x620...0x669, 0x900...0x963, 0x966...0x9F1, 0xE01...0xE3A,
        0x1100...0x11FF, 0x3041...0x3096, 0x30A1...0x30FA, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xAC00...0xD7A3,
    ])

    /// Everything not in the set, as ranges.
    var complement: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = Swift.max(next, range.upperBound + 1)
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return result
    }

    /// The set with capital and small letters made alike.
    func folded() -> RegexSet {
        var result = ranges
        for range in ranges where range.count <= 0x400 {
            for value in range {
                guard let scalar = Unicode.Scalar(value) else { continue }
                for text in [scalar.properties.lowercaseMapping, scalar.properties.uppercaseMapping] {
                    let other = text.unicodeScalars
                    if other.count == 1, let only = other.first { result.append(only.value...only.value) }
                }
            }
        }
        return RegexSet(ranges: result, isNegated: isNegated)
    }
}

/// Reads the text of a regular expression.
struct RegexParser {
    private struct Flags {
        var ignoresCase = false
        var dotTakesNewline = false
        var hasLines = false
    }

    static let maxDepth = 60
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var flags = Flags()
    private var depth = 0
    private(set) var groupCount = 0

    /// - Parameter flags: Letters `i`, `s`, `m`.
    static func parse(_ pattern: String, flags: String) throws(LanceError) -> (RegexNode, groups: Int) {
        var parser = RegexParser(scalars: Array(pattern.unicodeScalars))
        for flag in flags.unicodeScalars where flag != "g" { try parser.set(flag, true) }
        let node = try parser.alternatives()
        guard parser.index == parser.scalars.count else { throw parser.error("an unmatched )") }
        return (node, parser.groupCount)
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    private func error(_ message: String) -> LanceError {
        .invalidArgument("regular expression, character \(index + 1): \(message)")
    }

    private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        index += 1
        return true
    }

    private mutating func set(_ flag: Unicode.Scalar, _ value: Bool) throws(LanceError) {
        switch flag {
        case "i": flags.ignoresCase = value
        case "s": flags.dotTakesNewline = value
        case "m": flags.hasLines = value
        case "u": break
        default: throw error("the flag \(flag) is not known")
        }
    }

    private mutating func alternatives() throws(LanceError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else {
            throw .limitExceeded("a regular expression of more than \(Self.maxDepth) levels")
        }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(LanceError) -> RegexNode {
        var parts: [RegexNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let atom = try atom()
            parts.append(try repetition(of: atom))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repetition(of atom: RegexNode) throws(LanceError) -> RegexNode {
        var node = atom
        var count = 0
        while let scalar = next {
            var low = 0
            var high: Int?
            switch scalar {
            case "*": index += 1
            case "+":
                index += 1
                low = 1
            case "?":
                index += 1
                high = 1
            case "{":
                guard let bounds = try bounds() else { return node }
                (low, high) = bounds
            default: return node
            }
            count += 1
            guard count <= 4 else { throw error("too many repetitions of repetitions") }
            node = .repeated(node, low: low, high: high, isGreedy: !take("?"))
        }
        return node
    }

    /// `{2}`, `{2,}`, `{2,5}`; nil (and nothing taken) when the brace is none of these.
    private mutating func bounds() throws(LanceError) -> (Int, Int?)? {
        let start = index
        index += 1
        let low = number()
        var high = low
        if take(",") { high = number() }
        guard let low, take("}") else {
            index = start
            throw error("a repetition is {2}, {2,} or {2,5}")
        }
        let isOpen = scalars[index - 2] == ","
        if let high, !isOpen, high < low { throw error("a repetition of at least \(low) and at most \(high)") }
        guard low <= 1000, isOpen || high ?? 0 <= 1000 else { throw error("more than 1000 repetitions") }
        return (low, isOpen ? nil : high)
    }

    private mutating func number() -> Int? {
        var text = ""
        while let scalar = next, ("0"..."9").contains(scalar), text.count < 6 {
            text.unicodeScalars.append(scalar)
            index += 1
        }
        return Int(text)
    }

    private mutating func atom() throws(LanceError) -> RegexNode {
        guard let scalar = next else { return .empty }
        index += 1
        switch scalar {
        case ".":
            return .scalar(
                flags.dotTakesNewline
                    ? RegexSet(ranges: [0...0x10FFFF]) : RegexSet(ranges: [0x0A...0x0A], isNegated: true)
            )
        case "^": return .assertion(flags.hasLines ? .lineStart : .textStart)
        case "$": return .assertion(flags.hasLines ? .lineEnd : .textEnd)
        case "(": return try group()
        case "[": return .scalar(fold(try characterClass()))
        case "\\": return try escape()
        case "*", "+", "?":
            index -= 1
            throw error("nothing to repeat")
        case "{": throw error("nothing to repeat")
        default: return .scalar(fold(RegexSet(ranges: [scalar.value...scalar.value])))
        }
    }

    private func fold(_ set: RegexSet) -> RegexSet { flags.ignoresCase ? set.folded() : set }

    private mutating func group() throws(LanceError) -> RegexNode {
        var isCapturing = true
        let outer = flags
        if take("?") {
            if take(":") {
                isCapturing = false
            } else if take("P") || next == "<" {
                guard take("<") else { throw error("expected a group name") }
                if next == "=" || next == "!" { throw unsupported("look-behind") }
                while let scalar = next, scalar != ">" {
                    _ = scalar
                    index += 1
                }
                guard take(">") else { throw error("the name of a group does not end") }
            } else if next == "=" || next == "!" {
                throw unsupported("look-ahead")
            } else {
                var value = true
                while let scalar = next, scalar != ")", scalar != ":" {
                    index += 1
                    if scalar == "-" { value = false } else { try set(scalar, value) }
                }
                if take(")") { return .empty }
                guard take(":") else { throw error("the flags of a group do not end") }
                isCapturing = false
            }
        }
        var number = 0
        if isCapturing {
            groupCount += 1
            number = groupCount
        }
        let inner = try alternatives()
        guard take(")") else { throw error("a group does not end; expected )") }
        flags = outer
        return isCapturing ? .group(inner, number) : inner
    }

    private func unsupported(_ what: String) -> LanceError {
        LanceError(.unsupported, "\(what) in regular expressions is not supported")
    }

    private mutating func escape() throws(LanceError) -> RegexNode {
        guard let scalar = next else { throw error("a backslash at the end") }
        switch scalar {
        case "b", "B", "A", "z":
            index += 1
            return .assertion(
                scalar == "b" ? .wordBorder : scalar == "B" ? .noWordBorder : scalar == "A" ? .textStart : .textEnd
            )
        default: break
        }
        return .scalar(fold(try escapedSet()))
    }

    /// What follows a backslash, as a set.
    private mutating func escapedSet() throws(LanceError) -> RegexSet {
        guard let scalar = next else { throw error("a backslash at the end") }
        index += 1
        func one(_ value: UInt32) -> RegexSet { RegexSet(ranges: [value...value]) }
        switch scalar {
        case "d": return .digits
        case "D": return RegexSet(ranges: RegexSet.digits.complement)
        case "w": return .word
        case "W": return RegexSet(ranges: RegexSet.word.complement)
        case "s": return .blanks
        case "S": return RegexSet(ranges: RegexSet.blanks.complement)
        case "n": return one(0x0A)
        case "r": return one(0x0D)
        case "t": return one(0x09)
        case "f": return one(0x0C)
        case "v": return one(0x0B)
        case "a": return one(0x07)
        case "x", "u", "U": return one(try hexadecimal(scalar))
        default:
            let isPlain = scalar.isASCII && !(scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            guard isPlain else { throw error("\\\(scalar) is not supported") }
            return one(scalar.value)
        }
    }

    private mutating func hexadecimal(_ kind: Unicode.Scalar) throws(LanceError) -> UInt32 {
        var text = ""
        if take("{") {
            while let scalar = next, scalar != "}", text.count < 8 {
                text.unicodeScalars.append(scalar)
                index += 1
            }
            guard take("}") else { throw error("expected }") }
        } else {
            let count = kind == "x" ? 2 : kind == "u" ? 4 : 8
            while text.count < count, let scalar = next {
                text.unicodeScalars.append(scalar)
                index += 1
            }
        }
        guard let value = UInt32(text, radix: 16), Unicode.Scalar(value) != nil else {
            throw error("\(text) is no character")
        }
        return value
    }

    /// The inside of `[…]`, the opening bracket being taken.
    private mutating func characterClass() throws(LanceError) -> RegexSet {
        var set = RegexSet(ranges: [])
        set.isNegated = take("^")
        var isFirst = true
        while true {
            guard let scalar = next else { throw error("a class does not end; expected ]") }
            if scalar == "]", !isFirst {
                index += 1
                return set
            }
            isFirst = false
            if scalar == "[" {
                if index + 1 < scalars.count, scalars[index + 1] == ":" {
                    set.ranges += try namedClass()
                    continue
                }
                index += 1
                let inner = try nestedClass()
                set.ranges += inner.isNegated ? inner.complement : inner.ranges
                continue
            }
            index += 1
            let low: RegexSet = scalar == "\\" ? try escapedSet() : RegexSet(ranges: [scalar.value...scalar.value])
            if low.ranges.count == 1, low.ranges[0].count == 1, next == "-", index + 1 < scalars.count,
                scalars[index + 1] != "]"
            {
                index += 1
                guard let end = next else { throw error("a class does not end; expected ]") }
                index += 1
                let high: RegexSet = end == "\\" ? try escapedSet() : RegexSet(ranges: [end.value...end.value])
                guard high.ranges.count == 1, high.ranges[0].count == 1,
                    low.ranges[0].lowerBound <= high.ranges[0].lowerBound
                else { throw error("a range of characters is backwards") }
                set.ranges.append(low.ranges[0].lowerBound...high.ranges[0].lowerBound)
            } else {
                set.ranges += low.ranges
            }
        }
    }

    private mutating func nestedClass() throws(LanceError) -> RegexSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else {
            throw .limitExceeded("a regular expression of more than \(Self.maxDepth) levels")
        }
        return try characterClass()
    }

    private mutating func namedClass() throws(LanceError) -> [ClosedRange<UInt32>] {
        let names: [(String, [ClosedRange<UInt32>])] = [
            ("[:alpha:]", [0x41...0x5A, 0x61...0x7A]), ("[:digit:]", [0x30...0x39]),
            ("[:alnum:]", [0x30...0x39, 0x41...0x5A, 0x61...0x7A]), ("[:upper:]", [0x41...0x5A]),
            ("[:lower:]", [0x61...0x7A]), ("[:space:]", [0x09...0x0D, 0x20...0x20]),
            ("[:punct:]", [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]),
            ("[:xdigit:]", [0x30...0x39, 0x41...0x46, 0x61...0x66]),
            ("[:word:]", [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]),
            ("[:blank:]", [0x09...0x09, 0x20...0x20]),
        ]
        for (name, ranges) in names {
            let wanted = Array(name.unicodeScalars)
            if index + wanted.count <= scalars.count, scalars[index..<(index + wanted.count)].elementsEqual(wanted) {
                index += wanted.count
                return ranges
            }
        }
        throw error("a class that is not known")
    }
}
