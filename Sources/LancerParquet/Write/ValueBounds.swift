import LancerArrow
import LancerBytes

/// Smallest and largest of some values, in PLAIN encoding.
///
/// Spec: parquet.thrift, `ColumnOrder`: NaN takes no part; a zero minimum is written as -0, a zero maximum as +0, because
/// readers may tell them apart or not.
struct ValueBounds: Sendable, Equatable {
    var minimum: [UInt8]
    var maximum: [UInt8]

    /// nil when there is no value, or no order, or a NaN and nothing else.
    init?(_ values: LeafValues, _ order: ValueOrder) {
        switch (order, values) {
        case (.none, _): return nil
        case (.bool, .bits(let bits)):
            guard !bits.isEmpty else { return nil }
            self.init(minimum: [bits.contains(false) ? 0 : 1], maximum: [bits.contains(true) ? 1 : 0])
        case (.int32, .fixed(let buffer, _)): self.init(Self.range(buffer, Int32.self))
        case (.int64, .fixed(let buffer, _)): self.init(Self.range(buffer, Int64.self))
        case (.uint32, .fixed(let buffer, _)): self.init(Self.range(buffer, UInt32.self))
        case (.uint64, .fixed(let buffer, _)): self.init(Self.range(buffer, UInt64.self))
        case (.float16, .fixed(let buffer, _)): self.init(Self.halves(buffer))
        case (.float32, .fixed(let buffer, _)):
            self.init(Self.range(buffer, Float.self).map { ($0 == 0 ? -0.0 : $0, $1 == 0 ? 0.0 : $1) })
        case (.float64, .fixed(let buffer, _)):
            self.init(Self.range(buffer, Double.self).map { ($0 == 0 ? -0.0 : $0, $1 == 0 ? 0.0 : $1) })
        case (.text, .bytes(let ranges, let data)), (.bytes, .bytes(let ranges, let data)):
            self.init(ranges, data, order)
        case (.bytes, .fixed(let buffer, let width)), (.decimal, .fixed(let buffer, let width)):
            let count = buffer.count / width
            self.init((0..<count).map { ($0 * width)..<(($0 + 1) * width) }, buffer, order)
        default: return nil
        }
    }

    private init(minimum: [UInt8], maximum: [UInt8]) {
        self.minimum = minimum
        self.maximum = maximum
    }

    private init?<T: BitwiseCopyable>(_ range: (T, T)?) {
        guard let range else { return nil }
        minimum = withUnsafeBytes(of: range.0) { Array($0) }
        maximum = withUnsafeBytes(of: range.1) { Array($0) }
    }

    @inline(__always)
    private static func range<T: Comparable & BitwiseCopyable>(_ buffer: ArrowBuffer, _ type: T.Type) -> (T, T)? {
        let size = MemoryLayout<T>.size
        var bounds: (T, T)?
        var index = 0
        let count = buffer.count / size
        // The first value that is equal to itself: not NaN.
        while index < count {
            let value = buffer.start.loadUnaligned(fromByteOffset: index &* size, as: T.self)
            if value == value {
                bounds = (value, value)
                break
            }
            index &+= 1
        }
        guard var (low, high) = bounds else { return nil }
        while index < count {
            let value = buffer.start.loadUnaligned(fromByteOffset: index &* size, as: T.self)
            if value < low { low = value }
            if value > high { high = value }
            index &+= 1
        }
        return (low, high)
    }

