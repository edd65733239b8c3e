import LancerBytes

/// How the manifests of a table are named. One table uses one way.
package enum ManifestNaming: Sendable, Hashable {
    /// `<version>.manifest`.
    case v1
    /// `<2^64 - 1 - version, 20 digits>.manifest`: the newest version is listed first.
    case v2
}

/// The name of a manifest file: a version in one of two spellings.
///
/// Spec: 10-table.md, "Manifest names".
package struct ManifestName: Sendable, Hashable {
    package let version: UInt64
    package let naming: ManifestNaming

    /// Directory of the manifests.
    package static let directory = "_versions"
    private static let suffix = ".manifest"

    package init(version: UInt64, naming: ManifestNaming) {
        self.version = version
        self.naming = naming
    }

    /// Reads a name; nil for anything else that lies in the directory: temporary files, staged files of other stores,
    /// detached versions (`d…`), the hint file.
    package init?(_ name: String) {
        guard name.hasSuffix(Self.suffix) else { return nil }
        let digits = name.dropLast(Self.suffix.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(digits)
        else {
            return nil
        }
        // A V1 number of 20 digits would be a version above 10^19, which is a detached one.
        naming = digits.utf8.count == 20 ? .v2 : .v1
        version = naming == .v2 ? UInt64.max - number : number
        guard version > 0 else { return nil }
    }

    /// The file name.
    package var fileName: String {
        switch naming {
        case .v1: return "\(version)\(Self.suffix)"
        case .v2:
            let digits = String(UInt64.max - version)
            return String(repeating: "0", count: 20 - digits.utf8.count) + digits + Self.suffix
        }
    }

    /// Path below the table's root.
    package var path: String { "\(Self.directory)/\(fileName)" }
}
