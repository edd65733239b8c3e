import Lancer

extension VerificationReport {
    /// Most orphans listed by name for people.
    private static let mostOrphans = 20

    /// The report for people.
    func lines(path: String, deep: Bool) -> [String] {
        var lines = findings.map { "\($0.line)" }
        lines += notes.map { "note: \($0)" }
        for orphan in orphans.prefix(Self.mostOrphans) { lines.append("note: no version names \(orphan)") }
        if orphans.count > Self.mostOrphans {
            lines.append("note: no version names \(orphans.count - Self.mostOrphans) more files")
        }
        let decoded = deep ? ", \(decodedValueCount.counted("value")) decoded" : ""
        lines.append(
            "\(path): \(versionCount.counted("version")) (\(checksummedManifestCount.grouped) with checksum), "
                + "\(dataFileCount.counted("data file")) of \(Int(clamping: dataBytes).grouped) bytes "
                + "(\(checksummedDataFileCount.grouped) with checksums), \(pageCount.counted("page"))\(decoded), "
                + "\(deletionFileCount.counted("deletion file"))"
        )
        lines.append(isClean ? "nothing is wrong" : "\(findings.count.counted("finding"))")
        return lines
    }

    /// The report for machines.
    func json(path: String) -> JSONText {
        .object([
            ("path", .string(path)), ("ok", .bool(isClean)), ("findings", .array(findings.map(\.json))),
            ("notes", .array(notes.map { .string($0) })), ("orphans", .array(orphans.map { .string($0) })),
            ("newestReadableVersion", newestReadableVersion.map { .unsigned($0) } ?? .null),
            ("versions", .count(versionCount)), ("checksummedManifests", .count(checksummedManifestCount)),
            ("dataFiles", .count(dataFileCount)), ("checksummedDataFiles", .count(checksummedDataFileCount)),
            ("dataBytes", .count(dataBytes)), ("goodBlocks", .count(goodBlockCount)), ("pages", .count(pageCount)),
            ("decodedValues", .count(decodedValueCount)), ("deletionFiles", .count(deletionFileCount)),
        ])
    }
}

extension VerificationReport.Finding {
    var line: String {
        var place = file ?? ""
        if let version { place += place.isEmpty ? "version \(version)" : " (version \(version))" }
        return "\(problem): \(place.isEmpty ? "" : "\(place): ")\(message)"
    }

    var json: JSONText {
        .object([
            ("problem", .string(problem)), ("file", .optional(file)),
            ("version", version.map { .unsigned($0) } ?? .null),
            ("fragment", fragment.map { .unsigned($0) } ?? .null), ("message", .string(message)),
        ])
    }
}

extension RepairReport {
    /// The report for people.
    var lines: [String] {
        var lines = steps.map { "\(version == nil ? "would " : "")\($0.text)" }
        lines += remaining.map { "not repaired: \($0.line)" }
        if steps.isEmpty {
            lines.append(remaining.isEmpty ? "nothing to repair" : "nothing that can be repaired so")
        } else if let version {
            lines.append("done; version \(version)")
        } else {
            lines.append("nothing was changed; --yes does it")
        }
        return lines
    }

    /// The report for machines.
    func json(path: String) -> JSONText {
        .object([
            ("path", .string(path)), ("applied", .bool(version != nil)),
            ("version", version.map { .unsigned($0) } ?? .null), ("steps", .array(steps.map(\.json))),
            ("remaining", .array(remaining.map(\.json))),
        ])
    }
}

extension RepairReport.Step {
    var text: String {
        switch self {
        case .fallBack(let version): "make version \(version), the last good one, the newest again"
        case .leaveOut(let fragments, let rows):
            "leave fragments \(fragments.map { "\($0)" }.joined(separator: ", ")) "
                + "(\(rows.map { $0.counted("row") } ?? "an unknown number of rows")) out of a new version"
        case .removeIndices(let names): "leave the index \(names.joined(separator: ", ")) out of a new version"
        case .setAside(let files): "move \(files.joined(separator: ", ")) to _damaged"
        }
    }

    var json: JSONText {
        switch self {
        case .fallBack(let version): .object([("step", .string("fallBack")), ("to", .unsigned(version))])
        case .leaveOut(let fragments, let rows):
            .object([
                ("step", .string("leaveOut")), ("fragments", .array(fragments.map { .unsigned($0) })),
                ("rows", rows.map { .count($0) } ?? .null),
            ])
        case .removeIndices(let names):
            .object([("step", .string("removeIndices")), ("indices", .array(names.map { .string($0) }))])
        case .setAside(let files):
            .object([("step", .string("setAside")), ("files", .array(files.map { .string($0) }))])
        }
    }
}
