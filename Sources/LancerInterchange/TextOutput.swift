import LancerBytes

/// Text on its way to a sink, handed over in blocks of about a megabyte.
///
/// A class, since the builder that holds the pending text cannot be copied and writers are plain values. Writers take
/// the builder out for a whole batch, so that the loops over cells work on a local.
final class TextOutput {
    /// Text is handed over when there is this much of it.
    static let blockBytes = 1 << 20

    private var sink: any ByteSink
    private var pending = BufferBuilder(capacity: 1 << 16)

    init(_ sink: any ByteSink) { self.sink = sink }

    /// The text not handed over yet; give it back with ``end(_:)``.
    func begin() -> BufferBuilder {
        var text = BufferBuilder()
        swap(&text, &pending)
        return text
    }

    /// Keeps text for later.
    func end(_ text: consuming BufferBuilder) { pending = text }

    /// Hands all of `text` to the sink and leaves it empty.
    func handOver(_ text: inout BufferBuilder) throws(LanceError) {
        if text.count == 0 { return }
        var full = BufferBuilder(capacity: Self.blockBytes + Self.blockBytes / 8)
        swap(&full, &text)
        try sink.write(full.finish())
    }

    /// Hands what is left to the sink.
    func finish() throws(LanceError) { try handOver(&pending) }
}
