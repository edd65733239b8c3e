import LancerArrow
import LancerBytes
import LancerFile

/// Part of a nested column's children, read from one file.
struct ColumnPiece {
    /// The column without the children that are elsewhere.
    var field: LanceField
    var array: ArrowArray

    /// Puts a column together; children that no piece has are null.
    ///
    /// - Throws: `corrupt` when the pieces do not fit each other.
    static func join(_ pieces: [ColumnPiece], as field: LanceField, length: Int) throws(LanceError) -> ArrowArray {
        guard let first = pieces.first else { return ArrowArray.nulls(type: field.type, length: length) }
        if pieces.count == 1, first.field.children.count == field.children.count, first.field == field {
            return first.array
        }
        guard pieces.allSatisfy({ $0.array.length == length }) else {
            throw .corrupt("the parts of column \"\(field.name)\" have different lengths")
        }
        let storage: ArrowArray.Storage
        switch first.array.storage {
        case .structure: storage = .structure(try children(of: pieces, field, length))
        case .fixedSizeList(let child):
            storage = .fixedSizeList(child: try children(of: pieces, field, child.length)[0])
        case .list:
            let aligned = try pieces.map { (piece) throws(LanceError) in try piece.startingAtZero() }
            guard case .list(let offsets, let child) = aligned[0].array.storage else { return first.array }
            for piece in aligned.dropFirst() {
                guard case .list(let others, _) = piece.array.storage, others.bytes == offsets.bytes else {
                    throw .corrupt("the parts of column \"\(field.name)\" have lists of different lengths")
                }
            }
            storage = .list(offsets: offsets, child: try children(of: aligned, field, child.length)[0])
        default: return first.array
        }
        // All parts agree on what is null above their leaves.
        return ArrowArray(type: field.type, length: length, validity: first.array.validity, storage: storage)
    }

    private static func children(
        of pieces: [ColumnPiece],
        _ field: LanceField,
        _ length: Int
    ) throws(LanceError) -> [ArrowArray] {
        var results: [ArrowArray] = []
        for child in field.children {
            var found: [ColumnPiece] = []
            for piece in pieces {
                guard let index = piece.field.children.firstIndex(where: { $0.id == child.id }),
                    let array = piece.childArray(index)
                else { continue }
                found.append(ColumnPiece(field: piece.field.children[index], array: array))
            }
            results.append(try join(found, as: child, length: length))
        }
        return results
    }

    private func childArray(_ index: Int) -> ArrowArray? {
        switch array.storage {
        case .structure(let children): index < children.count ? children[index] : nil
        case .list(_, let child), .fixedSizeList(let child): index == 0 ? child : nil
        default: nil
        }
    }

    /// The piece with list offsets that start at zero and a child of just the values they cover.
    private func startingAtZero() throws(LanceError) -> ColumnPiece {
        guard case .list(let offsets, let child) = array.storage, array.length > 0 else { return self }
        let range = array.offsetRange()
        guard range.lowerBound >= 0, range.upperBound <= child.length else {
            throw .corrupt("list offsets \(range) of column \"\(field.name)\" leave their \(child.length) values")
        }
        if range.lowerBound == 0, range.upperBound == child.length, offsets.count == expectedOffsetBytes {
            return self
        }
        let width = array.type.offsetWidth ?? 4
        var builder = BufferBuilder(capacity: expectedOffsetBytes)
        for index in 0...array.length {
            let offset = offsets.offset(at: index, width: width) - range.lowerBound
            if width == 4 { builder.append(Int32(truncatingIfNeeded: offset)) } else { builder.append(Int64(offset)) }
        }
        let rebased = ArrowArray(
            type: array.type,
            length: array.length,
            validity: array.validity,
            storage: .list(offsets: builder.finish(), child: child.slice(range))
        )
        return ColumnPiece(field: field, array: rebased)
    }

    private var expectedOffsetBytes: Int { (array.length + 1) * (array.type.offsetWidth ?? 4) }
}
