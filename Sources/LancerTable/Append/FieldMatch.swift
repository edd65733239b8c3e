import LancerArrow
import LancerBytes
import LancerFile

/// Where the values of a table's field are in what is given.
struct FieldMatch: Sendable {
    /// Position of the field among those given at its level.
    let position: Int
    /// The table's field, without the struct fields that are not given.
    let field: LanceField
    /// For each child of ``field``; empty when the values can be taken as they are.
    private let children: [FieldMatch]

    /// - Throws: `schemaMismatch` naming what does not fit.
    init(_ given: LanceField, as field: LanceField, position: Int, path: String) throws(LanceError) {
        self.position = position
        if field.isBlobV2 {
            throw .unsupported(
                "column \"\(path)\" holds blobs in the second form (lance.blob.v2), which is not written"
            )
        }
        guard given.logicalType == field.logicalType else {
            throw .schemaMismatch("column \"\(path)\" is \(field.type) in the table, \(given.type) in the data")
        }
        guard case .structure = field.type else {
            guard given.children.count == field.children.count else {
                throw .schemaMismatch("column \"\(path)\" is \(field.type) in the table, \(given.type) in the data")
            }
            var children: [FieldMatch] = []
            // The names of list items say nothing.
            for (index, (one, child)) in zip(given.children, field.children).enumerated() {
                let name = "\(path).\(child.name)"
                try Self.checkNulls(one, child, name)
                children.append(try FieldMatch(one, as: child, position: index, path: name))
            }
            let isWhole = children.allSatisfy(\.isWhole)
            if case .map = field.type, !isWhole {
                throw .schemaMismatch("the entries of map \"\(path)\" differ from the table's")
            }
            let kept = children.map(\.field)
            self.field = kept == field.children ? field : try field.withChildren(kept)
            self.children = isWhole ? [] : children
            return
        }
        var children: [FieldMatch] = []
        for child in field.children {
            let name = "\(path).\(child.name)"
            guard let index = given.children.firstIndex(where: { $0.name == child.name }) else {
                guard child.nullable, !field.isPackedStruct else {
                    throw .schemaMismatch("\"\(name)\" of the table is missing in the data")
                }
                continue
            }
            try Self.checkNulls(given.children[index], child, name)
            children.append(try FieldMatch(given.children[index], as: child, position: index, path: name))
        }
        let known = Set(field.children.map(\.name))
        if let extra = given.children.first(where: { !known.contains($0.name) }) {
            throw .schemaMismatch("\"\(path).\(extra.name)\" of the data is not in the table")
        }
        guard !children.isEmpty || field.children.isEmpty else {
            throw .schemaMismatch("\"\(path)\" of the data has none of the table's fields")
        }
        let inOrder = children.enumerated().allSatisfy { $0.offset == $0.element.position && $0.element.isWhole }
        let isWhole = inOrder && children.count == field.children.count
        let kept = children.map(\.field)
        self.field = kept == field.children ? field : try field.withChildren(kept)
        self.children = isWhole ? [] : children
    }

    private static func checkNulls(_ given: LanceField, _ field: LanceField, _ path: String) throws(LanceError) {
        guard given.nullable, !field.nullable else { return }
        throw .schemaMismatch("\"\(path)\" must not be null in the table, the data allows nulls")
    }

    /// Whether the values can be taken as they are.
    private var isWhole: Bool { children.isEmpty }

    /// The values as the table wants them.
    ///
    /// - Throws: `schemaMismatch` for an array of another type than was said.
    func arrange(_ array: ArrowArray) throws(LanceError) -> ArrowArray {
        if isWhole { return array }
        let storage: ArrowArray.Storage
        switch array.storage {
        case .structure(let given):
            var arrays: [ArrowArray] = []
            for child in children {
                guard child.position < given.count else { throw mismatch(array) }
                arrays.append(try child.arrange(given[child.position]))
            }
            storage = .structure(arrays)
        case .list(let offsets, let child) where children.count == 1:
            storage = .list(offsets: offsets, child: try children[0].arrange(child))
        case .fixedSizeList(let child) where children.count == 1:
            storage = .fixedSizeList(child: try children[0].arrange(child))
        default: throw mismatch(array)
        }
        return ArrowArray(type: field.type, length: array.length, validity: array.validity, storage: storage)
    }

    private func mismatch(_ array: ArrowArray) -> LanceError {
        .schemaMismatch("column \"\(field.name)\" came as \(array.type)")
    }
}
