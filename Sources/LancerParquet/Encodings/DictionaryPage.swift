import LancerArrow
import LancerBytes

/// The distinct values of a column chunk.
final class DictionaryPage {
    let values: PhysicalValues
    let count: Int
    /// Bytes of the longest value.
    let longest: Int
    private var indices = [UInt32]()

    init(_ values: PhysicalValues) {
        self.values = values
        count = values.count
        switch values {
        case .bits: longest = 1
        case .fixed(_, let width): longest = width
        case .bytes(let offsets, _):
            var most = 0
            for index in 0..<values.count {
                most = max(most, offsets.offset(at: index + 1, width: 4) - offsets.offset(at: index, width: 4))
            }
            longest = most
        }
    }

    /// Appends the values at the next `count` indices.
    ///
    /// - Throws: `corrupt` for an index outside the dictionary.
    func decode(_ decoder: inout RunLengthDecoder, _ count: Int, into builder: ValueBuilder) throws(LanceError) {
        if indices.count < count { indices = [UInt32](repeating: 0, count: max(count, 8192)) }
        var failure: LanceError?
        indices.withUnsafeMutableBufferPointer { room in
            do throws(LanceError) {
                guard let base = room.baseAddress else { return }
                try decoder.decode(count, into: base)
                var highest: UInt32 = 0
                for index in 0..<count { highest = max(highest, base[index]) }
                guard count == 0 || Int(highest) < self.count else {
                    throw .corrupt("dictionary index \(highest) in a Parquet column with \(self.count) distinct values")
                }
                try gather(UnsafeBufferPointer(start: base, count: count), into: builder)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func gather(_ indices: UnsafeBufferPointer<UInt32>, into builder: ValueBuilder) throws(LanceError) {
        switch values {
        case .bits(let bits):
            for index in indices { builder.append(bit: bits[Int(index)]) }
        case .fixed(let buffer, let width):
            try builder.append(fixed: indices.count, width: width) { room in
                switch width {
                case 4: gather(indices, buffer, UInt32.self, room)
                case 8: gather(indices, buffer, UInt64.self, room)
                default:
                    guard let target = room.baseAddress else { return }
                    for (place, index) in indices.enumerated() {
                        (target + place * width).copyMemory(from: buffer.start + Int(index) * width, byteCount: width)
                    }
                }
            }
        case .bytes(let offsets, let data):
            try offsets.withValues(of: Int32.self) { (offsets) throws(LanceError) in
                var total = 0
                for index in indices { total += Int(offsets[Int(index) + 1] &- offsets[Int(index)]) }
                builder.reserve(values: indices.count, bytes: total)
                for index in indices {
                    let start = Int(offsets[Int(index)])
                    let length = Int(offsets[Int(index) + 1]) - start
                    try builder.append(UnsafeRawBufferPointer(start: data.start + start, count: length))
                }
            }
        }
    }

    @inline(__always)
    private func gather<T: BitwiseCopyable>(
        _ indices: UnsafeBufferPointer<UInt32>,
        _ buffer: ArrowBuffer,
        _ type: T.Type,
        _ room: UnsafeMutableRawBufferPointer
    ) {
        guard let target = room.baseAddress else { return }
        let size = MemoryLayout<T>.size
        for place in 0..<indices.count {
            let value = buffer.start.loadUnaligned(fromByteOffset: Int(indices[place]) &* size, as: T.self)
            target.storeBytes(of: value, toByteOffset: place &* size, as: T.self)
        }
    }
}
