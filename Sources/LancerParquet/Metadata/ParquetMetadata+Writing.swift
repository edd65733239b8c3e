import LancerBytes

// Field numbers are those of parquet.thrift.

extension ParquetMetadata {
    /// The footer as it stands in the file, without its length.
    func bytes() -> ArrowBuffer {
        var writer = ThriftWriter()
        writer.field(1, int32: version)
        writer.structures(2, schema) { $1.write(&$0) }
        writer.field(3, int64: rowCount)
        let groups = Array(rowGroups.enumerated())
        writer.structures(4, groups) { $1.element.write(&$0, ordinal: $1.offset) }
        if !keyValues.isEmpty {
            let pairs = keyValues.sorted { $0.key < $1.key }
            writer.structures(5, pairs) { writer, pair in
                writer.field(1, pair.key)
                writer.field(2, pair.value)
            }
        }
        if let createdBy { writer.field(6, createdBy) }
        // Without it, readers do not believe minima and maxima.
        let leaves = schema.filter { $0.physicalType != nil }
        if !leaves.isEmpty {
            writer.structures(7, leaves) { writer, _ in writer.structure(1) { _ in } }
        }
        return writer.finish()
    }
}

extension SchemaElement {
    fileprivate func write(_ writer: inout ThriftWriter) {
        if let physicalType { writer.field(1, int32: physicalType.rawValue) }
        if physicalType == .fixedLengthByteArray { writer.field(2, int32: Int32(clamping: typeLength)) }
        if let repetition { writer.field(3, int32: repetition.rawValue) }
        writer.field(4, name)
        if let childCount { writer.field(5, int32: Int32(clamping: childCount)) }
        if let converted = annotation?.converted { writer.field(6, int32: converted) }
        if case .decimal(let precision, let scale)? = annotation {
            writer.field(7, int32: Int32(clamping: scale))
            writer.field(8, int32: Int32(clamping: precision))
        }
        if let fieldID { writer.field(9, int32: fieldID) }
        if let annotation, annotation != .interval { writer.structure(10) { annotation.write(&$0) } }
    }
}

extension LogicalAnnotation {
    /// The old number of the annotation, where there is one. Moments without a zone have none by the letter, but old
    /// readers would take them for integers, so others write it, too.
    fileprivate var converted: Int32? {
        switch self {
        case .string: 0
        case .map: 1
        case .list: 3
        case .enumeration: 4
        case .decimal: 5
        case .date: 6
        case .time(true, 3): 7
        case .time(true, 6): 8
        case .timestamp(_, 3): 9
        case .timestamp(_, 6): 10
        case .integer(let bits, let isSigned):
            switch bits {
            case 8: isSigned ? 15 : 11
            case 16: isSigned ? 16 : 12
            case 32: isSigned ? 17 : 13
            default: isSigned ? 18 : 14
            }
        case .json: 19
        case .bson: 20
        case .interval: 21
        case .time, .timestamp, .unknown, .uuid, .float16, .other: nil
        }
    }

    fileprivate func write(_ writer: inout ThriftWriter) {
        func unit(_ writer: inout ThriftWriter, _ exponent: Int) {
            writer.structure(2) { $0.structure(Int16(exponent / 3)) { _ in } }
        }
        switch self {
        case .string: writer.structure(1) { _ in }
        case .map: writer.structure(2) { _ in }
        case .list: writer.structure(3) { _ in }
        case .enumeration: writer.structure(4) { _ in }
        case .decimal(let precision, let scale):
            writer.structure(5) { writer in
                writer.field(1, int32: Int32(clamping: scale))
                writer.field(2, int32: Int32(clamping: precision))
            }
        case .date: writer.structure(6) { _ in }
        case .time(let isUTC, let exponent):
            writer.structure(7) { writer in
                writer.field(1, isUTC)
                unit(&writer, exponent)
            }
        case .timestamp(let isUTC, let exponent):
            writer.structure(8) { writer in
                writer.field(1, isUTC)
                unit(&writer, exponent)
            }
        case .integer(let bits, let isSigned):
            writer.structure(10) { writer in
                writer.field(1, byte: Int8(clamping: bits))
                writer.field(2, isSigned)
            }
        case .unknown: writer.structure(11) { _ in }
        case .json: writer.structure(12) { _ in }
        case .bson: writer.structure(13) { _ in }
        case .uuid: writer.structure(14) { _ in }
        case .float16: writer.structure(15) { _ in }
        case .interval, .other: break
        }
    }
}

extension RowGroup {
    fileprivate func write(_ writer: inout ThriftWriter, ordinal: Int) {
        writer.structures(1, columns) { $1.write(&$0) }
        writer.field(2, int64: totalByteSize)
        writer.field(3, int64: rowCount)
        if let first = columns.first { writer.field(5, int64: first.start) }
        writer.field(6, int64: columns.reduce(0) { $0 &+ $1.compressedSize })
        if let ordinal = Int16(exactly: ordinal) { writer.field(7, int16: ordinal) }
    }
}

extension ColumnChunk {
    fileprivate func write(_ writer: inout ThriftWriter) {
        writer.field(2, int64: 0)
        writer.structure(3) { writer in
            writer.field(1, int32: physicalType.rawValue)
            writer.field(2, int32List: encodings.map(\.rawValue))
            writer.field(3, textList: names)
            writer.field(4, int32: codec.rawValue)
            writer.field(5, int64: valueCount)
            writer.field(6, int64: uncompressedSize)
            writer.field(7, int64: compressedSize)
            writer.field(9, int64: dataPageOffset)
            if let dictionaryPageOffset { writer.field(11, int64: dictionaryPageOffset) }
            if let statistics { writer.structure(12) { statistics.write(&$0) } }
            if !pageCounts.isEmpty {
                writer.structures(13, pageCounts) { writer, pages in
                    writer.field(1, int32: pages.kind)
                    writer.field(2, int32: pages.encoding.rawValue)
                    writer.field(3, int32: pages.count)
                }
            }
        }
        if let offsetIndex {
            writer.field(4, int64: offsetIndex.offset)
            writer.field(5, int32: offsetIndex.length)
        }
        if let columnIndex {
            writer.field(6, int64: columnIndex.offset)
            writer.field(7, int32: columnIndex.length)
        }
    }
}

extension ColumnStatistics {
    fileprivate func write(_ writer: inout ThriftWriter) {
        if let nullCount { writer.field(3, int64: nullCount) }
        if let maximum { writer.field(5, bytes: maximum) }
        if let minimum { writer.field(6, bytes: minimum) }
        if maximum != nil { writer.field(7, true) }
        if minimum != nil { writer.field(8, true) }
    }
}