    /// Half precision, compared as the bits sort: sign and magnitude.
    private static func halves(_ buffer: ArrowBuffer) -> (UInt16, UInt16)? {
        var low = Int.max
        var high = Int.min
        for index in 0..<(buffer.count / 2) {
            let bits = Int(buffer.start.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
            let magnitude = bits & 0x7FFF
            if magnitude > 0x7C00 { continue }
            let key = bits & 0x8000 == 0 ? magnitude : -magnitude
            low = min(low, key)
            high = max(high, key)
        }
        guard low <= high else { return nil }
        return (low <= 0 ? 0x8000 | UInt16(-low) : UInt16(low), high < 0 ? 0x8000 | UInt16(-high) : UInt16(high))
    }

    private init?(_ ranges: [Range<Int>], _ data: ArrowBuffer, _ order: ValueOrder) {
        guard var low = ranges.first else { return nil }
        var high = low
        data.withUnsafeBytes { bytes in
            for range in ranges {
                let value = UnsafeRawBufferPointer(rebasing: bytes[range])
                if Self.isLess(value, UnsafeRawBufferPointer(rebasing: bytes[low]), order) { low = range }
                if Self.isLess(UnsafeRawBufferPointer(rebasing: bytes[high]), value, order) { high = range }
            }
        }
        minimum = data.slice(low).bytes
        maximum = data.slice(high).bytes
    }

    private static func isLess(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer,
        _ order: ValueOrder
    ) -> Bool {
        if order == .decimal, let first = left.first, let other = right.first, first ^ other >= 0x80 {
            return first >= 0x80
        }
        let common = min(left.count, right.count)
        var index = 0
        while common - index >= 8 {
            let first = left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let other = right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if first != other { return first.bigEndian < other.bigEndian }
            index += 8
        }
        while index < common {
            if left[index] != right[index] { return left[index] < right[index] }
            index += 1
        }
        return left.count < right.count
    }

    /// Whether one bound is below another.
    static func isLess(_ left: [UInt8], _ right: [UInt8], _ order: ValueOrder) -> Bool {
        func number<T: BitwiseCopyable>(_ bytes: [UInt8], _ zero: T) -> T {
            bytes.withUnsafeBytes { $0.count < MemoryLayout<T>.size ? zero : $0.loadUnaligned(as: T.self) }
        }
        func half(_ bytes: [UInt8]) -> Int {
            let bits = number(bytes, UInt16(0))
            return bits & 0x8000 == 0 ? Int(bits) : -Int(bits & 0x7FFF)
        }
        return switch order {
        case .none: false
        case .bool: left.first ?? 0 < right.first ?? 0
        case .int32: number(left, Int32(0)) < number(right, Int32(0))
        case .int64: number(left, Int64(0)) < number(right, Int64(0))
        case .uint32: number(left, UInt32(0)) < number(right, UInt32(0))
        case .uint64: number(left, UInt64(0)) < number(right, UInt64(0))
        case .float16: half(left) < half(right)
        case .float32: number(left, Float(0)) < number(right, Float(0))
        case .float64: number(left, Double(0)) < number(right, Double(0))
        case .text, .bytes, .decimal:
            left.withUnsafeBytes { left in right.withUnsafeBytes { isLess(left, $0, order) } }
        }
    }

    /// The bounds of these values and others.
    mutating func formUnion(_ other: ValueBounds, _ order: ValueOrder) {
        if Self.isLess(other.minimum, minimum, order) { minimum = other.minimum }
        if Self.isLess(maximum, other.maximum, order) { maximum = other.maximum }
    }

    /// Bounds of at most about `length` bytes that hold for the same values: the page index allows such.
    func shortened(to length: Int, _ order: ValueOrder) -> ValueBounds {
        guard order == .text || order == .bytes else { return self }
        var result = self
        if minimum.count > length { result.minimum = Self.prefix(minimum, length, order) }
        if maximum.count > length, let above = Self.above(Self.prefix(maximum, length, order), order) {
            result.maximum = above
        }
        return result
    }

    private static func prefix(_ bytes: [UInt8], _ length: Int, _ order: ValueOrder) -> [UInt8] {
        var end = length
        if order == .text {
            while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        }
        return Array(bytes[..<end])
    }

    /// A short value above everything that starts with `prefix`; nil when there is none.
    private static func above(_ prefix: [UInt8], _ order: ValueOrder) -> [UInt8]? {
        if order == .text {
            var scalars = Array(String(decoding: prefix, as: UTF8.self).unicodeScalars)
            while let last = scalars.popLast() {
                // The next character, over the gap that surrogates leave.
                let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
                guard let scalar = Unicode.Scalar(next) else { continue }
                var text = String.UnicodeScalarView(scalars)
                text.append(scalar)
                return Array(String(text).utf8)
            }
            return nil
        }
        var bytes = prefix
        while let last = bytes.popLast() {
            if last < 0xFF { return bytes + [last + 1] }
        }
        return nil
    }
}
