import LancerBytes

extension ArrowArray {
    /// Checks that the buffers fit the type and the length, so that no later use of the array can go wrong.
    ///
    /// For arrays that come from outside: sizes of all buffers, order and range of offsets, UTF-8 of valid texts,
    /// dictionary indices, lengths of children and their validity. Values are not judged (a decimal may have more digits
    /// than its precision says, a time may lie outside the day).
    ///
    /// - Throws: `corrupt` naming the nested part, `limitExceeded` when types are nested too deeply.
    public func validate() throws(LanceError) { try validate(depth: 0, checksDictionaries: true) }

    /// The same, except that the values of dictionaries are known to be valid: many batches share one dictionary.
    package func validateExceptDictionaries() throws(LanceError) { try validate(depth: 0, checksDictionaries: false) }

    private func validate(depth: Int, checksDictionaries: Bool) throws(LanceError) {
        guard depth <= DecodeLimits.standard.schemaDepth else {
            throw .limitExceeded("types are nested more than \(DecodeLimits.standard.schemaDepth) deep")
        }
        guard length >= 0 else { throw .corrupt("an array has a length of \(length)") }
        if let validity {
            if case .null = type { throw .corrupt("an array of type null has a validity bitmap") }
            guard validity.count == length else {
                throw .corrupt("a validity bitmap of \(validity.count) bits belongs to \(length) values of \(type)")
            }
        }
        switch (storage, type) {
        case (.null, .null): break
        case (.boolean(let bits), .bool):
            guard bits.count == length else { throw .corrupt("\(bits.count) bits for \(length) booleans") }
        case (.variableWidth(_, let data), .utf8), (.variableWidth(_, let data), .largeUtf8):
            try checkOffsets(limit: data.count)
            try checkText(data)
        case (.variableWidth(_, let data), .binary), (.variableWidth(_, let data), .largeBinary):
            try checkOffsets(limit: data.count)
        case (.list(_, let child), .list(let item)), (.list(_, let child), .largeList(let item)):
            try checkOffsets(limit: child.length)
            try child.check(as: item, depth, checksDictionaries)
        case (.list(_, let child), .map(let entries, _)):
            try checkOffsets(limit: child.length)
            try child.check(as: entries, depth, checksDictionaries)
            try child.checkEntries(offsetRange())
        case (.fixedSizeList(let child), .fixedSizeList(let item, let size)):
            guard size >= 0 else { throw .corrupt("a fixed-size list of \(size) items") }
            guard child.length == (try length.multiplied(by: size, "items of \(type)")) else {
                throw .corrupt("\(length) values of \(type) have \(child.length) items")
            }
            try child.check(as: item, depth, checksDictionaries)
        case (.structure(let children), .structure(let fields)):
            guard children.count == fields.count else {
                throw .corrupt("a structure of \(fields.count) fields has \(children.count) children")
            }
            for (field, child) in zip(fields, children) {
                guard child.length == length else {
                    throw .corrupt("member \"\(field.name)\" has \(child.length) values, its structure \(length)")
                }
                try child.check(as: field, depth, checksDictionaries)
            }
        case (.dictionary(let indices, let values), .dictionary(let index, let value, _)):
            guard index.isInteger, let width = index.byteWidth else {
                throw .corrupt("a dictionary's index type is \(index)")
            }
            try checkSize(of: indices, width)
            guard checksDictionaries || values.type == value else { throw storageMismatch }
            if checksDictionaries { try values.check(as: ArrowField("values", value), depth, true) }
            try checkIndices(indices, width, count: values.length)
        case (.fixedWidth(let values), _):
            if case .dictionary = type { throw storageMismatch }
            guard let width = type.byteWidth, width >= 0 else { throw storageMismatch }
            try checkSize(of: values, width)
        default: throw storageMismatch
        }
    }

    private func check(as field: ArrowField, _ depth: Int, _ checksDictionaries: Bool) throws(LanceError) {
        guard type == field.type else {
            throw .corrupt("child \"\(field.name)\" is \(type), its field says \(field.type)")
        }
        do throws(LanceError) {
            try validate(depth: depth + 1, checksDictionaries: checksDictionaries)
        } catch {
            throw error.located(part: "\"\(field.name)\"")
        }
    }

