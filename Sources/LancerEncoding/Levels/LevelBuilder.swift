import LancerArrow
import LancerBytes

/// Turns nested Arrow arrays into levels and the values that have a slot.
///
/// Works from the outside in. While it does, the definition level of an entry is a raw code, `2 * layer + 1` for null and
/// `2 * layer + 2` for empty (layers counted from the innermost): which numbers the layers get is known only when the
/// whole page has been seen, because a layer without nulls in the page takes none.
///
/// Arrays may be appended in pieces. Content behind null lists is dropped, offsets may start anywhere, and slots masked
/// by null structs stay. Spec: 02-levels.md, "Making levels".
package struct LevelBuilder {
    private let path: LeafPath
    /// Kind of each layer, outermost first.
    private let isList: [Bool]
    private var repetition: [UInt16] = []
    private var codes: [UInt16] = []
    private var hasCodes = false
    private var used: [Bool]
    private var count = 0
    private var visibleCount = 0
    private var rowCount = 0
    private var pieces: [ArrowArray] = []

    /// A builder for the arrays of `path`.
    package init(_ path: LeafPath) {
        self.path = path
        isList = path.steps.map { $0 == .list } + [false]
        used = Array(repeating: false, count: 2 * isList.count + 1)
    }

    /// Adds the rows of `array`, which must have the shape of the path (see ``LeafPath/pruned(_:)``).
    ///
    /// - Throws: `schemaMismatch` when the shape differs, `corrupt` when list offsets run backwards or out of the child.
    package mutating func append(_ array: ArrowArray) throws(LanceError) {
        var entries = LevelEntries(count: array.length)
        var current = array
        let listLayers = isList.count { $0 }
        var depth = listLayers
        for (position, step) in path.steps.enumerated() {
            let layer = isList.count - 1 - position
            switch (step, current.storage) {
            case (.structure, .structure(let children)) where children.count == 1:
                markNulls(of: current.validity, layer: layer, in: &entries)
                current = children[0]
            case (.list, .list(let offsets, let child)):
                var lists = ListExpansion(layer: layer, depth: depth, lists: listLayers, childLength: child.length)
                try lists.run(&entries, current, offsets)
                if lists.hasNull { used[Int(lists.nullCode)] = true }
                if lists.hasEmpty { used[Int(lists.emptyCode)] = true }
                depth -= 1
                current = try child.keeping(lists.ranges)
            case (.fixedSizeList(let dimension), .fixedSizeList(let child)):
                guard entries.repetition == nil else {
                    throw .unsupported("a fixed-size list of structs inside a list")
                }
                markNulls(of: current.validity, layer: layer, in: &entries)
                entries.repeatEach(dimension)
                current = child
            default: throw .schemaMismatch("an array of type \(array.type) does not fit its column")
            }
        }
        let validity = current.logicalValidity()
        if case .null = current.storage {
            markNulls(of: Bitmap(repeating: false, count: current.length), layer: 0, in: &entries)
        } else {
            markNulls(of: validity, layer: 0, in: &entries)
        }
        take(entries, rows: array.length, hasLists: listLayers > 0, leaf: current)
    }

    private mutating func markNulls(of validity: Bitmap?, layer: Int, in entries: inout LevelEntries) {
        let code = 2 * layer + 1
        if entries.markNulls(of: validity, as: UInt16(code)) { used[code] = true }
    }

    private mutating func take(_ entries: LevelEntries, rows: Int, hasLists: Bool, leaf: ArrowArray) {
        if let new = entries.codes {
            if !hasCodes {
                hasCodes = true
                codes = [UInt16](repeating: 0, count: count)
            }
            if codes.isEmpty { codes = new } else { codes.append(contentsOf: new) }
        } else if hasCodes {
            codes.append(contentsOf: repeatElement(0, count: entries.count))
        }
        if hasLists, let new = entries.repetition {
            if repetition.isEmpty { repetition = new } else { repetition.append(contentsOf: new) }
        }
        count += entries.count
        visibleCount += leaf.length
        rowCount += rows
        if leaf.length > 0 || pieces.isEmpty { pieces.append(leaf) }
    }

    /// Gives nullable structs around a list, and all lists below, a level for null in every page.
    ///
    /// The reference's reader miscounts when such a struct is nullable in one page and not in the next, or hides lists
    /// of a layer that is not nullable (it fails on its own files then). A level that no entry has costs next to
    /// nothing.
    private mutating func markStructsAroundLists() {
        var insideNullable = false
        for (position, step) in path.steps.enumerated() {
            let code = 2 * (isList.count - 1 - position) + 1
            switch step {
            case .structure(_, let isNullable):
                guard isNullable, path.steps[position...].contains(.list) else { continue }
                used[code] = true
                insideNullable = true
            case .list:
                if insideNullable { used[code] = true }
            case .fixedSizeList: break
            }
        }
    }

    /// Gives the fields of a struct that has nulls a level for null.
    ///
    /// Readers that look at such a field alone, as the filters of the reference do, then find nulls where the struct is
    /// null, and not the values that hide there.
    private mutating func markFieldsOfNullStructs() {
        var isInside = false
        for (position, step) in path.steps.enumerated() {
            let code = 2 * (isList.count - 1 - position) + 1
            switch step {
            case .structure:
                if isInside { used[code] = true }
                isInside = used[code]
            case .list, .fixedSizeList: isInside = false
            }
        }
        if isInside { used[1] = true }
    }

    /// The levels of everything appended, and the values that have a slot, piece by piece.
    package consuming func finish() -> (levels: LeafLevels, values: [ArrowArray]) {
        markStructsAroundLists()
        markFieldsOfNullStructs()
        var layers: [RepDefLayer] = []
        var numbers = [UInt16](repeating: 0, count: used.count)
        var next: UInt16 = 1
        for layer in 0..<isList.count {
            let isNull = used[2 * layer + 1]
            let isEmpty = used[2 * layer + 2 < used.count ? 2 * layer + 2 : 0]
            for (flag, code) in [(isNull, 2 * layer + 1), (isEmpty, 2 * layer + 2)] where flag {
                numbers[code] = next
                next += 1
            }
            if isList[isList.count - 1 - layer] {
                switch (isNull, isEmpty) {
                case (false, false): layers.append(.allValidList)
                case (true, false): layers.append(.nullableList)
                case (false, true): layers.append(.emptyableList)
                case (true, true): layers.append(.nullAndEmptyList)
                }
            } else {
                layers.append(isNull ? .nullableItem : .allValidItem)
            }
        }
        var definition: [UInt16]?
        if next > 1 {
            if !hasCodes { codes = [UInt16](repeating: 0, count: count) }
            if !numbers.indices.allSatisfy({ numbers[$0] == 0 || Int(numbers[$0]) == $0 }) {
                numbers.withUnsafeBufferPointer { numbers in
                    codes.withUnsafeMutableBufferPointer { codes in
                        for index in codes.indices { codes[index] = numbers[Int(codes[index])] }
                    }
                }
            }
            definition = codes
        }
        let levels = LeafLevels(
            layers: layers,
            repetition: path.hasLists ? repetition : nil,
            definition: definition,
            count: count,
            visibleCount: visibleCount,
            rowCount: rowCount
        )
        return (levels, pieces)
    }
}
