import LancerArrow
import LancerBytes

/// Some vectors of a column with their row ids.
package struct VectorBlock: Sendable {
    /// Row ids, one for each vector.
    package var rowIDs: [UInt64]
    /// The vectors one after another, numbers of the column's element type; those of null rows may be anything.
    package var values: ArrowBuffer
    /// Which rows are not null; nil for all.
    package var validity: Bitmap?

    /// Vectors of rows; rows with NaN or infinity may be among them, their users pass over them.
    package init(rowIDs: [UInt64], values: ArrowBuffer, validity: Bitmap? = nil) {
        self.rowIDs = rowIDs
        self.values = values
        self.validity = validity
    }

    /// Number of rows.
    package var count: Int { rowIDs.count }

    /// Checks that there are as many numbers as rows need.
    ///
    /// - Throws: `invalidArgument`.
    func check(_ element: VectorElementType, dimension: Int) throws(LanceError) {
        guard values.count == rowIDs.count * dimension * element.byteCount, validity?.count ?? count == count else {
            throw .invalidArgument(
                "\(rowIDs.count) vectors of \(dimension) \(element.rawValue) numbers do not have \(values.count) bytes"
            )
        }
    }
}

/// The vectors of a column that an index is built from.
package protocol VectorSource: Sendable {
    /// Rows, null ones included.
    var rowCount: Int { get }
    /// At most `count` rows, chosen at random by the seed: the same for the same table and seed. Null rows may be left out.
    func sample(_ count: Int, seed: UInt64) async throws -> VectorBlock
    /// Shows all rows, in an order that is always the same, in blocks of a few megabytes.
    func forEachBlock(_ body: (VectorBlock) async throws -> Void) async throws
}

/// Where a build puts what does not fit in memory.
package protocol ScratchSpace: Sendable {
    /// Makes an empty file that nobody else sees.
    func makeFile() throws(LanceError) -> any ScratchFile
}

/// A scratch file: bytes are appended, then read anywhere.
package protocol ScratchFile: AnyObject {
    /// Adds bytes at the end.
    func append(_ bytes: UnsafeRawBufferPointer) throws(LanceError)
    /// Reads bytes that were appended before.
    func read(offset: Int, count: Int) throws(LanceError) -> ArrowBuffer
    /// Deletes the file; called once, also after errors and cancellation.
    func remove()
}
