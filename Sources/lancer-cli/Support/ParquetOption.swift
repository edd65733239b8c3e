import ArgumentParser
import Lancer
import LancerParquet

/// How a Parquet file is written.
struct ParquetOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Compression of a Parquet file: zstd (the default), snappy, gzip, lz4 or none; zstd:9 gives the level.",
            valueName: "codec"
        )
    )
    var compression: Compression?

    @Option(
        help: ArgumentHelp(
            "Rows of a Parquet row group, as bytes in memory (default 128MiB).",
            valueName: "bytes"
        )
    )
    var rowGroupBytes: ByteSize?

    @Option(help: ArgumentHelp("Form of the data pages of a Parquet file: 1 (the default) or 2.", valueName: "1|2"))
    var pageVersion: Int?

    @Flag(help: "Write a Parquet file without dictionaries.")
    var noDictionary = false

    func validate() throws {
        if let pageVersion, ParquetWriteOptions.PageVersion(rawValue: pageVersion) == nil {
            throw ValidationError("--page-version must be 1 or 2.")
        }
    }

    /// Whether something is asked for.
    var isUsed: Bool { compression != nil || rowGroupBytes != nil || pageVersion != nil || noDictionary }

    /// The options for the writer.
    ///
    /// - Throws: `invalidArgument` when they are given and `format` is another one.
    func options(for format: DataFormat) throws(LanceError) -> ParquetWriteOptions {
        if isUsed, format != .parquet {
            throw LanceError(
                .invalidArgument,
                "--compression, --row-group-bytes, --page-version and --no-dictionary are for Parquet output"
            )
        }
        var options = ParquetWriteOptions()
        options.createdBy = "lancer version \(LancerVersion.current)"
        if let compression {
            options.compression = compression.codec
            options.compressionLevel = compression.level
        }
        if let rowGroupBytes { options.rowGroupBytes = Int(clamping: rowGroupBytes.bytes) }
        if let pageVersion, let version = ParquetWriteOptions.PageVersion(rawValue: pageVersion) {
            options.pageVersion = version
        }
        options.usesDictionary = !noDictionary
        return options
    }
}

/// A codec of Parquet pages, with a level where it has some.
struct Compression: ExpressibleByArgument {
    let codec: ParquetCodec
    let level: Int?

    private static let codecs: [Substring: (ParquetCodec, levels: ClosedRange<Int>?)] = [
        "zstd": (.zstd, 1...22), "gzip": (.gzip, 1...9), "snappy": (.snappy, nil), "lz4": (.lz4Raw, nil),
        "lz4_raw": (.lz4Raw, nil), "none": (.uncompressed, nil), "uncompressed": (.uncompressed, nil),
    ]

    init?(argument: String) {
        let parts = argument.lowercased().split(separator: ":", omittingEmptySubsequences: false)
        guard let name = parts.first, parts.count <= 2, let (codec, levels) = Self.codecs[name] else { return nil }
        self.codec = codec
        guard parts.count == 2 else {
            level = nil
            return
        }
        guard let levels, let number = Int(parts[1]), levels.contains(number) else { return nil }
        level = number
    }
}
