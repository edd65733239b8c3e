import Lancer

/// Row numbers as written on the command line: `0,5,9` and ranges with both ends included, `10-20`.
enum RowSelection {
    /// Most rows one selection may name: they are all fetched into memory at once.
    static let limit = 10_000_000

    /// Reads a selection.
    ///
    /// - Throws: `invalidArgument` that names the part which makes no sense.
    static func parse(_ text: String) throws(LanceError) -> [Int] {
        var rows: [Int] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { number($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else {
                throw LanceError(
                    .invalidArgument,
                    "--rows: \"\(part)\" is no row number or range; write for example 0,5,10-20"
                )
            }
            guard last - first < limit, rows.count + (last - first) < limit else {
                throw LanceError(
                    .invalidArgument,
                    "--rows names more than \(limit.grouped) rows; use scan --offset --limit"
                )
            }
            rows.append(contentsOf: first...last)
        }
        return rows
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}
