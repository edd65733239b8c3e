import LancerArrow
import LancerBytes

/// Conversion of whole columns to another type, by the rules of `CAST`.
package enum ArrayCast {
    /// Whether values of one type can be converted to another at all.
    package static func isPossible(_ from: ArrowType, _ to: ArrowType) -> Bool { Casting.isPossible(from, to) }

    /// Converts an array.
    ///
    /// - Parameter zone: Finds the rules of named time zones.
    /// - Throws: `invalidArgument` for a value that does not fit the type.
    package static func cast(
        _ array: ArrowArray,
        to type: ArrowType,
        zone: @escaping @Sendable (String) throws(LanceError) -> ZoneRules
    ) throws(LanceError) -> ArrowArray {
        try Casting.cast(array, to: type, .checked, EvaluationContext(now: 0, zone: zone))
    }
}
