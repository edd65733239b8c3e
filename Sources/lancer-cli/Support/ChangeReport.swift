import Lancer

/// What a command that made a version says.
struct ChangeReport {
    let dataset: Dataset
    /// What was done, for people: `restored version 3`.
    let text: String
    var members: [(String, JSONText)] = []

    func show(json: Bool) throws {
        let out = standardOutput()
        if json {
            let all = [("version", JSONText.unsigned(dataset.version))] + members
            try out.write("\(JSONText.object(all).line)\n")
        } else {
            try out.write("\(text.visible); version \(dataset.version)\n")
        }
        try out.flush()
    }
}
