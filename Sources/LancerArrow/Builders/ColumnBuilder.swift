import LancerBytes

/// Builds an array of any type, one value after the other.
///
/// Numbers go in through ``append(integer:)``, ``append(float:)`` or, without conversion, ``append(raw:)``; text and
/// binary through ``append(bytes:)``. A nested value is made by appending its parts to ``children`` and then calling
/// ``endValue()``. A dictionary's values are appended like plain values and are numbered as they first appear.
/// ``finish()`` hands out the array and leaves the builder empty, ready for the next batch.
public final class ColumnBuilder {
    enum Kind: UInt8 {
        case null, bool, fixed, variable, list, fixedList, structure, dictionary
    }

    /// The type of the array.
    public let type: ArrowType
    /// Number of values so far.
    @exclusivity(unchecked) public private(set) var length = 0
    /// Builders of the children: a list's items, a map's entries, a structure's members.
    public let children: [ColumnBuilder]

    let kind: Kind
    let number: Number
    /// Bytes of a fixed-width value, or of an offset.
    let width: Int
    /// Values of one fixed-size list.
    let listSize: Int
    private let maximumIndex: Int
    private let nullable: [Bool]
    /// How text becomes a value.
    let textForm: TextForm
    /// Builder of a dictionary's distinct values.
    let dictionaryValues: ColumnBuilder?

    // Every access is from one call of one method, so the dynamic checks would only cost time in the append loops.
    @exclusivity(unchecked) private var values = BufferBuilder()
    @exclusivity(unchecked) private var offsets = BufferBuilder()
    @exclusivity(unchecked) private var bits = BitmapBuilder()
    @exclusivity(unchecked) private var validity = BitmapBuilder()
    @exclusivity(unchecked) private var interner = ByteInterner()
    @exclusivity(unchecked) private var hasNulls = false

    /// An empty builder.
    public init(_ type: ArrowType) {
        self.type = type
        children = type.children.map { ColumnBuilder($0.type) }
        nullable = type.children.map(\.nullable)
        number = Number(type)
        var maximumIndex = 0
        var listSize = 0
        var dictionaryValues: ColumnBuilder?
        switch type {
        case .null: kind = .null
        case .bool: kind = .bool
        case .utf8, .largeUtf8, .binary, .largeBinary: kind = .variable
        case .list, .largeList, .map: kind = .list
        case .fixedSizeList(_, let size):
            kind = .fixedList
            listSize = size
        case .structure: kind = .structure
        case .dictionary(let index, let value, _):
            kind = .dictionary
            maximumIndex = Number(index).maximumIndex
            dictionaryValues = ColumnBuilder(value)
        default: kind = .fixed
        }
        width = type.offsetWidth ?? type.byteWidth ?? 0
        self.maximumIndex = maximumIndex
        self.listSize = listSize
        textForm = TextForm(dictionaryValues?.type ?? type)
        self.dictionaryValues = dictionaryValues
        appendOffset(0)
    }

    /// Makes room for `rows` more values (of fixed width, or their offsets).
    public func reserve(_ rows: Int) {
        switch kind {
        case .fixed, .dictionary: values.reserve(rows * width)
        case .variable, .list: offsets.reserve(rows * width)
        case .null, .bool, .fixedList, .structure: break
        }
    }

    // MARK: Nulls

    /// Appends a null; a fixed-size list or structure gets its parts as nulls too (defaults where a child's field is
    /// not nullable).
    public func appendNull() {
        appendParts()
        if kind == .null {
            length += 1
            return
        }
        if !hasNulls {
            hasNulls = true
            validity.append(true, repeated: length)
        }
        validity.append(false)
        length += 1
    }

    /// Appends nulls.
    public func appendNulls(_ count: Int) {
        for _ in 0..<count { appendNull() }
    }

    /// Appends a valid value that says nothing: zero, false, an empty text or list; what lies under a null parent.
    public func appendDefault() throws(LanceError) {
        if kind == .dictionary {
            guard let dictionaryValues else { return }
            if dictionaryValues.length == 0 {
                _ = try interned(UnsafeRawBufferPointer(start: nil, count: 0)) { () throws(LanceError) in
                    try dictionaryValues.appendDefault()
                }
            }
        }
        appendParts()
        markValid()
    }

    /// The memory of one value that is null or says nothing.
    private func appendParts() {
        switch kind {
        case .null: break
        case .bool: bits.append(false)
        case .fixed, .dictionary: values.append(0, repeated: width)
        case .variable: appendOffset(values.count)
        case .list: appendOffset(children[0].length)
        case .fixedList:
            for _ in 0..<listSize { children[0].appendHidden(nullable: nullable[0]) }
        case .structure:
            for (index, child) in children.enumerated() { child.appendHidden(nullable: nullable[index]) }
        }
    }

    /// Appends what lies under a null parent: a null, or a default when nulls are not allowed.
    private func appendHidden(nullable: Bool) {
        // A default fails only when a dictionary is full, and then it is not empty and nothing is added to it.
        if nullable || kind == .null { appendNull() } else { do { try appendDefault() } catch { appendNull() } }
    }

