import LancerBytes

/// Bit packing of blocks of 1024 unsigned integers in the FastLanes order.
///
/// A block of word type `T` has `1024 / T.bitWidth` lanes. Each lane is a bit stream of `T.bitWidth` values of `width`
/// bits, least significant bit first, over `width` words; word `k` of lane `l` is word `k * lanes + l` of the packed
/// block. Neighbouring lanes hold neighbouring values, so that one shift serves a whole vector of lanes.
///
///     row r of lane l  =  value order[r / 8] * 16 + (r % 8) * 128 + l      order = 0 4 2 6 1 5 3 7
///
/// Packed blocks need no alignment.
///
/// Afroozeh, Boncz: The FastLanes Compression Layout (2023). Spec: 07-encodings.md, "FastLanes order".
package enum FastLanes {
    /// Values in one block.
    package static let blockValues = 1024

    /// Bytes that a block packed with `width` bits per value takes, for every word type.
    @inlinable
    package static func packedByteCount(width: Int) -> Int { width &* (blockValues / 8) }

    /// First value of a group of eight rows, in units of 16 values: the bit-reversed group number.
    @inlinable
    static func groupStart(_ group: Int) -> Int {
        ((group & 1) &<< 2 | (group & 2) | (group &>> 2) & 1) &* 16
    }

    /// Index in the block of the value in row `row` of lane `lane`.
    @inlinable
    package static func logicalIndex(row: Int, lane: Int) -> Int {
        groupStart(row &>> 3) &+ (row & 7) &* 128 &+ lane
    }

    /// The smallest width that holds every one of the values.
    @specialized(where T == UInt8)
    @specialized(where T == UInt16)
    @specialized(where T == UInt32)
    @specialized(where T == UInt64)
    package static func bitWidth<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        of values: UnsafeBufferPointer<T>
    ) -> Int {
        var all: T = 0
        for index in 0..<values.count { all |= values[index] }
        return T.bitWidth &- all.leadingZeroBitCount
    }

    /// Packs the 1024 values at `input` with `width` bits each into `packedByteCount(width:)` bytes at `output`.
    ///
    /// Bits of a value above `width` are dropped. `output` must not overlap `input`.
    @specialized(where T == UInt8)
    @specialized(where T == UInt16)
    @specialized(where T == UInt32)
    @specialized(where T == UInt64)
    package static func pack<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ input: UnsafePointer<T>,
        width: Int,
        into output: UnsafeMutableRawPointer
    ) {
        precondition(width >= 0 && width <= T.bitWidth, "width does not fit the word")
        guard width > 0 else { return }
        let bits = T.bitWidth
        let lanes = blockValues / bits
        let laneBytes = blockValues / 8
        let mask: T = T.max &>> T(truncatingIfNeeded: bits &- width)
        for row in 0..<bits {
            let source = input + logicalIndex(row: row, lane: 0)
            let firstBit = row &* width
            let shift = firstBit & (bits &- 1)
            let target = output + (firstBit / bits) &* laneBytes
            let left = T(truncatingIfNeeded: shift)
            if shift == 0 {
                for lane in 0..<lanes {
                    target.storeBytes(of: source[lane] & mask, toByteOffset: lane &* (bits / 8), as: T.self)
                }
            } else {
                for lane in 0..<lanes {
                    let offset = lane &* (bits / 8)
                    let word = target.loadUnaligned(fromByteOffset: offset, as: T.self)
                    target.storeBytes(of: word | (source[lane] & mask) &<< left, toByteOffset: offset, as: T.self)
                }
            }
            // The rest of the value starts the lane's next word; a value that ends with its word leaves none.
            if shift &+ width > bits {
                let next = target + laneBytes
                let right = T(truncatingIfNeeded: bits &- shift)
                for lane in 0..<lanes {
                    next.storeBytes(
                        of: (source[lane] & mask) &>> right,
                        toByteOffset: lane &* (bits / 8),
                        as: T.self
                    )
                }
            }
        }
    }

    /// Unpacks the `packedByteCount(width:)` bytes at `input` into 1024 values at `output`.
    ///
    /// `output` must not overlap `input`.
    @specialized(where T == UInt8)
    @specialized(where T == UInt16)
    @specialized(where T == UInt32)
    @specialized(where T == UInt64)
    package static func unpack<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ input: UnsafeRawPointer,
        width: Int,
        into output: UnsafeMutablePointer<T>
    ) {
        precondition(width >= 0 && width <= T.bitWidth, "width does not fit the word")
        guard width > 0 else {
            output.update(repeating: 0, count: blockValues)
            return
        }
        let bits = T.bitWidth
        let lanes = blockValues / bits
        let laneBytes = blockValues / 8
        let mask: T = T.max &>> T(truncatingIfNeeded: bits &- width)
        for row in 0..<bits {
            let target = output + logicalIndex(row: row, lane: 0)
            let firstBit = row &* width
            let shift = firstBit & (bits &- 1)
            let source = input + (firstBit / bits) &* laneBytes
            let right = T(truncatingIfNeeded: shift)
            if shift &+ width <= bits {
                for lane in 0..<lanes {
                    let word = source.loadUnaligned(fromByteOffset: lane &* (bits / 8), as: T.self)
                    target[lane] = word &>> right & mask
                }
            } else {
                let left = T(truncatingIfNeeded: bits &- shift)
                for lane in 0..<lanes {
                    let offset = lane &* (bits / 8)
                    let low = source.loadUnaligned(fromByteOffset: offset, as: T.self)
                    let high = source.loadUnaligned(fromByteOffset: offset &+ laneBytes, as: T.self)
                    target[lane] = (low &>> right | high &<< left) & mask
                }
            }
        }
    }

    /// The value at `index` (0..<1024) of the packed block at `input`, without unpacking the others.
    @specialized(where T == UInt8)
    @specialized(where T == UInt16)
    @specialized(where T == UInt32)
    @specialized(where T == UInt64)
    package static func unpackSingle<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ input: UnsafeRawPointer,
        width: Int,
        index: Int,
        as type: T.Type = T.self
    ) -> T {
        precondition(width >= 0 && width <= T.bitWidth && index >= 0 && index < blockValues)
        guard width > 0 else { return 0 }
        let bits = T.bitWidth
        let lanes = blockValues / bits
        let inRow = index & 127
        let lane = inRow & (lanes &- 1)
        // Bit reversal is its own inverse: it also leads from a group's first value back to the group.
        let group = groupStart((inRow &- lane) / 16) / 16
        let firstBit = (group &* 8 &+ index / 128) &* width
        let shift = firstBit & (bits &- 1)
        let source = input + (firstBit / bits &* lanes &+ lane) &* (bits / 8)
        var value: T = source.loadUnaligned(as: T.self) &>> T(truncatingIfNeeded: shift)
        if shift &+ width > bits {
            let next = source.loadUnaligned(fromByteOffset: blockValues / 8, as: T.self)
            value |= next &<< T(truncatingIfNeeded: bits &- shift)
        }
        return value & (T.max &>> T(truncatingIfNeeded: bits &- width))
    }
}
