import LancerBytes

/// Takes the zeros away that numbers of a scale below zero are stored with.
struct DecimalDivision {
    /// How many decimal zeros every number ends with.
    let zeros: Int

    /// Big-endian numbers of `width` bytes as little-endian ones of `target` bytes.
    ///
    /// - Throws: `corrupt` when a number has not that many zeros or is too large.
    func divided(_ buffer: ArrowBuffer, width: Int, to target: Int) throws(LanceError) -> ArrowBuffer {
        let count = buffer.count / width
        var isExact = true
        let result = ArrowBuffer(count: count * target) { room in
            for index in 0..<count {
                var number = (0..<width).map {
                    buffer.start.load(fromByteOffset: (index + 1) * width - 1 - $0, as: UInt8.self)
                }
                let isNegative = (number.last ?? 0) & 0x80 != 0
                if isNegative { Self.negate(&number) }
                for _ in 0..<zeros where Self.divideByTen(&number) != 0 { isExact = false }
                if isNegative { Self.negate(&number) }
                let sign: UInt8 = isNegative && number.contains { $0 != 0 } ? 0xFF : 0
                for position in 0..<target {
                    room[index * target + position] = position < width ? number[position] : sign
                }
                let isCut = target < width && !number[target...].allSatisfy { $0 == sign }
                if isCut || (room[(index + 1) * target - 1] ^ sign) & 0x80 != 0 { isExact = false }
            }
        }
        guard isExact else { throw .corrupt("a decimal that does not fit the scale that ARROW:schema says") }
        return result
    }

    private static func negate(_ number: inout [UInt8]) {
        var carry = true
        for position in number.indices {
            (number[position], carry) = (~number[position]).addingReportingOverflow(carry ? 1 : 0)
        }
    }

    private static func divideByTen(_ number: inout [UInt8]) -> Int {
        var rest = 0
        for position in number.indices.reversed() {
            let part = rest << 8 | Int(number[position])
            number[position] = UInt8(part / 10)
            rest = part % 10
        }
        return rest
    }
}