    @inline(__always)
    private func markValid() {
        if hasNulls { validity.append(true) }
        length &+= 1
    }

    // MARK: Values

    /// Appends a boolean.
    public func append(bool value: Bool) throws(LanceError) {
        if kind == .bool {
            bits.append(value)
            markValid()
        } else if let dictionaryValues {
            try withUnsafeBytes(of: value) { (key) throws(LanceError) in
                try appendInterned(key) { () throws(LanceError) in try dictionaryValues.append(bool: value) }
            }
        } else {
            throw mismatch("a boolean")
        }
    }

    /// Appends a value whose memory is that of the type: `Int32` to int32 or date32, `Double` to float64, 16 bits to
    /// float16 and so on. The sizes must agree.
    @inline(__always)
    public func append<T: BitwiseCopyable>(raw value: T) {
        precondition(kind == .fixed && MemoryLayout<T>.size == width, "value of another size than the column's")
        values.append(value)
        markValid()
    }

    /// Appends values whose memory is that of the type.
    public func append<T: BitwiseCopyable>(rawContentsOf buffer: UnsafeBufferPointer<T>) {
        precondition(kind == .fixed && MemoryLayout<T>.stride == width, "values of another size than the column's")
        values.append(UnsafeRawBufferPointer(buffer))
        if hasNulls { validity.append(true, repeated: buffer.count) }
        length += buffer.count
    }

    /// Appends an integer to an integer, temporal or float column.
    ///
    /// - Throws: `invalidArgument` when it does not fit, `schemaMismatch` when the column holds something else.
    @inline(__always)
    public func append<T: FixedWidthInteger & BitwiseCopyable>(integer value: T) throws(LanceError) {
        switch number {
        case .int64: try append(exactly: Int64(exactly: value), of: value)
        case .int32: try append(exactly: Int32(exactly: value), of: value)
        case .int16: try append(exactly: Int16(exactly: value), of: value)
        case .int8: try append(exactly: Int8(exactly: value), of: value)
        case .uint64: try append(exactly: UInt64(exactly: value), of: value)
        case .uint32: try append(exactly: UInt32(exactly: value), of: value)
        case .uint16: try append(exactly: UInt16(exactly: value), of: value)
        case .uint8: try append(exactly: UInt8(exactly: value), of: value)
        case .half, .float, .double: try append(float: Double(value))
        case .none, .decimal128, .decimal256:
            guard let dictionaryValues, dictionaryValues.number != .none else { throw mismatch("an integer") }
            guard UInt64(exactly: value) != nil || Int64(exactly: value) != nil else {
                throw .invalidArgument("\(value) does not fit \(type)")
            }
            let key = Int256(low: UInt64(truncatingIfNeeded: value), high: value < 0 ? .max : 0)
            try appendInterned(key) { () throws(LanceError) in
                try dictionaryValues.append(integer: value)
            }
        }
    }

    @inline(__always)
    private func append<T: BitwiseCopyable>(exactly value: T?, of original: some FixedWidthInteger) throws(LanceError) {
        guard let value else { throw .invalidArgument("\(original) does not fit \(type)") }
        values.append(value)
        markValid()
    }

    /// Appends a number to a float column, rounded to its width.
    ///
    /// - Throws: `schemaMismatch` when the column holds something else.
    public func append(float value: Double) throws(LanceError) {
        switch number {
        case .double: values.append(value)
        case .float: values.append(Float(value))
        case .half: values.append(HalfFloat.bits(value))
        default:
            guard let dictionaryValues, dictionaryValues.type.isFloat else { throw mismatch("a float") }
            try appendInterned(value.bitPattern) { () throws(LanceError) in try dictionaryValues.append(float: value) }
            return
        }
        markValid()
    }

    /// Appends the unscaled integer of a decimal.
    ///
    /// - Throws: `invalidArgument` when it does not fit, `schemaMismatch` when the column holds something else.
    public func append(decimal value: Int256) throws(LanceError) {
        switch number {
        case .decimal256: values.append(value)
        case .decimal128:
            guard value.fits128 else { throw .invalidArgument("\(value) does not fit \(type)") }
            values.append(value.word0)
            values.append(value.word1)
        default:
            guard let dictionaryValues else { throw mismatch("a decimal") }
            try appendInterned(value) { () throws(LanceError) in try dictionaryValues.append(decimal: value) }
            return
        }
        markValid()
    }

    /// Appends text (UTF-8, not checked here) or binary; for fixed-size binary the count must be the type's.
    ///
    /// - Throws: `limitExceeded` when 32-bit offsets overflow, `schemaMismatch` when the column holds something else.
    public func append(bytes: UnsafeRawBufferPointer) throws(LanceError) {
        switch kind {
        case .variable:
            if width == 4, values.count > Int(Int32.max) - bytes.count {
                throw .limitExceeded("a \(type) column cannot hold more than 2^31 - 1 bytes")
            }
            values.append(bytes)
            appendOffset(values.count)
            markValid()
        case .fixed:
            guard case .fixedSizeBinary(let size) = type else { throw mismatch("bytes") }
            guard bytes.count == size else { throw .invalidArgument("\(bytes.count) bytes do not fit \(type)") }
            values.append(bytes)
            markValid()
        case .dictionary:
            guard let dictionaryValues else { throw mismatch("bytes") }
            try appendInterned(bytes) { () throws(LanceError) in try dictionaryValues.append(bytes: bytes) }
        case .null, .bool, .list, .fixedList, .structure: throw mismatch("bytes")
        }
    }

