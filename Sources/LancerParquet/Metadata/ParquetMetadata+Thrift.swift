import LancerBytes

// Field numbers are those of parquet.thrift.

extension ParquetMetadata {
    init(_ reader: inout ThriftReader, limits: DecodeLimits) throws(LanceError) {
        try reader.enter()
        var id: Int16 = 0
        while let type = try reader.nextField(&id) {
            switch id {
            case 1: version = try reader.int32(type)
            case 2:
                let (count, element) = try reader.list(type)
                guard count <= limits.fieldCount else { throw .limitExceeded("Parquet schema of \(count) elements") }
                for _ in 0..<count { schema.append(try SchemaElement(&reader, element)) }
            case 3: rowCount = try reader.integer(type)
            case 4:
                let (count, element) = try reader.list(type)
                for _ in 0..<count { rowGroups.append(try RowGroup(&reader, element)) }
            case 5:
                let (count, element) = try reader.list(type)
                for _ in 0..<count { try readKeyValue(&reader, element) }
            case 6: createdBy = try reader.string(type)
            case 8:
                isEncrypted = true
                try reader.skip(type)
            default: try reader.skip(type)
            }
        }
        reader.leave()
    }

    private mutating func readKeyValue(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        try reader.enter(type)
        var id: Int16 = 0
        var key = ""
        var value = ""
        while let type = try reader.nextField(&id) {
            switch id {
            case 1: key = try reader.string(type)
            case 2: value = try reader.string(type)
            default: try reader.skip(type)
            }
        }
        reader.leave()
        keyValues[key] = value
    }
}

extension SchemaElement {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        try reader.enter(type)
        var id: Int16 = 0
        var converted: Int32?
        var logical: LogicalAnnotation?
        var scale = 0
        var precision = 0
        while let type = try reader.nextField(&id) {
            switch id {
            case 1:
                let number = try reader.int32(type)
                guard let known = PhysicalType(rawValue: number) else {
                    throw .corrupt("Parquet column of unknown type \(number)")
                }
                physicalType = known
            case 2: typeLength = Int(try reader.int32(type))
            case 3:
                let number = try reader.int32(type)
                guard let known = Repetition(rawValue: number) else {
                    throw .corrupt("Parquet column of unknown repetition \(number)")
                }
                repetition = known
            case 4: name = try reader.string(type)
            case 5: childCount = Int(try reader.int32(type))
            case 6: converted = try reader.int32(type)
            case 7: scale = Int(try reader.int32(type))
            case 8: precision = Int(try reader.int32(type))
            case 9: fieldID = try reader.int32(type)
            case 10: logical = try LogicalAnnotation(&reader, type)
            default: try reader.skip(type)
            }
        }
        reader.leave()
        annotation = logical ?? converted.flatMap { LogicalAnnotation(converted: $0, precision, scale) }
        // Old writers gave precision and scale beside either annotation.
        if (childCount ?? 0) > 0 { physicalType = nil }
    }
}

extension LogicalAnnotation {
    fileprivate init?(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        try reader.enter(type)
        var id: Int16 = 0
        var result: LogicalAnnotation?
        while let type = try reader.nextField(&id) {
            switch id {
            case 5, 7, 8, 10: result = try Self.withDetails(id, &reader, type)
            default:
                try reader.skip(type)
                result = Self.simple[id] ?? .other(Int(id))
            }
        }
        reader.leave()
        guard let result else { return nil }
        self = result
    }

    private static let simple: [Int16: LogicalAnnotation] = [
        1: .string, 2: .map, 3: .list, 4: .enumeration, 6: .date, 11: .unknown, 12: .json, 13: .bson, 14: .uuid,
        15: .float16,
    ]

    private static func withDetails(
        _ kind: Int16,
        _ reader: inout ThriftReader,
        _ type: ThriftType
    ) throws(LanceError) -> LogicalAnnotation {
        try reader.enter(type)
        var id: Int16 = 0
        var numbers: (Int, Int) = (0, 0)
        var flag = false
        var exponent = 6
        while let type = try reader.nextField(&id) {
            switch (id, type) {
            case (_, .boolTrue): flag = true
            case (_, .boolFalse): flag = false
            case (1, _): numbers.0 = Int(try reader.integer(type))
            case (2, .structure): exponent = try timeExponent(&reader)
            case (2, _): numbers.1 = Int(try reader.integer(type))
            default: try reader.skip(type)
            }
        }
        reader.leave()
        switch kind {
        case 5: return .decimal(precision: numbers.1, scale: numbers.0)
        case 7: return .time(isUTC: flag, exponent: exponent)
        case 8: return .timestamp(isUTC: flag, exponent: exponent)
        default: return .integer(bits: numbers.0, isSigned: flag)
        }
    }

    private static func timeExponent(_ reader: inout ThriftReader) throws(LanceError) -> Int {
        try reader.enter()
        var id: Int16 = 0
        var exponent = 6
        while let type = try reader.nextField(&id) {
            try reader.skip(type)
            guard (1...3).contains(id) else { throw .unsupported("Parquet time unit \(id)") }
            exponent = Int(id) * 3
        }
        reader.leave()
        return exponent
    }

