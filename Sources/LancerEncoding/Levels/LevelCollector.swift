import LancerBytes

/// Repetition and definition levels of the rows read so far, from one page or several.
///
/// Pages of one column may number their definition levels differently (a layer without nulls takes no level). The
/// collector keeps one numbering and translates what is in another.
package final class LevelCollector {
    /// The layers whose numbering the collected levels use, innermost first.
    package private(set) var layers: [RepDefLayer]
    private let repetition: OutputBuffer?
    private var definition: OutputBuffer?
    /// Level entries collected.
    package private(set) var count = 0

    package init(_ layers: [RepDefLayer]) {
        self.layers = layers
        repetition = layers.maxRepetition > 0 ? OutputBuffer() : nil
        definition = layers.maxDefinition > 0 ? OutputBuffer() : nil
    }

    /// How the levels of a page must be renumbered; nil when they fit as they are.
    package struct Translation {
        fileprivate let map: [UInt16]
    }

    /// Gets ready for entries of a page with these layers.
    ///
    /// - Throws: `corrupt` when the page nests differently from the ones before.
    package func prepare(for page: [RepDefLayer]) throws(LanceError) -> Translation? {
        if page == layers { return nil }
        guard page.map(\.isList) == layers.map(\.isList) else {
            throw .corrupt("pages of one column have different layers: \(layers) and \(page)")
        }
        let union = zip(layers, page).map { $0.union($1) }
        if union != layers {
            if let definition {
                Self.renumber(definition, Self.map(from: layers, to: union))
            } else if union.maxDefinition > 0 {
                definition = OutputBuffer()
                definition?.appendZeros(count * 2)
            }
            layers = union
        }
        return Translation(map: Self.map(from: page, to: union))
    }

    /// Appends `length` entries; absent levels are all zero.
    package func append(
        repetition newRepetition: UnsafePointer<UInt16>?,
        definition newDefinition: UnsafePointer<UInt16>?,
        count length: Int,
        translation: Translation?
    ) throws(LanceError) {
        if let repetition {
            guard let newRepetition else { throw .corrupt("a page of a list column without repetition levels") }
            repetition.append(UnsafeRawPointer(newRepetition), length * 2)
        }
        if let definition {
            if let newDefinition {
                let room = definition.extend(by: length * 2).assumingMemoryBound(to: UInt16.self)
                if let map = translation?.map {
                    for index in 0..<length {
                        let level = Int(newDefinition[index])
                        guard level < map.count else { throw .corrupt("definition level \(level) is not in use") }
                        room[index] = map[level]
                    }
                } else {
                    room.update(from: newDefinition, count: length)
                }
            } else {
                definition.appendZeros(length * 2)
            }
        }
        count += length
    }

    /// The levels collected.
    package func finish() -> Levels {
        Levels(
            layers: layers,
            repetition: repetition?.finish(),
            definition: definition?.finish(),
            count: count
        )
    }

    /// New number of each old definition level.
    private static func map(from old: [RepDefLayer], to new: [RepDefLayer]) -> [UInt16] {
        var result: [UInt16] = [0]
        var base: UInt16 = 0
        for (from, to) in zip(old, new) {
            switch (from, to) {
            case (.emptyableList, .nullAndEmptyList): result.append(base + 2)
            case (.nullableList, .nullAndEmptyList): result.append(base + 1)
            default:
                for level in 0..<from.definitionLevelCount { result.append(base + 1 + UInt16(level)) }
            }
            base += UInt16(to.definitionLevelCount)
        }
        return result
    }

    private static func renumber(_ levels: OutputBuffer, _ map: [UInt16]) {
        levels.withMutableValues(of: UInt16.self) { values in
            // Levels above the map were refused when they came in.
            for index in values.indices { values[index] = map[Int(values[index])] }
        }
    }
}

extension RepDefLayer {
    /// The layer that has the levels of both.
    func union(_ other: RepDefLayer) -> RepDefLayer {
        if self == other { return self }
        if !isList { return .nullableItem }
        switch (self, other) {
        case (.allValidList, let some), (let some, .allValidList): return some
        default: return .nullAndEmptyList
        }
    }
}

/// Levels of the rows read.
package struct Levels: Sendable {
    package let layers: [RepDefLayer]
    /// 16-bit levels; nil when the column has no list.
    package let repetition: ArrowBuffer?
    /// 16-bit levels; nil when everything is valid.
    package let definition: ArrowBuffer?
    /// Number of entries.
    package let count: Int

    package init(layers: [RepDefLayer], repetition: ArrowBuffer?, definition: ArrowBuffer?, count: Int) {
        self.layers = layers
        self.repetition = repetition
        self.definition = definition
        self.count = count
    }
}
