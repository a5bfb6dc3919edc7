import Control
import JSON

/// What `check` has found.
struct CheckReport {
    /// The version of the form of ``json``: higher when something is taken away or changes its
    /// meaning, not when something is added.
    static let schema = 1

    private(set) var findings: [Finding] = []

    /// - Parameter topic: what the findings are about: `host`, `policy`, `daemon`, `hooks`,
    ///   `engines` or `trial`.
    mutating func add(_ topic: String, _ found: [Finding]) {
        findings += found.map {
            var finding = $0
            finding.topic = topic
            return finding
        }
    }

    /// That of the worst finding.
    var verdict: Finding.Verdict {
        let verdicts = findings.map(\.verdict)
        return verdicts.contains(.fail) ? .fail : verdicts.contains(.warn) ? .warn : .ok
    }

    /// For people: a line for each finding, and one for what to do about it.
    var text: String { findings.map(\.description).joined(separator: "\n") }

    /// For programs, in one line.
    var json: String {
        let value = JSONValue.object([
            "schema": .integer(Int64(Self.schema)),
            "version": .string(version),
            "verdict": .string(verdict.rawValue),
            "findings": .array(
                findings.map { finding in
                    var members: JSONObject = [
                        "topic": .string(finding.topic),
                        "verdict": .string(finding.verdict.rawValue),
                        "text": .string(Log.singleLine(finding.text)),
                    ]
                    if let remedy = finding.remedy {
                        members["remedy"] = .string(Log.singleLine(remedy))
                    }
                    return .object(members)
                }),
        ])
        return String(decoding: value.encoded(), as: UTF8.self)
    }
}
