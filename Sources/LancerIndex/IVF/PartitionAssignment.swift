import LancerKernels

/// Which partition each of many rows belongs to.
package enum PartitionAssignment {
    /// Assigns float32 rows, on all threads.
    ///
    /// - Parameters:
    ///   - index: gets the centroid's number for each row, or `CentroidPanels.none` for rows that are not finite.
    ///   - score: as in `CentroidPanels.assign`.
    package static func assign(
        _ rows: VectorRows,
        to panels: CentroidPanels,
        index: UnsafeMutablePointer<UInt32>,
        score: UnsafeMutablePointer<Float>,
        control: BuildControl = BuildControl()
    ) {
        let block = 1024
        control.parallel((rows.count + block - 1) / block) { part in
            let begin = part * block
            let slice = rows.slice(begin..<min(rows.count, begin + block))
            panels.assign(slice, index: index + begin, score: score + begin)
        }
    }

    /// Takes from each row its centroid; rows without one become zero.
    package static func residuals(
        of rows: VectorRows,
        index: UnsafePointer<UInt32>,
        centroids: UnsafePointer<Float>,
        into out: UnsafeMutablePointer<Float>,
        control: BuildControl = BuildControl()
    ) {
        let block = 256
        let dimension = rows.dimension
        control.parallel((rows.count + block - 1) / block) { part in
            for r in part * block..<min(rows.count, (part + 1) * block) {
                let to = out + r * dimension
                if index[r] == CentroidPanels.none {
                    for j in 0..<dimension { to[j] = 0 }
                } else {
                    let centroid = centroids + Int(index[r]) * dimension
                    let row = rows.row(r)
                    for j in 0..<dimension {
                        to[j] = row.loadUnaligned(fromByteOffset: 4 * j, as: Float.self) - centroid[j]
                    }
                }
            }
        }
    }
}
