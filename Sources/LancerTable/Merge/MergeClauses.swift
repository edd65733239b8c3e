import LancerBytes

/// What a merge does with the rows of the table and of the source.
package struct MergeClauses: Sendable, Hashable {
    /// Rows whose key is on both sides.
    package enum Matched: Sendable, Hashable {
        /// The table's row gets the values of the source's, if the condition is true; conditions name columns as
        /// `source.x` and `target.x`.
        case update(if: String?)
        /// The table's row goes.
        case delete
        /// The merge is an error.
        case fail
        /// The table's row stays as it is.
        case keep
    }

    /// Rows of the source whose key is not in the table.
    package enum NotMatched: Sendable, Hashable {
        case insert
        case ignore
    }

    /// Rows of the table whose key is not in the source.
    package enum NotMatchedBySource: Sendable, Hashable {
        case keep
        /// The row goes, if the condition is true.
        case delete(if: String?)
    }

    package var matched: Matched
    package var notMatched: NotMatched
    package var notMatchedBySource: NotMatchedBySource

    package init(matched: Matched, notMatched: NotMatched, notMatchedBySource: NotMatchedBySource) {
        self.matched = matched
        self.notMatched = notMatched
        self.notMatchedBySource = notMatchedBySource
    }

    /// - Throws: `invalidArgument` when it could not do anything.
    func check() throws(LanceError) {
        // A merge that only fails on a match is a question with an answer.
        guard matched != .keep || notMatched == .insert || notMatchedBySource != .keep else {
            throw .invalidArgument("the merge has no clause that changes anything")
        }
    }
}

/// How a merge is written.
package struct MergeWriteOptions: Sendable {
    package var limits: FragmentLimits
    package var commitMessage: String?
    /// Only count what would change.
    package var isDryRun: Bool

    package init(limits: FragmentLimits, commitMessage: String?, isDryRun: Bool) {
        self.limits = limits
        self.commitMessage = commitMessage
        self.isDryRun = isDryRun
    }
}

/// What a merge did.
package struct MergeCounts: Sendable, Hashable {
    package var inserted = 0
    package var updated = 0
    package var deleted = 0
    /// How often it was worked out: once, and again for every time another writer was faster.
    package var attempts = 0

    package init(inserted: Int = 0, updated: Int = 0, deleted: Int = 0, attempts: Int = 0) {
        self.inserted = inserted
        self.updated = updated
        self.deleted = deleted
        self.attempts = attempts
    }
}
