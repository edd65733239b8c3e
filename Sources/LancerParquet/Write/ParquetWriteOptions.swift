import LancerBytes

/// How a Parquet file is written.
package struct ParquetWriteOptions: Sendable {
    /// Form of data pages.
    package enum PageVersion: Int, Sendable {
        /// Levels and values compressed together; what every reader knows.
        case v1 = 1
        /// Levels before the compressed values.
        case v2 = 2
    }

    /// Compression of the pages: uncompressed, snappy, gzip, zstd or lz4Raw.
    package var compression = ParquetCodec.zstd
    /// Level of zstd or gzip; nil for the codec's own.
    package var compressionLevel: Int?
    /// Arrow memory of the rows of one group, in bytes, about; at least one row is taken.
    package var rowGroupBytes = 128 << 20
    /// Most rows of a group.
    package var rowGroupRows = 1 << 20
    /// Bytes of a page before compression, about.
    package var pageBytes = 1 << 20
    /// Most rows of a page.
    package var pageRows = 1 << 15
    /// Form of data pages.
    package var pageVersion = PageVersion.v1
    /// Whether repeated values are kept in dictionaries.
    package var usesDictionary = true
    /// Bytes of a dictionary at most; beyond, the rest of the column chunk is written plainly.
    package var dictionaryBytes = 1 << 20
    /// Whether minima and maxima are written, with the page index.
    package var writesStatistics = true
    /// Whether pages get a checksum.
    package var writesChecksums = true
    /// Whether columns are encoded on several threads.
    package var isParallel = true
    /// The program's name in the file.
    package var createdBy = "lancer version 0.1.0"

    /// The standard options.
    package init() {}

    /// - Throws: `invalidArgument` for sizes below 1 and codecs that are not written.
    func check() throws(LanceError) {
        guard rowGroupBytes > 0, rowGroupRows > 0, pageBytes > 0, pageRows > 0 else {
            throw .invalidArgument("sizes of Parquet row groups and pages must be at least 1")
        }
        guard [.uncompressed, .snappy, .gzip, .zstd, .lz4Raw].contains(compression) else {
            throw .unsupported("writing Parquet compressed with \(compression)")
        }
    }
}
