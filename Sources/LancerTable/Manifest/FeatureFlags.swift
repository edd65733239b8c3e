import LancerBytes

/// What a reader or a writer must know to work with a version of a table: two words of bits in the manifest.
///
/// Spec: 10-table.md, "Feature flags".
package struct FeatureFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Some fragment has a deletion file.
    package static let deletionFiles = FeatureFlags(rawValue: 1)
    /// Every fragment carries stable row ids.
    package static let stableRowIDs = FeatureFlags(rawValue: 2)
    /// The table has config keys.
    package static let tableConfig = FeatureFlags(rawValue: 8)
    /// Files may be under other roots.
    package static let basePaths = FeatureFlags(rawValue: 16)
    /// Versions carry their transaction inline only.
    package static let noTransactionFile = FeatureFlags(rawValue: 32)

    /// What Lancer knows.
    package static let known: FeatureFlags = [
        .deletionFiles, .stableRowIDs, .tableConfig, .basePaths, .noTransactionFile,
    ]

    private static let names: [UInt64: String] = [
        1: "deletion files", 2: "stable row ids", 4: "v2 format", 8: "table config", 16: "base paths",
        32: "no transaction file", 64: "data overlay files", 128: "covered index metadata",
        256: "mixed data file versions", 512: "fragment reuse with stable row ids",
        1024: "fragment reuse index transitions", 2048: "managed blobs",
    ]

    /// Names of the bits that Lancer does not know; a bit without a name is given by its value.
    package var unknownNames: [String] {
        let unknown = rawValue & ~Self.known.rawValue
        return (0..<64).compactMap { bit in
            let value = UInt64(1) << UInt64(bit)
            guard unknown & value != 0 else { return nil }
            return Self.names[value].map { "\($0) (\(value))" } ?? "\(value)"
        }
    }

    /// - Throws: `unsupported` naming what Lancer does not know.
    package func requireKnown(to action: String) throws(LanceError) {
        let unknown = unknownNames
        guard unknown.isEmpty else {
            throw .unsupported("to \(action) this table one must know: \(unknown.joined(separator: ", "))")
        }
    }
}
