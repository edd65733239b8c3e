extension BinaryInteger {
    /// Digits in groups of three: `1,048,576`.
    var grouped: String {
        let text = String(magnitude)
        var result = ""
        for (index, digit) in text.enumerated() {
            if index > 0, (text.count - index).isMultiple(of: 3) { result.append(",") }
            result.append(digit)
        }
        return self < 0 ? "-\(result)" : result
    }

    /// The number and what it counts: `1 row`, `1,048,576 rows`.
    func counted(_ noun: String) -> String { "\(grouped) \(noun)\(self == 1 ? "" : "s")" }

    /// Bytes with a binary unit: `12 B`, `3.4 KiB`, `1.2 GiB`.
    var byteText: String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(self)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(self) B" : "\(value.fixed(1)) \(units[unit])"
    }
}

extension Double {
    /// The number with `digits` digits after the point, rounded half away from zero.
    func fixed(_ digits: Int) -> String {
        guard isFinite, magnitude < 1e15 else { return "\(self)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((magnitude * scale).rounded())
        let whole = scaled / Int64(scale)
        guard digits > 0 else { return "\(self < 0 ? "-" : "")\(whole)" }
        let fraction = String(scaled % Int64(scale))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(self < 0 && scaled > 0 ? "-" : "")\(whole).\(zeros)\(fraction)"
    }
}
