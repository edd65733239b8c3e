import LancerBytes

extension Dataset {
    /// All versions that are still there, oldest first.
    ///
    /// - Throws: `corrupt`, `truncated`, `io`.
    /// - Complexity: Reads one manifest a version.
    public func versions() async throws -> [VersionInfo] {
        throw LanceError(.unsupported, "listing versions is not there yet")
    }
}
