import LancerBytes

/// The dictionaries met so far while Arrow IPC data is read.
///
/// A batch without the delta mark defines or replaces a dictionary, one with it appends to it. Arrays made before keep
/// the values they were made with.
/// Spec: Arrow columnar format, "Dictionary Messages".
struct IPCDictionaries {
    private let layouts: [Int64: IPCLayout]
    /// A dictionary and the deltas not joined to it yet.
    private var pieces: [Int64: [ArrowArray]] = [:]

    /// Starts without any dictionary.
    init(_ schema: IPCSchema) { layouts = schema.dictionaries }

    /// Takes a `DictionaryBatch` message.
    ///
    /// - Parameter mayReplace: Whether a dictionary may be defined twice, as in a stream.
    mutating func read(
        _ message: IPCMessage,
        body: ArrowBuffer,
        limits: DecodeLimits,
        mayReplace: Bool
    ) throws(LanceError) {
        let id = try message.header.number(0, absent: Int64(0))
        let isDelta = try message.header.flag(2)
        guard let layout = layouts[id] else { throw .corrupt("dictionary \(id) belongs to no column") }
        guard let batch = try message.header.table(1) else { throw .corrupt("dictionary \(id) has no values") }
        var reader = try IPCBatchReader(batch, body: body, limits: limits)
        let values = try reader.column(layout, dictionaries: &self)
        try values.validate()
        if isDelta {
            guard pieces[id] != nil else { throw .corrupt("a delta comes before dictionary \(id) itself") }
            pieces[id]?.append(values)
        } else {
            guard mayReplace || pieces[id] == nil else { throw .corrupt("dictionary \(id) is twice in a file") }
            pieces[id] = [values]
        }
    }

    /// The values of a dictionary; they may be missing while no index uses them.
    mutating func values(of id: Int64, type: ArrowType, isUsed: Bool) throws(LanceError) -> ArrowArray {
        guard let known = pieces[id], let first = known.first else {
            guard !isUsed else { throw .corrupt("dictionary \(id) is used before it is defined") }
            return .empty(type)
        }
        // The id may belong to another column whose values have this type up to names of nested fields.
        guard first.type == type else { throw .corrupt("dictionary \(id) is \(first.type), not \(type)") }
        if known.count == 1 { return first }
        let joined = try ArrowArray.concatenating(known)
        pieces[id] = [joined]
        return joined
    }
}