    /// Appends text to a text or binary column.
    public func append(text: String) throws(LanceError) {
        var text = text
        var failure: LanceError?
        text.withUTF8 { utf8 in
            do throws(LanceError) { try append(bytes: UnsafeRawBufferPointer(utf8)) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Ends a list, map, fixed-size list or structure whose parts have been appended to ``children``.
    ///
    /// - Throws: `limitExceeded` when 32-bit offsets overflow, `schemaMismatch` when parts are missing or too many.
    public func endValue() throws(LanceError) {
        switch kind {
        case .list:
            let end = children[0].length
            if width == 4, end > Int(Int32.max) { throw .limitExceeded("\(type) cannot hold more than 2^31 - 1 items") }
            appendOffset(end)
        case .fixedList:
            guard children[0].length == (length + 1) * listSize else {
                throw .schemaMismatch(
                    "a \(type) value got \(children[0].length - length * listSize) items instead of \(listSize)"
                )
            }
        case .structure:
            guard children.allSatisfy({ $0.length == length + 1 }) else {
                throw .schemaMismatch("a \(type) value did not get one value of each member")
            }
        case .null, .bool, .fixed, .variable, .dictionary: throw mismatch("a nested value")
        }
        markValid()
    }

    @inline(__always)
    private func appendOffset(_ offset: Int) {
        guard kind == .variable || kind == .list else { return }
        if width == 4 { offsets.append(Int32(truncatingIfNeeded: offset)) } else { offsets.append(Int64(offset)) }
    }

    @inline(never)
    private func mismatch(_ what: String) -> LanceError { .schemaMismatch("\(what) cannot be appended to \(type)") }

    // MARK: Dictionaries

    private func appendInterned(
        _ key: some BitwiseCopyable,
        _ appendNew: () throws(LanceError) -> Void
    ) throws(LanceError) {
        try withUnsafeBytes(of: key) { (bytes) throws(LanceError) in try appendInterned(bytes, appendNew) }
    }

    private func appendInterned(
        _ key: UnsafeRawBufferPointer,
        _ appendNew: () throws(LanceError) -> Void
    ) throws(LanceError) {
        appendIndex(try interned(key, appendNew))
    }

    private func interned(
        _ key: UnsafeRawBufferPointer,
        _ appendNew: () throws(LanceError) -> Void
    ) throws(LanceError) -> Int {
        if let known = interner.index(of: key) { return known }
        guard interner.count <= maximumIndex else {
            throw .limitExceeded("\(type) has too many distinct values for its index")
        }
        // Appended before it is interned, so that a refused value leaves the interner and the values in step.
        try appendNew()
        return interner.intern(key)
    }

    private func appendIndex(_ index: Int) {
        switch width {
        case 1: values.append(UInt8(truncatingIfNeeded: index))
        case 2: values.append(UInt16(truncatingIfNeeded: index))
        case 4: values.append(UInt32(truncatingIfNeeded: index))
        default: values.append(UInt64(truncatingIfNeeded: index))
        }
        markValid()
    }

    // MARK: The result

    /// The array; the builder is empty again afterwards.
    public func finish() -> ArrowArray {
        let count = length
        let validBits = hasNulls ? take(&validity).finish() : nil
        let storage: ArrowArray.Storage
        switch kind {
        case .null: storage = .null
        case .bool: storage = .boolean(take(&bits).finish())
        case .fixed: storage = .fixedWidth(take(&values).finish())
        case .variable: storage = .variableWidth(offsets: take(&offsets).finish(), data: take(&values).finish())
        case .list: storage = .list(offsets: take(&offsets).finish(), child: children[0].finish())
        case .fixedList: storage = .fixedSizeList(child: children[0].finish())
        case .structure: storage = .structure(children.map { $0.finish() })
        case .dictionary:
            interner = ByteInterner()
            let distinct = dictionaryValues?.finish() ?? ArrowArray(type: .null, length: 0, storage: .null)
            storage = .dictionary(indices: take(&values).finish(), values: distinct)
        }
        length = 0
        hasNulls = false
        appendOffset(0)
        return ArrowArray(type: type, length: count, validity: validBits, storage: storage)
    }

    private func take(_ builder: inout BufferBuilder) -> BufferBuilder {
        var taken = BufferBuilder()
        swap(&taken, &builder)
        return taken
    }

    private func take(_ builder: inout BitmapBuilder) -> BitmapBuilder {
        var taken = BitmapBuilder()
        swap(&taken, &builder)
        return taken
    }
}
