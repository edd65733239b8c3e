import LancerBytes
import SwiftProtobuf

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension ArrowBuffer {
    /// Decodes a protobuf message.
    ///
    /// - Throws: `corrupt`.
    func decoded<M: Message>(as type: M.Type, _ name: String) throws(LanceError) -> M {
        do {
            return try M(serializedBytes: bytes)
        } catch {
            throw LanceError(.corrupt, "the \(name) message cannot be decoded", cause: error)
        }
    }

    /// Encodes a protobuf message. Maps are written in the order of their keys, so that equal messages have equal bytes.
    ///
    /// - Throws: `limitExceeded` when the message is too large for protobuf.
    init(encoding message: some Message, _ name: String) throws(LanceError) {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        do {
            let bytes: [UInt8] = try message.serializedBytes(options: options)
            self.init(bytes)
        } catch {
            throw LanceError(.limitExceeded, "the \(name) message cannot be encoded", cause: error)
        }
    }
}

extension ArrowBuffer {
    /// The bytes as the content of a `bytes` field of a message.
    var data: Data { Data(bytes) }
}

extension Message {
    /// The message as the content of a `bytes` field of another one.
    ///
    /// - Throws: `limitExceeded` when the message is too large for protobuf.
    func encodedData(_ name: String) throws(LanceError) -> Data {
        do {
            return try serializedBytes()
        } catch {
            throw LanceError(.limitExceeded, "the \(name) message cannot be encoded", cause: error)
        }
    }
}
