import LancerBytes

/// A column of `string_view` or `binary_view`, on its way to offsets and data.
///
/// Layout of a view, 16 bytes: length as a signed 32-bit number; up to 12 bytes follow in place, longer values have
/// their first 4 bytes, the number of a data buffer and the offset in it, 32 bits each.
/// Spec: Arrow columnar format, "Variable-size Binary View Layout".
struct IPCViews {
    /// Bytes of a view.
    static let width = 16
    private static let longestInPlace = 12

    let views: ArrowBuffer
    let buffers: [ArrowBuffer]
    let validity: Bitmap?
    /// Most bytes that the values may come to: views may share theirs.
    let limit: Int

    private var count: Int { views.count / Self.width }

    /// Copies the values together; `type` says how wide the offsets are. Values under nulls become empty.
    ///
    /// - Throws: `corrupt` for views outside the buffers, `limitExceeded` when 32-bit offsets do not reach.
    func storage(_ type: ArrowType) throws(LanceError) -> ArrowArray.Storage {
        if type.offsetWidth == 8 {
            let offsets = try offsets(Int64.self)
            return .variableWidth(offsets: offsets, data: data(offsets, Int64.self))
        }
        let offsets = try offsets(Int32.self)
        return .variableWidth(offsets: offsets, data: data(offsets, Int32.self))
    }

    /// Checks every view and adds up their lengths.
    private func offsets<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(LanceError) -> ArrowBuffer {
        let bufferSizes = buffers.map(\.count)
        return try ArrowBuffer(count: (count + 1) * MemoryLayout<T>.size) { target throws(LanceError) in
            let offsets = target.bindMemory(to: T.self)
            offsets[0] = 0
            try views.withUnsafeBytes { (bytes) throws(LanceError) in
                for index in 0..<count {
                    var length: Int32 = 0
                    if validity.map({ $0[index] }) ?? true {
                        length = bytes.loadUnaligned(fromByteOffset: index * Self.width, as: Int32.self)
                        if length < 0 || length > Self.longestInPlace {
                            try check(bytes, index, length: Int(length), bufferSizes)
                        }
                    }
                    let (end, overflow) = offsets[index].addingReportingOverflow(T(length))
                    if overflow {
                        throw LanceError.limitExceeded(
                            "a batch of views has more than 2 GiB of values; read it with large views"
                        )
                    }
                    guard end <= limit else {
                        throw LanceError.limitExceeded("a batch of views has more than \(limit) bytes of values")
                    }
                    offsets[index + 1] = end
                }
            }
        }
    }

    private func check(
        _ bytes: UnsafeRawBufferPointer,
        _ index: Int,
        length: Int,
        _ bufferSizes: [Int]
    ) throws(LanceError) {
        let number = Int(bytes.loadUnaligned(fromByteOffset: index * Self.width + 8, as: Int32.self))
        let offset = Int(bytes.loadUnaligned(fromByteOffset: index * Self.width + 12, as: Int32.self))
        guard length >= 0, bufferSizes.indices.contains(number), offset >= 0, offset <= bufferSizes[number],
            length <= bufferSizes[number] - offset
        else { throw .corrupt("view \(index) is bytes \(offset)..<\(offset + length) of buffer \(number)") }
    }

    /// Copies the values; every view has been checked.
    private func data<T: FixedWidthInteger & BitwiseCopyable>(_ offsets: ArrowBuffer, _: T.Type) -> ArrowBuffer {
        offsets.withValues(of: T.self) { offsets in
            ArrowBuffer(count: Int(offsets[count])) { target in
                views.withUnsafeBytes { bytes in
                    for index in 0..<count {
                        let length = Int(offsets[index + 1] - offsets[index])
                        let value = UnsafeMutableRawBufferPointer(
                            rebasing: target[Int(offsets[index])..<Int(offsets[index + 1])]
                        )
                        let place = index * Self.width
                        if length <= Self.longestInPlace {
                            value.copyMemory(from: .init(rebasing: bytes[(place + 4)..<(place + 4 + length)]))
                        } else {
                            let number = Int(bytes.loadUnaligned(fromByteOffset: place + 8, as: Int32.self))
                            let start = Int(bytes.loadUnaligned(fromByteOffset: place + 12, as: Int32.self))
                            buffers[number].withUnsafeBytes {
                                value.copyMemory(from: .init(rebasing: $0[start..<(start + length)]))
                            }
                        }
                    }
                }
            }
        }
    }
}
