import LancerBytes

/// Turns the `Type` union of a `Field` into an ``ArrowType``.
///
/// Spec: Schema.fbs.
struct IPCTypeReader {
    let path: String
    let details: FlatTable?
    let children: [ArrowField]
    var largeViews = false
    /// See ``IPCReadOptions``.
    var substitutes = false

    /// The type with the union's number `id`.
    ///
    /// - Throws: `unsupported` for a type Lancer has not, `corrupt` for one that does not exist.
    func type(_ id: UInt8) throws(LanceError) -> ArrowType {
        switch id {
        case IPCFormat.TypeID.null: return .null
        case IPCFormat.TypeID.bool: return .bool
        case IPCFormat.TypeID.utf8: return .utf8
        case IPCFormat.TypeID.largeUtf8: return .largeUtf8
        case IPCFormat.TypeID.binary: return .binary
        case IPCFormat.TypeID.largeBinary: return .largeBinary
        case IPCFormat.TypeID.utf8View: return largeViews ? .largeUtf8 : .utf8
        case IPCFormat.TypeID.binaryView: return largeViews ? .largeBinary : .binary
        case IPCFormat.TypeID.int: return try integer()
        case IPCFormat.TypeID.floatingPoint: return try floatingPoint()
        case IPCFormat.TypeID.decimal: return try decimal()
        case IPCFormat.TypeID.date: return try number(0, absent: Int16(1)) == 0 ? .date32 : .date64
        case IPCFormat.TypeID.time: return try time()
        case IPCFormat.TypeID.timestamp:
            let zone = try details?.text(1)
            return .timestamp(try unit(absent: 0), timezone: zone == "" ? nil : zone)
        case IPCFormat.TypeID.duration: return .duration(try unit(absent: 1))
        case IPCFormat.TypeID.fixedSizeBinary:
            let size = try number(0, absent: Int32(0))
            guard size >= 0 else { throw broken("fixed_size_binary[\(size)]") }
            return .fixedSizeBinary(Int(size))
        default: return try nested(id)
        }
    }

    private func nested(_ id: UInt8) throws(LanceError) -> ArrowType {
        if substitutes, let type = try substitute(id) { return type }
        switch id {
        case IPCFormat.TypeID.list: return .list(try onlyChild())
        case IPCFormat.TypeID.largeList: return .largeList(try onlyChild())
        case IPCFormat.TypeID.fixedSizeList:
            let size = try number(0, absent: Int32(0))
            guard size >= 0 else { throw broken("fixed_size_list of \(size) values") }
            return .fixedSizeList(try onlyChild(), Int(size))
        case IPCFormat.TypeID.structure: return .structure(children)
        case IPCFormat.TypeID.map:
            let entries = try onlyChild()
            guard case .structure(let fields) = entries.type, fields.count == 2 else {
                throw broken("map with entries of type \(entries.type)")
            }
            return .map(entries, keysSorted: try details?.flag(0) ?? false)
        case IPCFormat.TypeID.interval: throw unsupported("interval")
        case IPCFormat.TypeID.union: throw unsupported("union")
        case IPCFormat.TypeID.runEndEncoded: throw unsupported("run_end_encoded")
        case IPCFormat.TypeID.listView: throw unsupported("list_view")
        case IPCFormat.TypeID.largeListView: throw unsupported("large_list_view")
        default: throw unsupported("number \(id)")
        }
    }

    /// The nearest type to one that Lancer has not; nil when it has it.
    private func substitute(_ id: UInt8) throws(LanceError) -> ArrowType? {
        switch id {
        case IPCFormat.TypeID.listView: return .list(try onlyChild())
        case IPCFormat.TypeID.largeListView: return .largeList(try onlyChild())
        case IPCFormat.TypeID.runEndEncoded where children.count == 2: return children[1].type
        case IPCFormat.TypeID.list, IPCFormat.TypeID.largeList, IPCFormat.TypeID.fixedSizeList,
            IPCFormat.TypeID.structure, IPCFormat.TypeID.map:
            return nil
        default: return .null
        }
    }

    private func number<T: FixedWidthInteger & BitwiseCopyable>(_ slot: Int, absent: T) throws(LanceError) -> T {
        try details?.number(slot, absent: absent) ?? absent
    }

    private func integer() throws(LanceError) -> ArrowType {
        let width = try number(0, absent: Int32(0))
        let signed = try details?.flag(1) ?? false
        switch (width, signed) {
        case (8, true): return .int8
        case (16, true): return .int16
        case (32, true): return .int32
        case (64, true): return .int64
        case (8, false): return .uint8
        case (16, false): return .uint16
        case (32, false): return .uint32
        case (64, false): return .uint64
        default: throw .unsupported("an integer type of \(width) bits")
        }
    }

    private func floatingPoint() throws(LanceError) -> ArrowType {
        let precision = try number(0, absent: Int16(0))
        switch precision {
        case 0: return .float16
        case 1: return .float32
        case 2: return .float64
        default: throw broken("floating point number of precision \(precision)")
        }
    }

    private func decimal() throws(LanceError) -> ArrowType {
        let precision = try number(0, absent: Int32(0))
        let scale = try number(1, absent: Int32(0))
        let width = try number(2, absent: Int32(128))
        switch width {
        case 32 where substitutes, 64 where substitutes:
            return .decimal128(precision: Int(min(max(precision, 1), 38)), scale: Int(scale))
        case 32, 64: throw unsupported("decimal\(width)(\(precision), \(scale))")
        case 128 where (1...38).contains(precision):
            return .decimal128(precision: Int(precision), scale: Int(scale))
        case 256 where (1...76).contains(precision):
            return .decimal256(precision: Int(precision), scale: Int(scale))
        default: throw broken("decimal\(width)(\(precision), \(scale))")
        }
    }

    private func time() throws(LanceError) -> ArrowType {
        let unit = try unit(absent: 1)
        let width = try number(1, absent: Int32(32))
        switch (width, unit) {
        case (32, .second), (32, .millisecond): return .time32(unit)
        case (64, .microsecond), (64, .nanosecond): return .time64(unit)
        default: throw broken("time of \(width) bits in \(unit.rawValue)")
        }
    }

    private func unit(absent: Int16) throws(LanceError) -> TimeUnit {
        let number = try number(0, absent: absent)
        guard let unit = TimeUnit.numbered(number) else { throw broken("time in unit number \(number)") }
        return unit
    }

    private func onlyChild() throws(LanceError) -> ArrowField {
        guard children.count == 1, let child = children.first else {
            throw broken("list or map with \(children.count) children")
        }
        return child
    }

    private func broken(_ what: String) -> LanceError { .corrupt("column \"\(path)\" is a \(what)") }

    private func unsupported(_ what: String) -> LanceError {
        .unsupported("column \"\(path)\" has the Arrow type \(what), which Lancer does not have")
    }
}

extension TimeUnit {
    /// The unit with a number of Schema.fbs.
    static func numbered(_ number: Int16) -> TimeUnit? {
        let all: [TimeUnit] = [.second, .millisecond, .microsecond, .nanosecond]
        return all.indices.contains(Int(number)) ? all[Int(number)] : nil
    }

    /// The unit's number in Schema.fbs.
    var number: Int16 {
        switch self {
        case .second: 0
        case .millisecond: 1
        case .microsecond: 2
        case .nanosecond: 3
        }
    }
}
