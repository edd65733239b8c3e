import LancerBytes

extension DeletionVector {
    init(_ bytes: ArrowBuffer, kind: DeletionFile.Kind, rowCount: Int) throws(LanceError) {
        throw .unsupported("deletion files")
    }
}
