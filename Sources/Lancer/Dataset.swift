import LancerArrow
import LancerBytes

/// A Lance table pinned to one version.
///
/// A value never changes: writing returns the `Dataset` of the new version, and readers of the old value go on seeing
/// the old rows. Copies share their caches of open files, so passing a `Dataset` around is free.
public struct Dataset: Sendable {
    /// Path of the table's directory, as it was given.
    public let path: String
    /// Number of the version this value shows; the first is 1.
    public let version: UInt64
    /// Columns, as Arrow sees them.
    public let schema: ArrowSchema
    /// Version of the data files, for example `2.2`.
    public let fileVersion: String

    /// Opens the table at `path`.
    ///
    /// - Throws: `notFound` when there is no table or no such version, `corrupt` or `truncated` when its manifest is
    ///   damaged, `unsupported` when it needs a feature Lancer does not know, `io`.
    public static func open(_ path: String, at selector: VersionSelector = .latest) async throws -> Dataset {
        throw LanceError(.unsupported, "opening a dataset is not there yet")
    }

    /// Whether there is a table (at least one version) at `path`.
    ///
    /// - Throws: `io` when the directory cannot be listed.
    public static func exists(_ path: String) async throws -> Bool {
        throw LanceError(.unsupported, "looking for a dataset is not there yet")
    }
}
