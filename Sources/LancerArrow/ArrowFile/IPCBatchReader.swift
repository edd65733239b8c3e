import LancerBytes

/// Takes arrays out of the body of a `RecordBatch` message, column after column.
///
/// Nodes (length, null count) and buffers (offset, length) stand in the order of a pre-order walk over the fields.
/// Buffers are slices of the body where they are aligned for their values. Nothing here looks at values: the caller
/// has to ``ArrowArray/validate()`` what comes out before handing it on.
/// Spec: Arrow columnar format, "RecordBatch message".
struct IPCBatchReader {
    /// Number of rows.
    let length: Int
    private let nodes: FlatVector?
    private let variadicCounts: FlatVector?
    private var body: IPCBodyReader
    private var nodeIndex = 0
    private var variadicIndex = 0

    /// Starts with a `RecordBatch` table and its body.
    init(_ batch: FlatTable, body: ArrowBuffer, limits: DecodeLimits) throws(LanceError) {
        length = try Int(checked: batch.number(0, absent: Int64(0)), "the number of rows of an Arrow batch")
        guard length >= 0 else { throw .corrupt("an Arrow batch has \(length) rows") }
        nodes = try batch.vector(1, stride: 16)
        variadicCounts = try batch.vector(4, stride: 8)
        self.body = try IPCBodyReader(batch, body: body, limits: limits)
    }

    /// The next column; it must have as many values as the batch has rows.
    mutating func column(_ layout: IPCLayout, dictionaries: inout IPCDictionaries) throws(LanceError) -> ArrowArray {
        do throws(LanceError) {
            let array = try array(layout, dictionaries: &dictionaries)
            guard array.length == length else {
                throw LanceError.corrupt("\(array.length) values in a batch of \(length) rows")
            }
            return array
        } catch {
            throw error.located(part: "column \"\(layout.path)\"")
        }
    }

    private mutating func array(
        _ layout: IPCLayout,
        dictionaries: inout IPCDictionaries
    ) throws(LanceError) -> ArrowArray {
        let (length, nullCount) = try node(layout.type)
        if layout.type == .null { return ArrowArray(type: .null, length: length, storage: .null) }
        let validity = try validity(length: length, nullCount: nullCount)
        let storage: ArrowArray.Storage
        switch layout.shape {
        case .direct: storage = try direct(layout.type, length: length)
        case .view: storage = try views(layout.type, length: length, validity: validity)
        case .nested(let children):
            storage = try nested(layout.type, children, length: length, dictionaries: &dictionaries)
        case .dictionary(let id, let values):
            let indices = try fixedWidth(layout.type, length: length)
            let isUsed = length > 0 && !(validity.map { $0.setCount == 0 } ?? false)
            let dictionary = try dictionaries.values(of: id, type: values.type, isUsed: isUsed)
            storage = .dictionary(indices: indices, values: dictionary)
        }
        return ArrowArray(type: layout.type, length: length, validity: validity, storage: storage)
    }

    private mutating func node(_ type: ArrowType) throws(LanceError) -> (length: Int, nullCount: Int) {
        guard let nodes, nodeIndex < nodes.count else { throw .corrupt("the batch has too few nodes") }
        let length = try Int(checked: nodes.number(nodeIndex, at: 0, as: Int64.self), "a column's length")
        let nullCount = try Int(checked: nodes.number(nodeIndex, at: 8, as: Int64.self), "a column's null count")
        nodeIndex += 1
        guard length >= 0, nullCount <= length else {
            throw .corrupt("a column has \(length) values, \(nullCount) of them null")
        }
        guard !type.isWeightless || length <= IPCFormat.mostWeightlessValues else {
            throw .limitExceeded("\(length) values of type \(type), which take no bytes")
        }
        return (length, nullCount)
    }

    private mutating func validity(length: Int, nullCount: Int) throws(LanceError) -> Bitmap? {
        let buffer = try body.next()
        // A negative count means that the writer did not count.
        if nullCount == 0 || (nullCount < 0 && buffer.count == 0) { return nil }
        return try bits(buffer, length: length, "validity")
    }

    private func bits(_ buffer: ArrowBuffer, length: Int, _ what: String) throws(LanceError) -> Bitmap {
        let bytes = length / 8 + (length % 8 == 0 ? 0 : 1)
        return Bitmap(
            try buffer.checkedSlice(offset: 0, count: bytes, "the \(what) of \(length) values"),
            count: length
        )
    }

