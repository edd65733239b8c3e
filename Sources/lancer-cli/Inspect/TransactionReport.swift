import Lancer
import LancerProto
import SwiftProtobuf

/// What a transaction did.
struct TransactionReport {
    let transaction: Lance_Table_Transaction

    /// Reads the bytes of a `.txn` file or of a manifest's transaction section.
    ///
    /// - Throws: `corrupt`.
    init(_ bytes: ArrowBuffer) throws(LanceError) {
        do {
            transaction = try Lance_Table_Transaction(serializedBytes: bytes.bytes)
        } catch {
            throw LanceError(.corrupt, "the bytes are no transaction message", cause: error)
        }
        guard transaction.operation != nil || !transaction.uuid.isEmpty else {
            throw LanceError(.corrupt, "the bytes are no transaction message: it names no operation")
        }
    }

    /// The operation's name as the format spells it, and what it changed.
    var operation: (name: String, detail: String) {
        switch transaction.operation {
        case nil: return ("unknown", "")
        case .append(let append): return ("Append", fragments(append.fragments))
        case .delete(let delete):
            let parts = [
                "\(delete.updatedFragments.count.counted("fragment")) changed",
                "\(delete.deletedFragmentIds.count) removed",
                delete.predicate.isEmpty ? nil : "where \(delete.predicate)",
            ]
            return ("Delete", parts.compactMap { $0 }.joined(separator: ", "))
        case .overwrite(let overwrite):
            return ("Overwrite", "\(fragments(overwrite.fragments)), \(overwrite.schema.count) fields")
        case .createIndex(let create):
            let names = create.newIndices.map(\.name).joined(separator: ", ")
            return ("CreateIndex", "\(create.newIndices.count) new (\(names)), \(create.removedIndices.count) removed")
        case .rewrite(let rewrite):
            let old = rewrite.oldFragments.count + rewrite.groups.reduce(0) { $0 + $1.oldFragments.count }
            let new = rewrite.newFragments.count + rewrite.groups.reduce(0) { $0 + $1.newFragments.count }
            return ("Rewrite", "\(old.counted("fragment")) became \(new.grouped)")
        case .merge(let merge): return ("Merge", "\(fragments(merge.fragments)), \(merge.schema.count) fields")
        case .restore(let restore): return ("Restore", "version \(restore.version)")
        case .reserveFragments(let reserve): return ("ReserveFragments", "\(reserve.numFragments) ids")
        case .update(let update):
            let parts = [
                "\(update.updatedFragments.count.counted("fragment")) changed", "\(update.newFragments.count) new",
                "\(update.removedFragmentIds.count) removed",
            ]
            return ("Update", parts.joined(separator: ", "))
        case .project(let project): return ("Project", "\(project.schema.count) fields")
        case .updateConfig: return ("UpdateConfig", "")
        case .dataReplacement(let replacement): return ("DataReplacement", "\(replacement.replacements.count) files")
        case .updateMemWalState: return ("UpdateMemWalState", "")
        case .clone(let clone): return ("Clone", "version \(clone.refVersion) of \(clone.refPath)")
        case .updateBases(let update): return ("UpdateBases", "\(update.newBases.count) bases")
        case .dataOverlay: return ("DataOverlay", "")
        }
    }

    private func fragments(_ fragments: [Lance_Table_DataFragment]) -> String {
        let rows = fragments.reduce(UInt64(0)) { $0 &+ $1.physicalRows }
        return "\(fragments.count.counted("fragment")) with \(rows.counted("row"))"
    }

    /// Facts of a `.txn` file.
    func report(_ path: String) -> Report {
        var report = Report()
        report.add("path", path, nil, .string(path))
        report.add("kind", "transaction", nil, .string("transaction"))
        let operation = operation
        report.add("operation", operation.name, nil, .string(operation.name))
        if !operation.detail.isEmpty { report.add("change", operation.detail, nil, .string(operation.detail)) }
        report.add("read version", "\(transaction.readVersion)", "readVersion", .unsigned(transaction.readVersion))
        report.add("uuid", transaction.uuid, nil, .string(transaction.uuid))
        if !transaction.transactionProperties.isEmpty {
            let properties = transaction.transactionProperties.sorted { $0.key < $1.key }
            report.add(
                "properties",
                properties.map { "\($0.key)=\($0.value)" }.joined(separator: " "),
                nil,
                .object(properties.map { ($0.key, .string($0.value)) })
            )
        }
        return report
    }
}
