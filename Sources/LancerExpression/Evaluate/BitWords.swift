import LancerArrow
import LancerBytes

/// Bits in 64-bit words, bit 0 of word 0 first; bits beyond the count are unspecified until they become a bitmap.
enum BitWords {
    /// Words of `count` bits asked of `bit`.
    @inline(__always)
    static func make(_ count: Int, _ bit: (Int) -> Bool) -> [UInt64] {
        let full = count >> 6
        let total = (count + 63) >> 6
        return [UInt64](unsafeUninitializedCapacity: total) { words, initialized in
            for word in 0..<full {
                let base = word &<< 6
                var bits: UInt64 = 0
                for position in 0..<64 {
                    bits |= (bit(base &+ position) ? 1 : 0) &<< UInt64(truncatingIfNeeded: position)
                }
                words[word] = bits
            }
            if full < total {
                var bits: UInt64 = 0
                for index in (full &<< 6)..<count {
                    bits |= (bit(index) ? 1 : 0) &<< UInt64(truncatingIfNeeded: index & 63)
                }
                words[full] = bits
            }
            initialized = total
        }
    }

    /// The words of a bitmap.
    static func of(_ bitmap: Bitmap) -> [UInt64] {
        bitmap.buffer.withUnsafeBytes { bytes in
            let reader = BitReader(bytes, offset: bitmap.bitOffset)
            return (0..<((bitmap.count + 63) >> 6)).map { word in
                reader.word(at: word << 6, bits: Swift.min(64, bitmap.count - word << 6))
            }
        }
    }

    /// `count` bits of one value.
    static func repeating(_ bit: Bool, count: Int) -> [UInt64] {
        [UInt64](repeating: bit ? .max : 0, count: (count + 63) >> 6)
    }

    /// Validity as words; nil when every value is valid.
    static func validity(_ array: ArrowArray) -> [UInt64]? {
        if case .null = array.storage { return repeating(false, count: array.length) }
        return array.validity.map { of($0) }
    }

    /// The bitmap of `count` bits.
    static func bitmap(_ words: [UInt64], count: Int) -> Bitmap {
        var words = words
        if count & 63 != 0, let last = words.indices.last { words[last] &= (1 << UInt64(count & 63)) - 1 }
        return Bitmap(ArrowBuffer(words).slice(0..<((count + 7) / 8)), count: count)
    }

    /// Number of bits set among the first `count`.
    static func setCount(_ words: [UInt64], count: Int) -> Int {
        var total = 0
        for (index, word) in words.enumerated() {
            let rest = count - index << 6
            total += (rest >= 64 ? word : word & ((1 << UInt64(rest)) - 1)).nonzeroBitCount
        }
        return total
    }

    @inline(__always)
    static func combine(_ left: [UInt64], _ right: [UInt64], _ body: (UInt64, UInt64) -> UInt64) -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: left.count) { words, initialized in
            for index in 0..<left.count { words[index] = body(left[index], right[index]) }
            initialized = left.count
        }
    }
}

/// Three-valued booleans: which rows are true and which are false; null is neither.
///
/// In this form AND, OR and NOT are plain operations on words.
struct Truth {
    var isTrue: [UInt64]
    var isFalse: [UInt64]
    var count: Int

    init(isTrue: [UInt64], isFalse: [UInt64], count: Int) {
        self.isTrue = isTrue
        self.isFalse = isFalse
        self.count = count
    }

    /// Bits that say true or false where `valid` is set (nil: everywhere).
    init(_ bits: [UInt64], valid: [UInt64]?, count: Int) {
        self.count = count
        if let valid {
            isTrue = BitWords.combine(bits, valid) { $0 & $1 }
            isFalse = BitWords.combine(bits, valid) { ~$0 & $1 }
        } else {
            isTrue = bits
            isFalse = bits.map { ~$0 }
        }
    }

    /// The same value for every row; nil is null.
    init(repeating value: Bool?, count: Int) {
        self.count = count
        isTrue = BitWords.repeating(value == true, count: count)
        isFalse = BitWords.repeating(value == false, count: count)
    }

    /// The values of a boolean operand.
    init(_ operand: Operand, count: Int) {
        guard case .boolean(let bits) = operand.array.storage else {
            self.init(repeating: nil, count: count)
            return
        }
        if operand.isConstant {
            self.init(repeating: operand.array.isNull(0) ? nil : bits[0], count: count)
        } else {
            self.init(BitWords.of(bits), valid: BitWords.validity(operand.array), count: count)
        }
    }

    var negated: Truth { Truth(isTrue: isFalse, isFalse: isTrue, count: count) }

    func and(_ other: Truth) -> Truth {
        Truth(
            isTrue: BitWords.combine(isTrue, other.isTrue) { $0 & $1 },
            isFalse: BitWords.combine(isFalse, other.isFalse) { $0 | $1 },
            count: count
        )
    }

    func or(_ other: Truth) -> Truth { negated.and(other.negated).negated }

    /// Bit where the value is true or false.
    var isKnown: [UInt64] { BitWords.combine(isTrue, isFalse) { $0 | $1 } }

    /// The rows that are true.
    var selection: Bitmap { BitWords.bitmap(isTrue, count: count) }

    /// A boolean array.
    var array: ArrowArray {
        let known = isKnown
        let hasNulls = BitWords.setCount(known, count: count) < count
        return ArrowArray(
            type: .bool,
            length: count,
            validity: hasNulls ? BitWords.bitmap(known, count: count) : nil,
            storage: .boolean(selection)
        )
    }
}

extension Bitmap {
    /// Bits set in both; nil stands for all bits set.
    static func intersection(_ left: Bitmap?, _ right: Bitmap?) -> Bitmap? {
        guard let left else { return right }
        guard let right else { return left }
        return BitWords.bitmap(BitWords.combine(BitWords.of(left), BitWords.of(right)) { $0 & $1 }, count: left.count)
    }
}

extension ArrowArray {
    /// The same values, null also where `validity` says so.
    func masked(by validity: Bitmap?) -> ArrowArray {
        guard let validity, type != .null else { return self }
        return ArrowArray(
            type: type,
            length: length,
            validity: Bitmap.intersection(self.validity, validity),
            storage: storage
        )
    }
}
