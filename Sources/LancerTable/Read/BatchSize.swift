import LancerArrow
import LancerFile
import LancerStorage

/// How many rows make a batch of a good size.
enum BatchSize {
    /// Arrow memory of a batch, in bytes: large enough that the work on it outweighs handing it over, small enough that
    /// a few of them for every core fit anywhere.
    static let targetBytes = 4 << 20
    /// Below this, starting the work on a batch costs more than doing it on another core saves.
    private static let leastBytes = 1 << 20
    private static let maxRows = 1 << 20

    /// Rows of about ``targetBytes``. The widths of text and lists are guessed from the size of the data files.
    static func rows(for projection: Projection, of manifest: Manifest) -> Int {
        var fixed = 0.125
        var variableCount = 0.0
        for leaf in projection.fields.flatMap(\.leaves) {
            if let bytes = fixedBytes(leaf.type) { fixed += bytes } else { variableCount += 1 }
        }
        var width = fixed
        if variableCount > 0 {
            let allLeaves = manifest.schema.leaves
            let allFixed = allLeaves.reduce(0) { $0 + (fixedBytes($1.type) ?? 0) }
            let allVariable = Double(allLeaves.count { fixedBytes($0.type) == nil })
            // Text is stored in about half of its size in memory.
            let variable = 2 * (storedBytesPerRow(manifest) - allFixed / 2) / Swift.max(allVariable, 1)
            width += variableCount * Swift.max(variable, 16)
        }
        width = Swift.max(width, 0.125)
        // A table of a few batches is cut finer, so that every core gets some of it.
        let share = Double(manifest.liveRowCount ?? .max) * width / Double(4 * Machine.coreCount)
        let bytes = Swift.min(Double(targetBytes), Swift.max(share, Double(leastBytes)))
        let rows = Int(Swift.min(Double(maxRows), bytes / width))
        // Whole mini-block chunks and bytes of bitmaps where that is possible.
        return rows >= 1024 ? rows / 1024 * 1024 : Swift.max(rows, 1)
    }

    private static func fixedBytes(_ type: ArrowType) -> Double? {
        switch type {
        case .null: 0
        case .bool: 0.125
        case .fixedSizeList(let item, let size): fixedBytes(item.type).map { $0 * Double(size) }
        case .structure(let fields):
            fields.reduce(0) { sum, field in sum.flatMap { s in fixedBytes(field.type).map { s + $0 } } }
        default: type.byteWidth.map(Double.init)
        }
    }

    private static func storedBytesPerRow(_ manifest: Manifest) -> Double {
        var bytes = 0.0
        var rows = 0.0
        for fragment in manifest.fragments.prefix(64) {
            guard let count = fragment.physicalRowCount else { continue }
            rows += Double(count)
            bytes += fragment.files.reduce(0) { $0 + Double($1.sizeInBytes ?? 0) }
        }
        return rows > 0 ? bytes / rows : 0
    }
}
