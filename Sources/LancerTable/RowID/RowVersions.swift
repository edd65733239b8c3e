import LancerBytes
import LancerProto
import SwiftProtobuf

/// A version for each row of a fragment in order: in which the row was made, or last changed.
/// Spec: 10-table.md, "Stable row ids".
package struct RowVersions: Sendable, Hashable {
    /// So many rows of one version.
    package struct Run: Sendable, Hashable {
        package var count: Int
        package var version: UInt64
    }

    package private(set) var runs: [Run] = []
    /// Number of rows.
    package private(set) var count = 0

    /// No rows.
    package init() {}

    /// Adds rows behind the others.
    package mutating func append(_ count: Int, version: UInt64) {
        guard count > 0 else { return }
        self.count += count
        if let last = runs.last, last.version == version {
            runs[runs.count - 1].count += count
        } else {
            runs.append(Run(count: count, version: version))
        }
    }

    /// The versions of some rows, given as ascending ranges of offsets below ``count``.
    package func selecting(_ offsets: [Range<Int>]) -> RowVersions {
        var result = RowVersions()
        var index = 0
        var start = 0
        for part in offsets {
            var position = part.lowerBound
            while position < part.upperBound, index < runs.count {
                let end = start + runs[index].count
                if end <= position {
                    start = end
                    index += 1
                    continue
                }
                let next = Swift.min(end, part.upperBound)
                result.append(next - position, version: runs[index].version)
                position = next
            }
        }
        return result
    }

    /// The version of the row at an offset, which must be below ``count``.
    package subscript(offset: Int) -> UInt64 {
        selecting([offset..<(offset + 1)]).runs.first?.version ?? 0
    }

    /// Reads the message in `bytes`. Of the spans only the number of values means something: after compactions by the
    /// reference they do not begin where the one before ends.
    ///
    /// - Throws: `corrupt` also when there are not `rowCount` rows.
    init(_ bytes: ArrowBuffer, rowCount: Int?) throws(LanceError) {
        let message = try bytes.decoded(as: Lance_Table_RowDatasetVersionSequence.self, "row version")
        for run in message.runs {
            let count = try run.span.valueCount()
            guard self.count.addingReportingOverflow(count).partialValue <= Int(UInt32.max) else {
                throw .corrupt("there are too many row versions for a fragment")
            }
            append(count, version: run.version)
        }
        if let rowCount, rowCount != count { throw .corrupt("\(rowCount) rows have \(count) row versions") }
    }

    /// The message, with spans that are the offsets of the rows.
    var message: Lance_Table_RowDatasetVersionSequence {
        var start: UInt64 = 0
        return .with {
            for run in runs {
                let end = start + UInt64(run.count)
                $0.runs.append(
                    .with {
                        $0.span.range = .with {
                            $0.start = start
                            $0.end = end
                        }
                        $0.version = run.version
                    }
                )
                start = end
            }
        }
    }
}
