import LancerArrow
import LancerBytes

/// Stored values as an Arrow array without nulls.
struct LeafConversion {
    private let leaf: LeafColumn

    init(_ leaf: LeafColumn) { self.leaf = leaf }

    /// - Throws: `corrupt` for values outside their type and texts that are not UTF-8; `unsupported` for timestamps
    ///   that Arrow's unit cannot hold.
    func array(_ values: PhysicalValues) throws(LanceError) -> ArrowArray {
        try array(values, leaf.type)
    }

    private func array(_ values: PhysicalValues, _ type: ArrowType) throws(LanceError) -> ArrowArray {
        let count = values.count
        if case .dictionary(let index, let value, _) = type {
            return try DictionaryEncoding.encode(try array(values, value), index: index, type: type)
        }
        switch values {
        case .bits(let bits): return ArrowArray(type: type, length: count, storage: .boolean(bits))
        case .fixed(let buffer, let width):
            let converted = try fixed(buffer, width: width, count: count, type)
            return ArrowArray(type: type, length: count, storage: .fixedWidth(converted))
        case .bytes(let offsets, let data):
            switch type {
            case .decimal128: return try decimals(offsets, data, count, width: 16, type)
            case .decimal256: return try decimals(offsets, data, count, width: 32, type)
            default: break
            }
            let isWide = type.offsetWidth == 8
            let array = ArrowArray(
                type: type,
                length: count,
                storage: .variableWidth(
                    offsets: isWide ? widened(offsets, from: Int32.self, to: Int64.self) { Int64($0) } : offsets,
                    data: data
                )
            )
            if type == .utf8 || type == .largeUtf8 { try array.checkText(data) }
            return array
        }
    }

    private func fixed(
        _ buffer: ArrowBuffer,
        width: Int,
        count: Int,
        _ type: ArrowType
    ) throws(LanceError) -> ArrowBuffer {
        switch (leaf.physicalType, type) {
        case (.int32, .int8), (.int32, .uint8):
            return widened(buffer, from: Int32.self, to: UInt8.self) { UInt8(truncatingIfNeeded: $0) }
        case (.int32, .int16), (.int32, .uint16):
            return widened(buffer, from: Int32.self, to: UInt16.self) { UInt16(truncatingIfNeeded: $0) }
        case (.int64, .uint32):
            return widened(buffer, from: Int64.self, to: UInt32.self) { UInt32(truncatingIfNeeded: $0) }
        case (.int32, .date64): return widened(buffer, from: Int32.self, to: Int64.self) { Int64($0) * 86_400_000 }
        case (.int32, .time32(.second)): return try seconds(buffer, Int32.self)
        case (.int64, .timestamp(.second, _)): return try seconds(buffer, Int64.self)
        case (.int96, .timestamp(let unit, _)): return try moments(buffer, count, unit)
        case (.int32, .decimal128), (.int32, .decimal256):
            return extended(buffer, Int32.self, count, width: type.byteWidth ?? 16)
        case (.int64, .decimal128), (.int64, .decimal256):
            return extended(buffer, Int64.self, count, width: type.byteWidth ?? 16)
        case (.fixedLengthByteArray, .decimal128(_, let scale)) where scale < 0,
            (.fixedLengthByteArray, .decimal256(_, let scale)) where scale < 0:
            return try DecimalDivision(zeros: -scale).divided(buffer, width: width, to: type.byteWidth ?? 16)
        case (.fixedLengthByteArray, .decimal128), (.fixedLengthByteArray, .decimal256):
            let target = type.byteWidth ?? 16
            var failed = false
            let result = ArrowBuffer(count: count * target) { room in
                for index in 0..<count {
                    let value = UnsafeRawBufferPointer(start: buffer.start + index * width, count: width)
                    let place = UnsafeMutableRawBufferPointer(rebasing: room[(index * target)..<((index + 1) * target)])
                    if !Self.reverse(value, into: place) { failed = true }
                }
            }
            if failed { throw .corrupt("a decimal of \(width) bytes is larger than its precision") }
            return result
        default: return buffer
        }
    }

