import LancerArrow
import LancerBytes

/// Encodes rows of one leaf column as pages.
package struct PageEncoder: Sendable {
    /// The way to the leaf.
    package let path: LeafPath
    /// The leaf's name with its parents', for messages.
    package let name: String
    private let chooser: EncodingChooser
    private let isBlob: Bool
    private let format: PageFormat

    /// An encoder for the leaf at `path`.
    package init(path: LeafPath, name: String, hints: EncodingHints = EncodingHints(), format: PageFormat) {
        self.path = path
        self.name = name
        self.format = format
        isBlob = hints.isBlob
        chooser = EncodingChooser(format: format, hints: hints)
    }

    /// Encodes the rows of `arrays` (of the path's shape, in order) as one page; as more, cut between rows, when one
    /// page cannot hold them: a mini-block chunk has a 16-bit count of levels, an index type ends.
    ///
    /// - Throws: `unsupported` for values the format cannot store there, `corrupt` for arrays that are not valid.
    package func pages(_ arrays: [ArrowArray]) throws(LanceError) -> [EncodedPage] {
        let arrays = arrays.filter { $0.length > 0 }
        let rows = arrays.reduce(0) { $0 + $1.length }
        guard rows > 0 else { return [] }
        var parts = 2
        do {
            let (levels, leaves) = try levelsAndLeaves(arrays)
            if path.leafType == .structure([]) { return [try ConstantEncoder(format: format).emptyStructPage(levels)] }
            if isBlob {
                let places = try LeafValues.join(leaves, type: .fixedSizeBinary(16), validity: nil)
                if let places, let page = BlobEncoder.page(levels, places, format: format) { return [page] }
            } else if let values = try LeafValues.join(leaves, type: path.leafType, validity: levels.slotValidity()) {
                if let page = try chooser.page(levels, values, isSplittable: rows > 1) { return [page] }
            }
            // Parts of so many levels always fit.
            parts = Swift.max(parts, (levels.count + Int(UInt16.max) - 1) / Int(UInt16.max))
        } catch {
            throw error.located(part: "column \"\(name)\"")
        }
        guard rows > 1 else {
            throw LanceError(.unsupported, "column \"\(name)\": one row of it does not fit a page of this file version")
        }
        var pages: [EncodedPage] = []
        var rest = arrays
        var left = rows
        for part in (1...Swift.min(parts, rows)).reversed() {
            let (piece, others) = split(rest, at: left / part)
            pages += try self.pages(piece)
            rest = others
            left -= left / part
        }
        return pages
    }

    /// The levels of the rows and the leaf arrays with the values that have a slot.
    package func levelsAndLeaves(_ arrays: [ArrowArray]) throws(LanceError) -> (LeafLevels, [ArrowArray]) {
        var builder = LevelBuilder(path)
        for array in arrays { try builder.append(array) }
        return builder.finish()
    }

    private func split(_ arrays: [ArrowArray], at row: Int) -> ([ArrowArray], [ArrowArray]) {
        var left: [ArrowArray] = []
        var right: [ArrowArray] = []
        var begin = 0
        for array in arrays {
            let cut = Swift.min(Swift.max(row - begin, 0), array.length)
            if cut > 0 { left.append(array.slice(0..<cut)) }
            if cut < array.length { right.append(array.slice(cut..<array.length)) }
            begin += array.length
        }
        return (left, right)
    }
}
