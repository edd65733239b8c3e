extension ColumnBuilder {
    /// How the bits of a fixed-width value are made from a number.
    enum Number: UInt8 {
        case none, int8, int16, int32, int64, uint8, uint16, uint32, uint64, half, float, double, decimal128, decimal256

        /// The form of a type's values; `none` for those that are not numbers of their own (dictionaries included).
        init(_ type: ArrowType) {
            self =
                switch type {
                case .int8: .int8
                case .int16: .int16
                case .int32, .date32, .time32: .int32
                case .int64, .date64, .time64, .timestamp, .duration: .int64
                case .uint8: .uint8
                case .uint16: .uint16
                case .uint32: .uint32
                case .uint64: .uint64
                case .float16: .half
                case .float32: .float
                case .float64: .double
                case .decimal128: .decimal128
                case .decimal256: .decimal256
                case .null, .bool, .utf8, .largeUtf8, .binary, .largeBinary, .fixedSizeBinary, .list, .largeList,
                    .fixedSizeList, .structure, .map, .dictionary:
                    .none
                }
        }

        /// Largest dictionary index of this integer type that the builder hands out.
        var maximumIndex: Int {
            switch self {
            case .int8: Int(Int8.max)
            case .uint8: Int(UInt8.max)
            case .int16: Int(Int16.max)
            case .uint16: Int(UInt16.max)
            default: Int(Int32.max) - 1
            }
        }
    }
}
