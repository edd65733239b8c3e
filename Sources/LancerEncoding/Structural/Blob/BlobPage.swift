import LancerArrow
import LancerBytes

/// A blob page ready to be read: positions and sizes of values that lie elsewhere in the file.
///
/// An inner mini-block page holds one (position, size) pair for each entry. Size 0 at position 0 is an empty value; size
/// 0 elsewhere is a null whose levels are in the position: `rep | def << 16`. Spec: 06-blob.md, "Blob layout".
package final class BlobPage: PreparedPage {
    private let inner: MiniBlockPage
    /// Layers of the blob column itself.
    package let blobLayers: [RepDefLayer]

    /// Layers of the pairs, which are never null.
    package var layers: [RepDefLayer] { inner.layers }
    package var sizeInBytes: Int { inner.sizeInBytes }

    /// The type of the pairs.
    package static let pairType = ArrowType.structure([
        ArrowField("position", .uint64, nullable: false), ArrowField("size", .uint64, nullable: false),
    ])

    package init(
        inner: MiniBlockLayout,
        layers: [RepDefLayer],
        shape: PageShape,
        buffers: [ArrowBuffer]
    ) throws(LanceError) {
        guard layers.maxRepetition == 0 else { throw .unsupported("lists of blobs") }
        blobLayers = layers
        self.inner = try MiniBlockPage(
            layout: inner,
            shape: shape,
            type: Self.pairType,
            buffers: buffers,
            dictionaryID: 0
        )
    }

    package func plan(
        _ rows: ArraySlice<Range<Int>>,
        index: PageData,
        into plan: inout [PageRange]
    ) throws(LanceError) {
        try inner.plan(rows, index: index, into: &plan)
    }

    package func decode(
        _ rows: ArraySlice<Range<Int>>,
        data: PageData,
        index: PageData,
        levels: LevelCollector,
        values: ValueAccumulator
    ) throws(LanceError) {
        try inner.decode(rows, data: data, index: index, levels: levels, values: values)
    }
}
