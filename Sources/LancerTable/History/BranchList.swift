import LancerBytes
import LancerStorage
import SwiftProtobuf

/// A line of versions of its own, which begins at a version of another one. Spec: 12-history.md, "Branches".
package struct Branch: Sendable {
    package var name: String
    /// The branch it was made from; nil for the main line.
    package var parent: String?
    /// The version of the parent it begins at.
    package var parentVersion: UInt64

    /// Where its versions and files are, below the table's root.
    package var directory: String { "tree/\(name)" }
}

/// The branches of a table, as its reference files say. Lancer reads them and does not make any.
package struct BranchList: Sendable {
    package let store: any ObjectStore

    private static let directory = "_refs/branches"
    private static let suffix = ".json"

    package init(store: any ObjectStore) { self.store = store }

    /// All branches by name.
    ///
    /// - Throws: `corrupt`, `io`.
    package func all() async throws(LanceError) -> [Branch] {
        var branches: [Branch] = []
        for file in try await store.list(Self.directory).sorted() where file.hasSuffix(Self.suffix) {
            let path = "\(Self.directory)/\(file)"
            do throws(LanceError) {
                guard let name = ReferenceName.decoded(file.dropLast(Self.suffix.count)) else {
                    throw .corrupt("the file's name stands for no name of a branch")
                }
                try DataFile.checkName(name)
                branches.append(try Self.branch(name, try await store.read(path)))
            } catch  where error.code == .notFound {
                // Removed since the listing.
            } catch {
                throw error.located(file: store.fullPath(path))
            }
        }
        return branches
    }

    private static func branch(_ name: String, _ bytes: ArrowBuffer) throws(LanceError) -> Branch {
        let object: [String: Google_Protobuf_Value]
        do {
            object = try Google_Protobuf_Struct(jsonUTF8Bytes: bytes.bytes).fields
        } catch {
            throw LanceError(.corrupt, "the branch is no JSON object", cause: error)
        }
        guard let value = object["parentVersion"], case .numberValue(let number) = value.kind,
            let version = UInt64(exactly: number)
        else { throw .corrupt("the branch does not say where it begins") }
        var parent: String?
        if case .stringValue(let text) = object["parentBranch"]?.kind, text != "main" { parent = text }
        return Branch(name: name, parent: parent, parentVersion: version)
    }
}
