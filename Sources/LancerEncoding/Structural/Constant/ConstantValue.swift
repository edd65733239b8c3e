import LancerArrow
import LancerBytes

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The value of a page in which all values that are not null are equal.
/// Spec: 05-constant.md, "Inline values" and "Scalar buffer".
struct ConstantValue {
    /// The value in the layout itself.
    private(set) var inline: [UInt8]?
    /// The value in a page buffer.
    private(set) var scalar: ArrowBuffer?

    /// Nil when two values differ, none is valid, or the shape of the values has no constant form.
    init?(_ values: LeafValues, validity: Bitmap?) {
        guard let first = Self.firstValid(values.count, validity) else { return nil }
        switch values {
        case .fixed(let fixed):
            let width = fixed.width
            let isConstant = fixed.bytes.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return width == 0 }
                if validity == nil {
                    // Equal to itself moved by one value.
                    return memcmp(base, base + width, width * (fixed.count - 1)) == 0
                }
                return Self.allSlots(fixed.count, validity) {
                    memcmp(base + $0 * width, base + first * width, width) == 0
                }
            }
            guard isConstant else { return nil }
            let value = fixed.bytes.slice((first * width)..<((first + 1) * width))
            if width <= ConstantEncoder.maxInlineBytes {
                inline = value.bytes
            } else {
                scalar = ConstantEncoder.scalar([value])
            }
        case .bits(let bits):
            let value = bits[first]
            if validity == nil {
                guard bits.setCount == (value ? bits.count : 0) else { return nil }
            } else {
                guard Self.allSlots(bits.count, validity, { bits[$0] == value }) else { return nil }
            }
            inline = [value ? 1 : 0]
        case .variable(let strings):
            let offsets = strings.offsets
            let start = offsets[first]
            let length = offsets[first + 1] - start
            let isConstant = strings.data.withUnsafeBytes { bytes in
                Self.allSlots(strings.count, validity) { slot in
                    guard offsets[slot + 1] - offsets[slot] == length else { return false }
                    guard length > 0, let base = bytes.baseAddress else { return true }
                    return memcmp(base + offsets[slot], base + start, length) == 0
                }
            }
            guard isConstant else { return nil }
            let ends =
                strings.offsetBits == 32
                ? ArrowBuffer([UInt32(0), UInt32(truncatingIfNeeded: length)])
                : ArrowBuffer([UInt64(0), UInt64(length)])
            scalar = ConstantEncoder.scalar([ends, strings.data.slice(start..<(start + length))])
        case .vectors, .dictionary, .packed, .none: return nil
        }
    }

    private static func firstValid(_ count: Int, _ validity: Bitmap?) -> Int? {
        guard let validity else { return count > 0 ? 0 : nil }
        return (0..<count).first { validity[$0] }
    }

    private static func allSlots(_ count: Int, _ validity: Bitmap?, _ test: (Int) -> Bool) -> Bool {
        for slot in 0..<count where validity.map({ $0[slot] }) ?? true {
            if !test(slot) { return false }
        }
        return true
    }
}
