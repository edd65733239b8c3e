import LancerBytes

/// Version of the data file format.
///
/// Not the version of a table. Spec: 16-versions.md, "Version numbers".
public enum FileVersion: Sendable, Hashable, Comparable, CaseIterable, CustomStringConvertible {
    /// 2.1.
    case v2_1
    /// 2.2, the default.
    case v2_2

    /// Major and minor number as a file's footer and a manifest's data files carry them.
    package var numbers: (major: UInt16, minor: UInt16) {
        switch self {
        case .v2_1: (2, 1)
        case .v2_2: (2, 2)
        }
    }

    /// `2.1` or `2.2`, as in a manifest's data format.
    public var description: String { "\(numbers.major).\(numbers.minor)" }

    /// The version called `text`: `2.1`, `2.2`.
    public init?(_ text: String) {
        guard let version = Self.allCases.first(where: { $0.description == text }) else { return nil }
        self = version
    }

    /// The version with these numbers.
    ///
    /// - Throws: `unsupported` naming any other version.
    package init(major: UInt16, minor: UInt16) throws(LanceError) {
        switch (major, minor) {
        case (2, 1): self = .v2_1
        case (2, 2): self = .v2_2
        // 2.0 is stamped (0, 3) in footers and (2, 0) in manifests.
        case (0, 3), (2, 0):
            throw .unsupported("Lance file version 2.0 (Lancer reads 2.1 and 2.2; rewrite it with pylance)")
        case (0, 0...2): throw .unsupported("legacy Lance file version \(major).\(minor) (Lancer reads 2.1 and 2.2)")
        default: throw .unsupported("Lance file version \(major).\(minor) (Lancer reads 2.1 and 2.2)")
        }
    }
}
