import ArgumentParser
import Lancer

/// How much of an index is looked at, for `search` and `index stats --recall`.
struct SearchBreadthOption: ParsableArguments {
    @Option(
        name: [.customShort("k"), .long],
        help: ArgumentHelp("Rows wanted of each query (default 10).", valueName: "n")
    )
    var k = 10

    @Option(help: ArgumentHelp("Partitions of the index looked at: exactly so many.", valueName: "n"))
    var nprobes: Int?

    @Option(help: ArgumentHelp("Candidates kept while a graph is searched (default 1.5 k).", valueName: "n"))
    var ef: Int?

    @Option(help: ArgumentHelp("Take n * k candidates from the index and compare them exactly.", valueName: "n"))
    var refine: Int?

    /// Whether nothing is given but perhaps the number of rows.
    var isUsual: Bool { nprobes == nil && ef == nil && refine == nil }

    func apply(to search: inout NearestSearch) {
        search.nprobes = nprobes
        search.ef = ef
        search.refine = refine
    }
}
