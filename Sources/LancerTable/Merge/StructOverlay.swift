import LancerArrow
import LancerBytes
import LancerFile

/// New values for some fields of structs; the other fields keep what they have.
///
/// A struct is null in the result when it is null on both sides: a field that one side has makes it a value, as the
/// reference does it.
enum StructOverlay {
    /// Whether `part` is `whole` without some fields of structs that are not inside of lists.
    static func isPossible(_ part: LanceField, of whole: LanceField) -> Bool {
        if part == whole { return true }
        guard case .structure = whole.type, !whole.isPackedStruct else { return false }
        return part.children.allSatisfy { child in
            whole.children.contains { $0.id == child.id && isPossible(child, of: $0) }
        }
    }

    /// - Parameters:
    ///   - new: Values of `part`.
    ///   - old: As many values of `whole`.
    /// - Throws: `schemaMismatch` when a field would be null that must not be.
    static func apply(
        _ new: ArrowArray,
        _ part: LanceField,
        over old: ArrowArray,
        _ whole: LanceField
    ) throws(LanceError) -> ArrowArray {
        guard part != whole, case .structure(let newChildren) = new.storage,
            case .structure(let oldChildren) = old.storage
        else { return new }
        var children: [ArrowArray] = []
        for (index, field) in whole.children.enumerated() {
            let before = oldChildren[index].masked(by: old.validity)
            guard let position = part.children.firstIndex(where: { $0.id == field.id }) else {
                children.append(before)
                continue
            }
            let after = newChildren[position].masked(by: new.validity)
            children.append(try apply(after, part.children[position], over: before, field))
        }
        let validity = Bitmap.either(new.validity, old.validity)
        for (field, child) in zip(whole.children, children) where !field.nullable {
            let isNull = (0..<child.length).contains { child.isNull($0) && (validity?[$0] ?? true) }
            guard !isNull else { throw .schemaMismatch("field \"\(field.name)\" of a struct must not be null") }
        }
        return ArrowArray(type: whole.type, length: new.length, validity: validity, storage: .structure(children))
    }
}

extension ArrowArray {
    /// The values, null also where `validity` is not set.
    fileprivate func masked(by validity: Bitmap?) -> ArrowArray {
        withValidity(Bitmap.both(validity, self.validity))
    }
}

extension Bitmap {
    /// Bits set in one of both or in both; nil stands for all bits set. The counts must be equal.
    fileprivate static func either(_ left: Bitmap?, _ right: Bitmap?) -> Bitmap? {
        guard let left, let right else { return nil }
        return Bitmap(count: left.count) { left[$0] || right[$0] }
    }
}
