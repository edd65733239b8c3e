import LancerBytes
import LancerProto
import SwiftProtobuf

extension Lance_Table_DataFragment {
    /// Gives the rows of a new fragment consecutive stable ids, made and last changed in `version`.
    ///
    /// Spec: Stable row ids.
    ///
    /// - Throws: `limitExceeded`, which such small messages never do.
    mutating func giveRowIDs(_ ids: Range<UInt64>, version: UInt64) throws(LanceError) {
        let sequence = Lance_Table_RowIdSequence.with { $0.segments = [Self.segment(ids)] }
        let versions = Lance_Table_RowDatasetVersionSequence.with {
            $0.runs = [
                .with {
                    $0.span = Self.segment(0..<(ids.upperBound - ids.lowerBound))
                    $0.version = version
                }
            ]
        }
        let versionBytes = try versions.encodedData("row versions")
        inlineRowIds = try sequence.encodedData("row ids")
        inlineLastUpdatedAtVersions = versionBytes
        inlineCreatedAtVersions = versionBytes
    }

    /// Notes that all rows of a new fragment were last changed in `version`. Their ids and when they were made stay.
    ///
    /// - Throws: `limitExceeded`, which such small messages never do.
    mutating func markUpdated(rowCount: Int, version: UInt64) throws(LanceError) {
        let versions = Lance_Table_RowDatasetVersionSequence.with {
            $0.runs = [
                .with {
                    $0.span = Self.segment(0..<UInt64(rowCount))
                    $0.version = version
                }
            ]
        }
        inlineLastUpdatedAtVersions = try versions.encodedData("row versions")
    }

    private static func segment(_ range: Range<UInt64>) -> Lance_Table_U64Segment {
        .with {
            $0.range = .with {
                $0.start = range.lowerBound
                $0.end = range.upperBound
            }
        }
    }
}
