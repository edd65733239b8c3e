import LancerBytes
import LancerKernels

/// Finds the partition of rows, and what the index stores of them.
struct PartitionEncoder {
    let model: VectorIndexModel
    let control: BuildControl

    /// Adds the usable rows of a block to a store.
    ///
    /// - Returns: rows that were left out.
    func add(_ block: VectorBlock, to store: PartitionStore) throws -> Int {
        let prepared = try PreparedRows(
            block,
            model.element,
            dimension: model.dimension,
            metric: model.metric,
            control: control
        )
        let count = prepared.count
        let skipped = block.count - count
        if count == 0 { return skipped }
        let index = ScratchMemory<UInt32>(count: count, repeating: 0)
        let score = ScratchMemory<Float>(count: count, repeating: 0)
        PartitionAssignment.assign(
            prepared.rows,
            to: model.panels,
            index: index.pointer,
            score: score.pointer,
            control: control
        )
        let width = model.codeByteCount
        let codes = ScratchMemory<UInt8>(count: count * width, repeating: 0)
        switch model.kind.compression {
        case .flat: copyVectors(prepared, block, into: codes.pointer)
        case .scalar: model.scalar?.encode(prepared.rows, into: codes.pointer, control: control)
        case .product:
            if model.metric != .dot {
                // In place: each row is read before it is written.
                PartitionAssignment.residuals(
                    of: prepared.rows,
                    index: index.pointer,
                    centroids: model.centroids.pointer,
                    into: prepared.floats.pointer,
                    control: control
                )
            }
            model.product?.encode(prepared.rows, into: codes.pointer, rowStep: width, byteStep: 1, control: control)
        }
        let left = try store.add(
            count,
            partition: index.pointer,
            rowID: { block.rowIDs[prepared.places[$0]] },
            codes: codes.pointer
        )
        return skipped + left
    }

    /// Vectors as the column has them; for cosine of length one.
    private func copyVectors(_ prepared: PreparedRows, _ block: VectorBlock, into out: UnsafeMutablePointer<UInt8>) {
        let width = model.codeByteCount
        let dimension = model.dimension
        let group = 256
        block.values.withUnsafeBytes { values in
            guard let base = values.baseAddress else { return }
            control.parallel((prepared.count + group - 1) / group) { part in
                for r in part * group..<min(prepared.count, (part + 1) * group) {
                    let to = UnsafeMutableRawPointer(out + r * width)
                    let from = base + prepared.places[r] * width
                    if model.metric != .cosine {
                        to.copyMemory(from: from, byteCount: width)
                    } else if model.element == .float64 {
                        Self.unit(from, dimension, into: to)
                    } else {
                        model.element.narrow(prepared.floats.pointer + r * dimension, count: dimension, into: to)
                    }
                }
            }
        }
    }

    /// A vector of doubles at length one.
    private static func unit(_ from: UnsafeRawPointer, _ dimension: Int, into out: UnsafeMutableRawPointer) {
        var sum = 0.0
        for j in 0..<dimension {
            let value = from.loadUnaligned(fromByteOffset: 8 * j, as: Double.self)
            sum += value * value
        }
        let factor = 1 / sum.squareRoot()
        for j in 0..<dimension {
            let value = from.loadUnaligned(fromByteOffset: 8 * j, as: Double.self)
            out.storeBytes(of: value * factor, toByteOffset: 8 * j, as: Double.self)
        }
    }
}

/// Product codes row by row, or by sub-vector as files keep them.
enum CodeOrder {
    /// Turns `count` rows of `width` bytes, one after another, into columns.
    static func transposed(_ rows: UnsafeRawBufferPointer, count: Int, width: Int) -> ArrowBuffer {
        turned(rows, count: count, width: width)
    }

    /// The opposite.
    static func rowMajor(_ columns: UnsafeRawBufferPointer, count: Int, width: Int) -> ArrowBuffer {
        turned(columns, count: width, width: count)
    }

    private static func turned(_ from: UnsafeRawBufferPointer, count: Int, width: Int) -> ArrowBuffer {
        ArrowBuffer(count: count * width) { to in
            // Tiles, so that neither side runs out of the cache.
            let tile = 64
            for r0 in stride(from: 0, to: count, by: tile) {
                for c0 in stride(from: 0, to: width, by: tile) {
                    for r in r0..<min(count, r0 + tile) {
                        for c in c0..<min(width, c0 + tile) { to[c * count + r] = from[r * width + c] }
                    }
                }
            }
        }
    }
}
