import LancerBytes

/// Numbers written as text.
enum NumberText {
    /// Appends decimal digits.
    static func append(_ value: UInt64, into output: inout BufferBuilder) {
        output.append(upTo: 20) { target in
            // Backwards into the far end, then to the front.
            var rest = value
            var start = 20
            repeat {
                start -= 1
                target[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            for index in start..<20 { target[index - start] = target[index] }
            return 20 - start
        }
    }

    /// Appends decimal digits, `-` in front of negative values.
    static func append(_ value: Int64, into output: inout BufferBuilder) {
        if value < 0 { output.append(UInt8(0x2D)) }
        append(value.magnitude, into: &output)
    }

    /// Appends text that Swift made of a number.
    static func append(_ text: String, into output: inout BufferBuilder) {
        var text = text
        text.withUTF8 { output.append(UnsafeRawBufferPointer($0)) }
    }

    /// The name of a value that is not finite.
    static func special(_ value: some BinaryFloatingPoint) -> String {
        value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }
}