    /// The annotation that replaced a `ConvertedType`.
    fileprivate init?(converted: Int32, _ precision: Int, _ scale: Int) {
        let table: [LogicalAnnotation] = [
            .string, .map, .map, .list, .enumeration, .decimal(precision: precision, scale: scale), .date,
            .time(isUTC: true, exponent: 3), .time(isUTC: true, exponent: 6),
            .timestamp(isUTC: true, exponent: 3), .timestamp(isUTC: true, exponent: 6),
            .integer(bits: 8, isSigned: false), .integer(bits: 16, isSigned: false),
            .integer(bits: 32, isSigned: false), .integer(bits: 64, isSigned: false),
            .integer(bits: 8, isSigned: true), .integer(bits: 16, isSigned: true),
            .integer(bits: 32, isSigned: true), .integer(bits: 64, isSigned: true), .json, .bson, .interval,
        ]
        guard let index = Int(exactly: converted), table.indices.contains(index) else { return nil }
        self = table[index]
    }
}

extension RowGroup {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        try reader.enter(type)
        var id: Int16 = 0
        while let type = try reader.nextField(&id) {
            switch id {
            case 1:
                let (count, element) = try reader.list(type)
                for _ in 0..<count { columns.append(try ColumnChunk(&reader, element)) }
            case 2: totalByteSize = try reader.integer(type)
            case 3: rowCount = try reader.integer(type)
            default: try reader.skip(type)
            }
        }
        reader.leave()
    }
}

extension ColumnChunk {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        try reader.enter(type)
        var id: Int16 = 0
        var places: (offsetIndex: Int64?, offsetLength: Int32?, columnIndex: Int64?, columnLength: Int32?)
        places = (nil, nil, nil, nil)
        while let type = try reader.nextField(&id) {
            switch id {
            case 1: filePath = try reader.string(type)
            case 3: try readMetadata(&reader, type)
            case 4: places.offsetIndex = try reader.integer(type)
            case 5: places.offsetLength = try reader.int32(type)
            case 6: places.columnIndex = try reader.integer(type)
            case 7: places.columnLength = try reader.int32(type)
            case 8:
                // ENCRYPTION_WITH_FOOTER_KEY and ENCRYPTION_WITH_COLUMN_KEY alike.
                isEncrypted = true
                try reader.skip(type)
            default: try reader.skip(type)
            }
        }
        reader.leave()
        if let offset = places.offsetIndex, let length = places.offsetLength {
            offsetIndex = IndexLocation(offset: offset, length: length)
        }
        if let offset = places.columnIndex, let length = places.columnLength {
            columnIndex = IndexLocation(offset: offset, length: length)
        }
    }

    private mutating func readMetadata(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        try reader.enter(type)
        hasMetadata = true
        var id: Int16 = 0
        while let type = try reader.nextField(&id) {
            switch id {
            case 1:
                let number = try reader.int32(type)
                guard let known = PhysicalType(rawValue: number) else {
                    throw .corrupt("Parquet column chunk of unknown type \(number)")
                }
                physicalType = known
            case 2:
                let (count, element) = try reader.list(type)
                for _ in 0..<count { encodings.append(ParquetEncoding(rawValue: try reader.int32(element))) }
            case 3:
                let (count, element) = try reader.list(type)
                for _ in 0..<count { names.append(try reader.string(element)) }
            case 4: codec = ParquetCodec(rawValue: try reader.int32(type))
            case 5: valueCount = try reader.integer(type)
            case 6: uncompressedSize = try reader.integer(type)
            case 7: compressedSize = try reader.integer(type)
            case 9: dataPageOffset = try reader.integer(type)
            case 11: dictionaryPageOffset = try reader.integer(type)
            case 12: statistics = try ColumnStatistics(&reader, type)
            case 13:
                let (count, element) = try reader.list(type)
                for _ in 0..<count { pageCounts.append(try PageCount(&reader, element)) }
            default: try reader.skip(type)
            }
        }
        reader.leave()
    }
}

extension ColumnStatistics {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        try reader.enter(type)
        var id: Int16 = 0
        while let type = try reader.nextField(&id) {
            switch id {
            case 3: nullCount = try reader.integer(type)
            case 5: maximum = try reader.binary(type).bytes
            case 6: minimum = try reader.binary(type).bytes
            // 1 and 2 are maximum and minimum in an order that writers did not agree on.
            default: try reader.skip(type)
            }
        }
        reader.leave()
    }
}

extension PageCount {
    fileprivate init(_ reader: inout ThriftReader, _ type: ThriftType) throws(LanceError) {
        self.init(kind: 0, encoding: .plain, count: 0)
        try reader.enter(type)
        var id: Int16 = 0
        while let type = try reader.nextField(&id) {
            switch id {
            case 1: kind = try reader.int32(type)
            case 2: encoding = ParquetEncoding(rawValue: try reader.int32(type))
            case 3: count = try reader.int32(type)
            default: try reader.skip(type)
            }
        }
        reader.leave()
    }
}
