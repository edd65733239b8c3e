import CPlatform

/// Pages of megabytes for much memory that is read in no order, where the system has them.
///
/// With those of 4 KiB a search in a graph of 500,000 vectors takes a quarter longer: for nearly every vector the processor
/// first has to look up where its page is. Moving memory there costs more than reading it did, most of all where free memory is
/// in pieces: up to 3 ms a megabyte was seen.
package enum LargePages {
    /// Less memory than this is in the processor's reach as it is.
    package static let leastBytes = 16 << 20
    /// Memory moved at a time while others wait.
    private static let step = 16 << 20

    /// Moves memory that stays in use, and may be read meanwhile.
    package static func move(_ start: UnsafeRawPointer, byteCount: Int) {
        if byteCount >= leastBytes { lancer_move_to_large_pages(start, byteCount) }
    }

    /// The same bit by bit, giving way to other tasks. The caller keeps the memory.
    package static func moveGradually(_ start: UnsafeRawPointer, byteCount: Int) async {
        if byteCount < leastBytes { return }
        var done = 0
        while done < byteCount {
            // Up to a multiple of the step: a page across two steps would be left out.
            let size = min(byteCount - done, step - Int(bitPattern: start + done) % step)
            lancer_move_to_large_pages(start + done, size)
            done += size
            await Task.yield()
        }
    }
}
