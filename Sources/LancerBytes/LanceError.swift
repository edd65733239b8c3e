/// The one error type of Lancer.
///
/// Every public call throws a `LanceError` (or `CancellationError`). ``code`` says which class of failure it is;
/// the same words are used by the command line's exit status and by the conformance suite. Two errors are equal when
/// their codes are: tests and callers compare the class, people read ``message``.
public struct LanceError: Error, Sendable, Equatable {
    /// The class of a failure.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case corrupt, truncated, unsupported, notFound, alreadyExists, invalidArgument, schemaMismatch, conflict
            case io, limitExceeded
        }

        private let name: Name

        /// Bytes that break a rule of the format.
        public static let corrupt = Code(name: .corrupt)
        /// A file that ends before its content does.
        public static let truncated = Code(name: .truncated)
        /// A feature that Lancer knows by name but does not implement.
        public static let unsupported = Code(name: .unsupported)
        /// A path, version, tag or column that does not exist.
        public static let notFound = Code(name: .notFound)
        /// Something that exists already where a new thing was to be made.
        public static let alreadyExists = Code(name: .alreadyExists)
        /// An argument or a text (predicate, CSV cell, JSON line) that makes no sense.
        public static let invalidArgument = Code(name: .invalidArgument)
        /// Data whose schema does not fit where it was to go.
        public static let schemaMismatch = Code(name: .schemaMismatch)
        /// Another writer committed something that cannot be reconciled with this commit.
        public static let conflict = Code(name: .conflict)
        /// The operating system refused a read or a write.
        public static let io = Code(name: .io)
        /// A size or count beyond ``DecodeLimits``.
        public static let limitExceeded = Code(name: .limitExceeded)

        /// The word used for this class in documents, vectors and `--json` output.
        public var description: String { name.rawValue }
    }

    /// The class of the failure.
    public var code: Code
    /// What was read or asked, what was expected, and what to do, in one line.
    public var message: String
    /// Where it was met, as far as the layers passed on the way up know.
    public var location: ByteLocation
    /// The error that led to this one.
    public var cause: (any Error)?

    /// Makes an error.
    @inline(never)
    public init(
        _ code: Code,
        _ message: String,
        at location: ByteLocation = ByteLocation(),
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.location = location
        self.cause = cause
    }

    /// Equal when the codes are equal.
    public static func == (left: LanceError, right: LanceError) -> Bool { left.code == right.code }

    /// The same error with what the caller knows about the place added; details already present are kept.
    public func located(file: String? = nil, part: String? = nil, offset: UInt64? = nil) -> LanceError {
        var copy = self
        if copy.location.file == nil { copy.location.file = file }
        if let part {
            copy.location.part = copy.location.part.map { "\(part), \($0)" } ?? part
        }
        if copy.location.offset == nil { copy.location.offset = offset }
        return copy
    }
}

extension LanceError: CustomStringConvertible {
    /// One line: class, message, place.
    public var description: String {
        let place = location.description
        let tail = cause.map { " (\($0))" } ?? ""
        return place.isEmpty ? "\(code): \(message)\(tail)" : "\(code): \(message) [\(place)]\(tail)"
    }
}

extension LanceError {
    /// Bytes that break a rule of the format.
    @inline(never)
    @usableFromInline package static func corrupt(
        _ message: String,
        part: String? = nil,
        offset: UInt64? = nil
    ) -> LanceError {
        LanceError(.corrupt, message, at: ByteLocation(part: part, offset: offset))
    }

    /// A file or buffer that ends too early.
    @inline(never)
    @usableFromInline package static func truncated(
        _ message: String,
        part: String? = nil,
        offset: UInt64? = nil
    ) -> LanceError {
        LanceError(.truncated, message, at: ByteLocation(part: part, offset: offset))
    }

    /// A feature that is known but not implemented.
    @inline(never)
    @usableFromInline package static func unsupported(_ message: String, part: String? = nil) -> LanceError {
        LanceError(.unsupported, message, at: ByteLocation(part: part))
    }

    /// An argument that makes no sense.
    @inline(never)
    @usableFromInline package static func invalidArgument(_ message: String) -> LanceError {
        LanceError(.invalidArgument, message)
    }

    /// Data of the wrong shape.
    @inline(never)
    @usableFromInline package static func schemaMismatch(_ message: String) -> LanceError {
        LanceError(.schemaMismatch, message)
    }

    /// A size or count over a limit of ``DecodeLimits``.
    @inline(never)
    @usableFromInline package static func limitExceeded(_ message: String, part: String? = nil) -> LanceError {
        LanceError(.limitExceeded, message, at: ByteLocation(part: part))
    }
}
