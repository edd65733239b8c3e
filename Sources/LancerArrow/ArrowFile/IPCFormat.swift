import LancerBytes

/// Numbers that the Arrow IPC format fixes.
///
/// Spec: Arrow columnar format, "Serialization and Interprocess Communication"; Schema.fbs, Message.fbs, File.fbs.
enum IPCFormat {
    /// First bytes of a file (followed by two zero bytes) and its last six.
    static let magic: [UInt8] = Array("ARROW1".utf8)
    /// Length of the magic at the start with its padding, in bytes.
    static let paddedMagicLength = 8
    /// Stands before the length of each message since Arrow 0.15.
    static let continuation: UInt32 = 0xFFFF_FFFF
    /// What buffers and messages are padded to, in bytes.
    static let alignment = 8
    /// Bytes of a `Block` of the footer: offset, metadata length (and four bytes of padding), body length.
    static let blockSize = 24

    /// `MetadataVersion` that is written.
    static let version: Int16 = 4
    /// `MetadataVersion`s that are read: V4 and V5 differ only in unions.
    static let readableVersions: ClosedRange<Int16> = 3...4

    /// Most values of a column that takes no bytes (type null, a struct without children) and so bounds nothing.
    static let mostWeightlessValues = Int(Int32.max)

    /// The union `MessageHeader`.
    enum Header {
        static let schema: UInt8 = 1
        static let dictionaryBatch: UInt8 = 2
        static let recordBatch: UInt8 = 3
    }

    /// The union `Type`.
    enum TypeID {
        static let null: UInt8 = 1
        static let int: UInt8 = 2
        static let floatingPoint: UInt8 = 3
        static let binary: UInt8 = 4
        static let utf8: UInt8 = 5
        static let bool: UInt8 = 6
        static let decimal: UInt8 = 7
        static let date: UInt8 = 8
        static let time: UInt8 = 9
        static let timestamp: UInt8 = 10
        static let interval: UInt8 = 11
        static let list: UInt8 = 12
        static let structure: UInt8 = 13
        static let union: UInt8 = 14
        static let fixedSizeBinary: UInt8 = 15
        static let fixedSizeList: UInt8 = 16
        static let map: UInt8 = 17
        static let duration: UInt8 = 18
        static let largeBinary: UInt8 = 19
        static let largeUtf8: UInt8 = 20
        static let largeList: UInt8 = 21
        static let runEndEncoded: UInt8 = 22
        static let binaryView: UInt8 = 23
        static let utf8View: UInt8 = 24
        static let listView: UInt8 = 25
        static let largeListView: UInt8 = 26
    }
}

/// How the buffers of a record batch are compressed.
public enum IPCCompression: Sendable, Hashable {
    /// As they are.
    case none
    /// LZ4 frames.
    case lz4
    /// Zstandard frames at a level of 1 (fast) to 22 (small).
    case zstd(level: Int)
}

/// How Arrow IPC data is written.
public struct IPCWriteOptions: Sendable {
    /// Compression of the buffers; none unless asked for.
    public var compression = IPCCompression.none

    /// Options, to be changed one by one.
    public init() {}

    /// Options with a compression.
    public init(compression: IPCCompression) { self.compression = compression }
}

/// How Arrow IPC data is read.
public struct IPCReadOptions: Sendable {
    /// Upper bounds on what the data may make the reader do.
    public var limits = DecodeLimits.standard
    /// Whether `string_view` and `binary_view` columns become `large_string` and `large_binary` instead of `string`
    /// and `binary`, which hold at most 2 GiB a batch.
    public var largeViews = false
    /// Whether a type that Lancer has not becomes the nearest one it has, or null, when only the schema is looked at.
    package var substitutesTypes = false

    /// Options, to be changed one by one.
    public init() {}
}

/// How the values of a field lie in the nodes and buffers of a record batch message.
struct IPCLayout {
    indirect enum Shape {
        /// As the type says, without children.
        case direct
        /// 16-byte views and any number of data buffers, to be turned into offsets and data.
        case view
        /// As the type says, with a layout for each child.
        case nested([IPCLayout])
        /// Indices; the values come in dictionary batches of that id.
        case dictionary(id: Int64, values: IPCLayout)
    }

    /// Type of the array that is made or written.
    let type: ArrowType
    let shape: Shape
    /// Dotted path of the column, for messages.
    let path: String
}

/// A schema together with what the messages add to it.
struct IPCSchema {
    let schema: ArrowSchema
    /// One layout a column.
    let layouts: [IPCLayout]
    /// Layout of the values of each dictionary.
    let dictionaries: [Int64: IPCLayout]
}