    private func checkSize(of values: ArrowBuffer, _ width: Int) throws(LanceError) {
        let size = try length.multiplied(by: width, "bytes of \(type)")
        guard values.count == size else {
            throw .corrupt("\(length) values of \(type) need \(size) bytes, the buffer has \(values.count)")
        }
    }

    private func checkOffsets(limit: Int) throws(LanceError) {
        guard let offsets = offsetsBuffer, let width = type.offsetWidth else { throw storageMismatch }
        // Without values there need not be any offset.
        if length == 0 { return }
        let size = try length.adding(1, "offsets").multiplied(by: width, "bytes of the offsets")
        guard offsets.count == size else {
            throw .corrupt("offsets of \(length) values of \(type) need \(size) bytes, the buffer has \(offsets.count)")
        }
        let isOrdered = offsets.withUnsafeBytes { bytes in
            width == 4
                ? Self.isOrdered(bytes, length, Int32.self, limit: limit)
                : Self.isOrdered(bytes, length, Int64.self, limit: limit)
        }
        guard isOrdered else { throw .corrupt("offsets of \(type) go back or lie outside 0...\(limit)") }
    }

    private static func isOrdered<S: FixedWidthInteger & BitwiseCopyable>(
        _ offsets: UnsafeRawBufferPointer,
        _ length: Int,
        _ offsetType: S.Type,
        limit: Int
    ) -> Bool {
        var previous = offsets.loadUnaligned(as: S.self)
        guard previous >= 0 else { return false }
        var goesBack = false
        for index in 1...length {
            let offset = offsets.loadUnaligned(fromByteOffset: index &* MemoryLayout<S>.size, as: S.self)
            goesBack = goesBack || offset < previous
            previous = offset
        }
        return !goesBack && previous <= limit
    }

    /// Checks texts all at once: the whole is UTF-8 and no value starts within a character. Only when that fails are
    /// the values looked at one by one, since nothing is asked of the bytes under a null.
    package func checkText(_ data: ArrowBuffer) throws(LanceError) {
        guard length > 0, let offsets = offsetsBuffer else { return }
        let range = offsetRange()
        let isPlain = data.withUnsafeBytes { UTF8Validation.isASCII(UnsafeRawBufferPointer(rebasing: $0[range])) }
        if isPlain { return }
        let isWide = type.offsetWidth == 8
        let bad: Int? = data.withUnsafeBytes { bytes in
            offsets.withUnsafeBytes { offsets in
                if UTF8Validation.isValid(UnsafeRawBufferPointer(rebasing: bytes[range])) {
                    var splits = false
                    for index in 0..<length {
                        let start = offsets.offsetPair(at: index, isWide: isWide).start
                        if start < range.upperBound, UTF8Validation.isContinuation(bytes[start]) { splits = true }
                    }
                    if !splits { return nil }
                }
                return (0..<length).first { index in
                    if isNull(index) { return false }
                    let (start, end) = offsets.offsetPair(at: index, isWide: isWide)
                    return !UTF8Validation.isValid(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                }
            }
        }
        if let bad { throw .corrupt("text \(bad) of \(length) is not UTF-8") }
    }

    private func checkIndices(_ indices: ArrowBuffer, _ width: Int, count: Int) throws(LanceError) {
        let bad: Int? = indices.withUnsafeBytes { bytes in
            (0..<length).first { bytes.dictionaryIndex(at: $0, width: width) >= count && !isNull($0) }
        }
        if let bad { throw .corrupt("dictionary index \(bad) of \(length) is outside \(count) values") }
    }

    /// Checks the entries of a map: pairs, none of them null, keys not null.
    private func checkEntries(_ range: Range<Int>) throws(LanceError) {
        guard case .structure(let members) = storage, members.count == 2 else {
            throw .corrupt("a map's entries are not structures of two members but \(type)")
        }
        if range.isEmpty { return }
        guard slice(range).nullCount == 0, members[0].slice(range).nullCount == 0 else {
            throw .corrupt("a map has a null entry or key")
        }
    }
}
