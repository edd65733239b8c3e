import LancerBytes
import LancerStorage

/// A version whose manifest is there but damaged, so that an older one was opened instead.
package struct UnreadableVersion: Sendable {
    package let name: ManifestName
    package let error: LanceError

    package init(name: ManifestName, error: LanceError) {
        self.name = name
        self.error = error
    }
}

extension LanceError {
    /// Whether a file is not as it was written. A manifest that leads out of its table is no accident, and features
    /// that Lancer does not know are none either.
    package var isDamage: Bool {
        (code == .corrupt || code == .truncated) && !(cause is DataFile.PathEscape)
    }
}
