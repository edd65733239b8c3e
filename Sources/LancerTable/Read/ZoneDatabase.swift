import LancerBytes
import LancerExpression
import LancerStorage

/// The rules of named time zones, from the machine's zone database.
package enum ZoneDatabase {
    private static let directories = ["/usr/share/zoneinfo", "/var/db/timezone/zoneinfo", "/usr/lib/zoneinfo"]
    private static let known = RecentlyUsed<String, ZoneRules>(capacity: 64)

    /// - Throws: `unsupported` when the machine has no such zone.
    package static func rules(_ name: String) throws(LanceError) -> ZoneRules {
        if let rules = known.value(name) { return rules }
        // The name comes from a table: it must stay a name below the database.
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
                }
        }
        if isPlain, name.utf8.count <= 64 {
            for directory in directories {
                guard let file = try? LocalObject(path: "\(directory)/\(name)"), file.size <= 1 << 20 else { continue }
                let rules = try ZoneRules(tzif: try file.readNow([0..<file.size])[0])
                known.keep(rules, name)
                return rules
            }
        }
        throw .unsupported("the time zone \"\(name)\" is not known to this machine; install its zone database (tzdata)")
    }
}