    private mutating func direct(_ type: ArrowType, length: Int) throws(LanceError) -> ArrowArray.Storage {
        switch type {
        case .bool: return .boolean(try bits(try body.next(), length: length, "booleans"))
        case .utf8, .largeUtf8, .binary, .largeBinary:
            let offsets = try offsets(type, length: length)
            return .variableWidth(offsets: offsets, data: try body.next())
        default: return .fixedWidth(try fixedWidth(type, length: length))
        }
    }

    private mutating func fixedWidth(_ type: ArrowType, length: Int) throws(LanceError) -> ArrowBuffer {
        let width = type.byteWidth ?? 0
        let size = try length.multiplied(by: width, "the size of \(length) values of type \(type)")
        let buffer = try body.next().checkedSlice(offset: 0, count: size, "\(length) values of type \(type)")
        return buffer.aligned(to: type.valueAlignment)
    }

    private mutating func offsets(_ type: ArrowType, length: Int) throws(LanceError) -> ArrowBuffer {
        let width = type.offsetWidth ?? 4
        let buffer = try body.next()
        // Old writers leave out the only offset of an empty array.
        if length == 0 && buffer.count < width { return ArrowBuffer(zeroed: width) }
        let size = try length.adding(1, "offsets").multiplied(by: width, "the size of \(length) offsets")
        return try buffer.checkedSlice(offset: 0, count: size, "the offsets of \(length) values").aligned(to: width)
    }

    private mutating func views(
        _ type: ArrowType,
        length: Int,
        validity: Bitmap?
    ) throws(LanceError) -> ArrowArray.Storage {
        guard let variadicCounts, variadicIndex < variadicCounts.count else {
            throw .corrupt("the batch does not say how many buffers its views have")
        }
        let count = try variadicCounts.number(variadicIndex, as: Int64.self)
        variadicIndex += 1
        let size = try length.multiplied(by: IPCViews.width, "the size of \(length) views")
        let views = try body.next().checkedSlice(offset: 0, count: size, "\(length) views")
        guard count >= 0, count <= body.remaining else {
            throw .corrupt("a column of views has \(count) buffers, the batch \(body.remaining) more")
        }
        var buffers: [ArrowBuffer] = []
        for _ in 0..<count { buffers.append(try body.next()) }
        return try IPCViews(views: views, buffers: buffers, validity: validity, limit: body.expansionLimit)
            .storage(type)
    }

    private mutating func nested(
        _ type: ArrowType,
        _ layouts: [IPCLayout],
        length: Int,
        dictionaries: inout IPCDictionaries
    ) throws(LanceError) -> ArrowArray.Storage {
        if case .structure = type {
            var children: [ArrowArray] = []
            for layout in layouts {
                children.append(try child(layout, atLeast: length, dictionaries: &dictionaries))
            }
            return .structure(children)
        }
        guard let layout = layouts.first else { throw .corrupt("a list without a child") }
        if case .fixedSizeList(_, let size) = type {
            let items = try length.multiplied(by: size, "the items of \(length) lists of \(size)")
            return .fixedSizeList(child: try child(layout, atLeast: items, dictionaries: &dictionaries))
        }
        let offsets = try offsets(type, length: length)
        return .list(offsets: offsets, child: try array(layout, dictionaries: &dictionaries))
    }

    /// A child of which the parent uses the first `length` values.
    private mutating func child(
        _ layout: IPCLayout,
        atLeast length: Int,
        dictionaries: inout IPCDictionaries
    ) throws(LanceError) -> ArrowArray {
        let child = try array(layout, dictionaries: &dictionaries)
        guard child.length >= length else {
            throw .corrupt("child \"\(layout.path)\" has \(child.length) values, its parent needs \(length)")
        }
        return child.slice(0..<length)
    }
}

extension ArrowType {
    /// Whether values of this type take no bytes themselves, so that a column's length is not bounded by its bytes.
    fileprivate var isWeightless: Bool {
        switch self {
        case .null, .fixedSizeBinary(0), .fixedSizeList(_, 0): true
        case .structure(let fields): fields.isEmpty
        default: false
        }
    }

    /// What a buffer of values has to be aligned to, in bytes.
    fileprivate var valueAlignment: Int {
        if case .fixedSizeBinary = self { return 1 }
        return Swift.min(byteWidth ?? 1, 16)
    }
}
