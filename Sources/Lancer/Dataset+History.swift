import LancerBytes
import LancerTable

extension Dataset {
    /// All versions that are still there, oldest first.
    ///
    /// - Throws: `corrupt`, `truncated`, `unsupported`, `io`.
    /// - Complexity: Reads one manifest a version.
    public func versions() async throws -> [VersionInfo] {
        let list = VersionList(store: table.store)
        var result: [VersionInfo] = []
        for name in try await list.all() {
            let manifest = try await list.read(name)
            let transaction = try await list.transaction(of: manifest)
            result.append(
                VersionInfo(
                    version: manifest.version,
                    timestamp: Timestamp(manifest.timestamp),
                    rowCount: manifest.liveRowCount,
                    fragmentCount: manifest.fragments.count,
                    operation: transaction?.operationName,
                    message: transaction?.commitMessage
                )
            )
        }
        return result
    }
}

extension Timestamp {
    fileprivate init(_ time: (seconds: Int64, nanoseconds: Int32)) {
        self.init(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }
}
