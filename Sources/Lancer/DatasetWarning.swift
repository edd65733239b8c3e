import LancerBytes
import LancerStorage
import LancerTable

/// Something that is wrong with a table although it can be read.
public struct DatasetWarning: Sendable, CustomStringConvertible {
    /// What to do with a warning.
    public typealias Handler = @Sendable (DatasetWarning) -> Void

    /// The version concerned.
    public let version: UInt64
    /// The file concerned, or the table's directory.
    public let file: String
    /// What is wrong, and what was done instead.
    public let description: String

    init(_ unreadable: UnreadableVersion, opened: UInt64) {
        version = unreadable.name.version
        file = unreadable.error.location.file ?? unreadable.name.fileName
        let place = unreadable.name.version > opened ? ", newer than version \(opened) which is shown," : ""
        let remedy = place.isEmpty ? "" : ", \"lancer repair\" goes back to version \(opened)"
        description =
            "version \(version)\(place) cannot be read (\(file): \(unreadable.error.message)); \"lancer verify\" says "
            + "more\(remedy)"
    }

    /// About something else than a version that cannot be read.
    init(_ text: String, of dataset: Dataset) {
        version = dataset.version
        file = dataset.path
        description = text
    }

    /// Writes the warning to standard error.
    public static let toStandardError: Handler = { StandardError.write("lancer: warning: \($0.description)\n") }
}

/// Which bytes of data files are compared with the checksums in them. Files of other writers have none; what opens a
/// file, its metadata, is always compared.
public enum ChecksumPolicy: Sendable, Hashable, CaseIterable {
    /// No data page.
    case off
    /// Every 64 KiB block that a scan touches, and blocks that ``Dataset/take(_:columns:)`` reads as a whole.
    case scans
    /// Every block that is touched. A take reads 64 KiB for a row then, the first time.
    case always

    var comparison: PageComparison {
        switch self {
        case .off: .off
        case .scans: .scans
        case .always: .all
        }
    }
}
