import Lancer
import LancerArrow

/// `lancer conformance write`.
struct ConformanceWrite {
    let values: String
    let out: String
    let ask: ConformanceQuestion

    init(values: String, out: String, ask: String) throws {
        self.values = values
        self.out = out
        self.ask = try ConformanceQuestion(ask, known: ["file_version", "max_rows_per_file", "stable_row_ids"])
    }

    func run() async throws {
        var options = WriteOptions()
        options.durable = false
        let version = try ask.required("file_version", \.text)
        guard let fileVersion = WriteOptions.FileVersion(rawValue: version) else {
            throw QuestionNotSupported(what: "writing file version \(version)")
        }
        options.fileVersion = fileVersion
        if let rows = ask["max_rows_per_file"]?.integer { options.maxRowsPerFile = rows }
        options.stableRowIDs = ask["stable_row_ids"]?.boolean ?? false
        let batch = try ConformanceValues.batch(try ConformanceQuestion.load(values))
        for column in batch.columns { try column.validate() }
        _ = try await Dataset.create(at: out, from: OneBatch(batch), options: options)
    }
}
