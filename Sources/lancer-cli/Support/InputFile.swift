import Lancer

/// Opens the bytes behind a source path; `-` is standard input.
enum InputFile {
    /// For one pass from start to end.
    static func stream(_ path: String) throws(LanceError) -> any ByteStream {
        FileStream(path == "-" ? standardInput : try OpenFile(reading: path))
    }

    /// For reading at any place or more than once: pipes are copied to a nameless temporary file in `$TMPDIR`.
    static func rereadable(_ path: String) throws(LanceError) -> OpenFile {
        let file = path == "-" ? standardInput : try OpenFile(reading: path)
        // A redirected regular file needs no copy unless somebody has read a part of it.
        if file.size != nil, lseek(file.descriptor, 0, SEEK_CUR) == 0 { return file }
        return try spooled(file)
    }

    private static var standardInput: OpenFile {
        OpenFile(descriptor: STDIN_FILENO, path: "standard input", closes: false)
    }

    private static func spooled(_ input: OpenFile) throws(LanceError) -> OpenFile {
        let directory = environment("TMPDIR") ?? "/tmp"
        var template = Array("\(directory)/lancer-XXXXXX".utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { $0.baseAddress.map { mkstemp($0) } ?? -1 }
        guard descriptor >= 0 else { throw systemError("make a temporary file in", directory) }
        _ = template.withUnsafeBufferPointer { $0.baseAddress.map { unlink($0) } }
        let spool = OpenFile(descriptor: descriptor, path: input.path)
        let sink = FileSink(spool)
        var stream = FileStream(input)
        while true {
            let piece = try stream.read(upTo: 1 << 18)
            if piece.count == 0 { break }
            try sink.write(piece)
        }
        try sink.flush()
        return spool
    }
}
