/// What `lancer --version` says.
enum LancerVersion {
    static let current = "0.1.0"
    static let filesRead = ["2.1", "2.2"]
    static let filesWritten = ["2.1", "2.2"]

    static var text: String {
        """
        lancer \(current)
        reads Lance file versions \(filesRead.joined(separator: ", "))
        writes Lance file versions \(filesWritten.joined(separator: ", "))
        """
    }

    static var json: JSONText {
        .object([
            ("version", .string(current)),
            ("filesRead", .array(filesRead.map { .string($0) })),
            ("filesWritten", .array(filesWritten.map { .string($0) })),
        ])
    }
}
