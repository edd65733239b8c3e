import LancerBytes

extension Snappy {
    private static let tableBits = 14
    private static let blockSize = 1 << 16

    /// Compresses `input`.
    ///
    /// - Throws: `limitExceeded` for more than 4 GiB.
    package static func compress(_ input: UnsafeRawBufferPointer) throws(LanceError) -> ArrowBuffer {
        guard let total = UInt32(exactly: input.count) else {
            throw .limitExceeded("Snappy data of \(input.count) bytes; the format ends at 4 GiB")
        }
        var output = BufferBuilder(capacity: input.count / 2 + 16)
        var rest = total
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
        var table = [UInt16](repeating: 0, count: 1 << tableBits)
        var start = 0
        while start < input.count {
            let end = Swift.min(start + blockSize, input.count)
            compressBlock(UnsafeRawBufferPointer(rebasing: input[start..<end]), &table, &output)
            start = end
        }
        return output.finish()
    }

    /// Compresses at most 64 KiB; distances stay within the block.
    private static func compressBlock(
        _ block: UnsafeRawBufferPointer,
        _ table: inout [UInt16],
        _ output: inout BufferBuilder
    ) {
        var literal = 0
        if block.count >= 16 {
            table.withUnsafeMutableBufferPointer { table in
                table.update(repeating: 0)
                var position = 1
                var misses = 32
                while position + 8 <= block.count {
                    let word = block.loadUnaligned(fromByteOffset: position, as: UInt32.self)
                    let slot = Int((word &* 0x1E35_A7BD) >> UInt32(32 - tableBits))
                    let candidate = Int(table[slot])
                    table[slot] = UInt16(truncatingIfNeeded: position)
                    guard candidate < position,
                        block.loadUnaligned(fromByteOffset: candidate, as: UInt32.self) == word
                    else {
                        // The longer nothing is found, the less is looked at.
                        position += misses >> 5
                        misses += 1
                        continue
                    }
                    misses = 32
                    var count = 4
                    while position + count < block.count, block[candidate + count] == block[position + count] {
                        count += 1
                    }
                    appendLiteral(block, literal..<position, &output)
                    appendCopy(distance: position - candidate, count: count, &output)
                    position += count
                    literal = position
                }
            }
        }
        appendLiteral(block, literal..<block.count, &output)
    }

    private static func appendLiteral(
        _ block: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ output: inout BufferBuilder
    ) {
        if range.isEmpty { return }
        let length = range.count - 1
        if length < 60 {
            output.append(UInt8(length << 2))
        } else if length < 256 {
            output.append(UInt8(60 << 2))
            output.append(UInt8(length))
        } else {
            output.append(UInt8(61 << 2))
            output.append(UInt16(length).littleEndian)
        }
        output.append(UnsafeRawBufferPointer(rebasing: block[range]))
    }

    private static func appendCopy(distance: Int, count: Int, _ output: inout BufferBuilder) {
        var left = count
        while left > 0 {
            // A copy holds up to 64 bytes; never leave less than 4, which the short form cannot say.
            let now = left > 67 ? 64 : left > 64 ? 60 : left
            if now >= 4, now < 12, distance < 2048 {
                output.append(UInt8(1 | (now - 4) << 2 | (distance >> 8) << 5))
                output.append(UInt8(truncatingIfNeeded: distance))
            } else {
                output.append(UInt8(2 | (now - 1) << 2))
                output.append(UInt16(distance).littleEndian)
            }
            left -= now
        }
    }
}
