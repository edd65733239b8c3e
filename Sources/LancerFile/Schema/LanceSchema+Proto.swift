import FoundationEssentials
import LancerArrow
import LancerBytes
import LancerProto
import SwiftProtobuf

extension LanceSchema {
    /// Rebuilds the tree from the flat list of a file or manifest.
    ///
    /// Fields with id -1 are left out: a file lists so what a blob v2 column is packed from, which the table does not
    /// know.
    ///
    /// - Throws: `corrupt` when parents are missing or ids repeat, `unsupported` naming an unknown type.
    package init(
        proto fields: [Lance_File_Field],
        metadata: [String: Data] = [:]
    ) throws(LanceError) {
        guard fields.count <= DecodeLimits.standard.fieldCount else {
            throw .limitExceeded("\(fields.count) fields", part: "schema")
        }
        var childrenOf: [Int32: [Int]] = [:]
        var known: Set<Int32> = []
        for (index, field) in fields.enumerated() where field.id != -1 {
            guard field.id >= 0, known.insert(field.id).inserted else {
                throw .corrupt("field id \(field.id) is negative or used twice", part: "schema")
            }
            // Parents come first, so a parent that is not known yet is missing (and there are no cycles).
            guard field.parentID == -1 || (field.parentID != field.id && known.contains(field.parentID)) else {
                throw .corrupt("field \"\(field.name)\" has no parent \(field.parentID)", part: "schema")
            }
            childrenOf[field.parentID, default: []].append(index)
        }
        var top: [LanceField] = []
        for index in childrenOf[-1] ?? [] { top.append(try LanceField(fields, index, childrenOf, depth: 0)) }
        self.init(fields: top, metadata: metadata.mapValues { String(decoding: $0, as: UTF8.self) })
    }

    /// The flat list, depth first.
    package var protoFields: [Lance_File_Field] {
        var result: [Lance_File_Field] = []
        for field in fields { field.appendProto(parent: -1, to: &result) }
        return result
    }

    /// Schema metadata as stored.
    package var protoMetadata: [String: Data] { metadata.mapValues { Data($0.utf8) } }
}

extension LanceField {
    fileprivate init(
        _ fields: [Lance_File_Field],
        _ index: Int,
        _ childrenOf: [Int32: [Int]],
        depth: Int
    ) throws(LanceError) {
        guard depth < DecodeLimits.standard.schemaDepth else {
            throw .limitExceeded("nesting deeper than \(DecodeLimits.standard.schemaDepth)", part: "schema")
        }
        let proto = fields[index]
        var children: [LanceField] = []
        for child in childrenOf[proto.id] ?? [] {
            children.append(try LanceField(fields, child, childrenOf, depth: depth + 1))
        }
        do {
            try self.init(
                id: proto.id,
                name: proto.name,
                logicalType: proto.logicalType,
                nullable: proto.nullable,
                metadata: proto.metadata.mapValues { String(decoding: $0, as: UTF8.self) },
                children: children
            )
        } catch {
            throw error.located(part: "field \"\(proto.name)\"")
        }
        if proto.unenforcedPrimaryKey || proto.unenforcedPrimaryKeyPosition > 0 {
            primaryKeyPosition = proto.unenforcedPrimaryKeyPosition
        }
    }

    fileprivate func appendProto(parent: Int32, to result: inout [Lance_File_Field]) {
        result.append(
            .with {
                $0.name = name
                $0.id = id
                $0.parentID = parent
                $0.logicalType = logicalType
                $0.nullable = nullable
                $0.encoding = historicEncoding
                $0.metadata = metadata.mapValues { Data($0.utf8) }
                if let primaryKeyPosition {
                    $0.unenforcedPrimaryKey = true
                    $0.unenforcedPrimaryKeyPosition = primaryKeyPosition
                }
            }
        )
        for child in children { child.appendProto(parent: id, to: &result) }
    }

    /// What the reference stores in the unused `encoding` field; kept so that schemas compare equal.
    private var historicEncoding: Lance_File_Field.Encoding {
        switch type {
        case .utf8, .largeUtf8, .binary, .largeBinary: .varBinary
        case .dictionary: .dictionary
        case .structure, .list, .largeList, .map, .null: .none
        default: .plain
        }
    }
}
