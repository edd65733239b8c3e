import LancerArrow
import LancerBytes
import LancerEncoding

extension LanceField {
    /// Builds the field's array from its decoded leaves, taking them off the front of `leaves`.
    func assemble(_ leaves: inout ArraySlice<DecodedLeaf>, rowCount: Int) throws(LanceError) -> ArrowArray {
        if rowCount == 0 {
            leaves = leaves.dropFirst(self.leaves.count)
            return ArrowArray.empty(type)
        }
        let (array, unraveler) = try build(&leaves)
        guard array.length == rowCount, unraveler.isDone else {
            throw .corrupt("column \"\(name)\" decodes to \(array.length) of \(rowCount) rows")
        }
        return array
    }

    private func build(_ leaves: inout ArraySlice<DecodedLeaf>) throws(LanceError) -> (ArrowArray, LevelUnraveler) {
        if isLeaf { return try buildLeaf(&leaves) }
        switch type {
        case .structure:
            var arrays: [ArrowArray] = []
            var outer: LevelUnraveler?
            for child in children {
                let (array, unraveler) = try child.build(&leaves)
                arrays.append(array)
                // All children carry the levels of the struct; one of them is enough.
                if outer == nil { outer = unraveler }
            }
            guard var outer, let length = arrays.first?.length, arrays.allSatisfy({ $0.length == length }) else {
                throw .corrupt("children of struct \"\(name)\" have different lengths: \(arrays.map(\.length))")
            }
            let validity = try outer.itemValidity(count: length)
            return (ArrowArray(type: type, length: length, validity: validity, storage: .structure(arrays)), outer)
        case .list, .largeList, .map:
            var (child, unraveler) = try onlyChild().build(&leaves)
            let lists = try unraveler.listOffsets(width: type.offsetWidth ?? 4, childCount: child.length)
            if case .map = type { child = child.replacingValidity(nil) }
            let storage = ArrowArray.Storage.list(offsets: lists.offsets, child: child)
            return (ArrowArray(type: type, length: lists.count, validity: lists.validity, storage: storage), unraveler)
        case .fixedSizeList(_, let dimension):
            var (child, unraveler) = try onlyChild().build(&leaves)
            let lists = try unraveler.fixedSizeListValidity(dimension: dimension, childCount: child.length)
            let storage = ArrowArray.Storage.fixedSizeList(child: child)
            return (ArrowArray(type: type, length: lists.count, validity: lists.validity, storage: storage), unraveler)
        default:
            throw .corrupt("field \"\(name)\" of type \(type) has children")
        }
    }

    private func onlyChild() throws(LanceError) -> LanceField {
        guard children.count == 1 else { throw .corrupt("field \"\(name)\" has \(children.count) children") }
        return children[0]
    }

    private func buildLeaf(_ leaves: inout ArraySlice<DecodedLeaf>) throws(LanceError) -> (ArrowArray, LevelUnraveler) {
        guard let leaf = leaves.popFirst() else { throw .corrupt("field \"\(name)\" was not read") }
        let values = try leaf.array()
        guard var unraveler = leaf.unraveler() else { throw .corrupt("column \"\(name)\" has rows but no pages") }
        let validity = try unraveler.itemValidity(count: values.length)
        if case .null = type { return (values, unraveler) }
        let array = values.replacingValidity(validity)
        try array.checkTexts()
        return (array, unraveler)
    }
}

extension ArrowArray {
    /// Checks that texts of a leaf column are UTF-8: a damaged page must not become text that no consumer expects.
    fileprivate func checkTexts() throws(LanceError) {
        switch (type, storage) {
        case (.utf8, .variableWidth(_, let data)), (.largeUtf8, .variableWidth(_, let data)): try checkText(data)
        case (.dictionary, .dictionary(_, let values)): try values.checkTexts()
        case (.structure, .structure(let children)):
            for child in children { try child.checkTexts() }
        default: break
        }
    }
}
