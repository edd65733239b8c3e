import Lancer
import LancerStorage
import LancerTable

/// `lancer conformance history`.
struct ConformanceHistory {
    let path: String

    func json() async throws -> JSONText {
        let latest = try await Dataset.open(path, onWarning: { _ in })
        var versions: [JSONText] = []
        for info in try await latest.versions(onWarning: { _ in }).sorted(by: { $0.version < $1.version }) {
            versions.append(try await json(of: try await Dataset.open(path, at: .version(info.version))))
        }
        let tags = try await latest.tags().sorted { $0.name < $1.name }.map { tag in
            JSONText.object([
                ("name", .string(tag.name)), ("version", .unsigned(tag.version)), ("branch", .optional(tag.branch)),
            ])
        }
        let branches = try await BranchPaths(path).all().map { branch in
            JSONText.object([
                ("name", .string(branch.name)), ("parent_branch", .optional(branch.parent)),
                ("parent_version", .unsigned(branch.parentVersion)),
            ])
        }
        return .object([("versions", .array(versions)), ("tags", .array(tags)), ("branches", .array(branches))])
    }

    private func json(of dataset: Dataset) async throws -> JSONText {
        var fragments: [JSONText] = []
        for fragment in dataset.manifest.fragments {
            let physical = try await dataset.table.files.physicalRowCount(of: fragment, dataset.manifest)
            let live = try await dataset.table.files.liveRowCount(of: fragment, dataset.manifest)
            fragments.append(
                .object([
                    ("id", .unsigned(fragment.id)), ("physical_rows", .count(physical)),
                    ("deleted_rows", .count(physical - live)),
                ])
            )
        }
        return .object([
            ("version", .unsigned(dataset.version)), ("rows", .count(try await dataset.countRows())),
            ("file_version", .string(dataset.fileVersion)), ("stable_row_ids", .bool(dataset.hasStableRowIDs)),
            ("fragments", .array(fragments)),
        ])
    }
}

/// The branches of a table at a path.
struct BranchPaths {
    private let list: BranchList

    init(_ path: String) throws(LanceError) {
        list = BranchList(store: LocalStore(root: try LocalPath.parse(path)))
    }

    /// By name.
    func all() async throws(LanceError) -> [Branch] { try await list.all().sorted { $0.name < $1.name } }

    func contains(_ name: String) async throws(LanceError) -> Bool { try await all().contains { $0.name == name } }
}