    private func widened<T: BitwiseCopyable, U: BitwiseCopyable>(
        _ buffer: ArrowBuffer,
        from: T.Type,
        to: U.Type,
        _ convert: (T) -> U
    ) -> ArrowBuffer {
        let count = buffer.count / MemoryLayout<T>.size
        return ArrowBuffer(count: count * MemoryLayout<U>.size) { room in
            guard let target = room.baseAddress else { return }
            for index in 0..<count {
                let value = buffer.start.loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.size, as: T.self)
                target.storeBytes(of: convert(value), toByteOffset: index &* MemoryLayout<U>.size, as: U.self)
            }
        }
    }

    /// Milliseconds that the writer made out of seconds.
    private func seconds<T: FixedWidthInteger & BitwiseCopyable>(
        _ buffer: ArrowBuffer,
        _ type: T.Type
    ) throws(LanceError) -> ArrowBuffer {
        var rest: T = 0
        let result = widened(buffer, from: T.self, to: T.self) { value in
            let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 1000)
            rest |= remainder
            return quotient
        }
        if rest != 0 { throw .corrupt("milliseconds in a column that ARROW:schema says has seconds") }
        return result
    }

    private func extended<T: FixedWidthInteger & BitwiseCopyable>(
        _ buffer: ArrowBuffer,
        _ type: T.Type,
        _ count: Int,
        width: Int
    ) -> ArrowBuffer {
        ArrowBuffer(count: count * width) { room in
            guard let target = room.baseAddress else { return }
            for index in 0..<count {
                let value = Int64(buffer.start.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self))
                target.storeBytes(of: value, toByteOffset: index * width, as: Int64.self)
                for word in 1..<(width / 8) {
                    target.storeBytes(of: value >> 63, toByteOffset: index * width + word * 8, as: Int64.self)
                }
            }
        }
    }

    private func decimals(
        _ offsets: ArrowBuffer,
        _ data: ArrowBuffer,
        _ count: Int,
        width: Int,
        _ type: ArrowType
    ) throws(LanceError) -> ArrowArray {
        var failed = false
        let result = ArrowBuffer(count: count * width) { room in
            for index in 0..<count {
                let start = offsets.offset(at: index, width: 4)
                let end = offsets.offset(at: index + 1, width: 4)
                let place = UnsafeMutableRawBufferPointer(rebasing: room[(index * width)..<((index + 1) * width)])
                let value = UnsafeRawBufferPointer(start: data.start + start, count: end - start)
                if !Self.reverse(value, into: place) { failed = true }
            }
        }
        if failed { throw .corrupt("a decimal does not fit \(width * 8) bits") }
        return ArrowArray(type: type, length: count, storage: .fixedWidth(result))
    }

    /// Writes a big-endian two's complement number little-endian; false when it does not fit.
    private static func reverse(_ value: UnsafeRawBufferPointer, into place: UnsafeMutableRawBufferPointer) -> Bool {
        let sign: UInt8 = (value.first ?? 0) & 0x80 == 0 ? 0 : 0xFF
        for index in 0..<place.count {
            place[index] = index < value.count ? value[value.count - 1 - index] : sign
        }
        guard value.count > place.count else { return true }
        let excess = value.count - place.count
        return value[..<excess].allSatisfy { $0 == sign } && (place[place.count - 1] ^ sign) & 0x80 == 0
    }

    /// INT96: nanoseconds of the day (8 bytes) and Julian day (4 bytes).
    private func moments(_ buffer: ArrowBuffer, _ count: Int, _ unit: TimeUnit) throws(LanceError) -> ArrowBuffer {
        let perDay: Int64
        let divisor: Int64
        switch unit {
        case .second: (perDay, divisor) = (86_400, 1_000_000_000)
        case .millisecond: (perDay, divisor) = (86_400_000, 1_000_000)
        case .microsecond: (perDay, divisor) = (86_400_000_000, 1000)
        case .nanosecond: (perDay, divisor) = (86_400_000_000_000, 1)
        }
        return try ArrowBuffer(count: count * 8) { (room) throws(LanceError) in
            guard let target = room.baseAddress else { return }
            for index in 0..<count {
                let nanoseconds = buffer.start.loadUnaligned(fromByteOffset: index * 12, as: Int64.self)
                let julian = buffer.start.loadUnaligned(fromByteOffset: index * 12 + 8, as: UInt32.self)
                // The first day that 64 bits reach begins before they do.
                let day = Int128(Int64(julian) - 2_440_588) * Int128(perDay)
                guard let sum = Int64(exactly: day + Int128(nanoseconds / divisor)) else {
                    throw .unsupported(
                        "an INT96 timestamp of Julian day \(julian) does not fit 64-bit \(unit.rawValue)"
                    )
                }
                target.storeBytes(of: sum, toByteOffset: index * 8, as: Int64.self)
            }
        }
    }
}
