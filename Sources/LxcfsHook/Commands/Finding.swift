/// A line of the report that `check` prints.
package struct Finding: Equatable, Sendable, CustomStringConvertible {
    package let verdict: Verdict
    /// What it is about, in one word; see ``CheckReport``.
    package var topic = ""
    package let text: String
    /// What to type or to do about it.
    package var remedy: String?

    package enum Verdict: String, Equatable, Sendable {
        case ok, warn, fail
    }

    package static func ok(_ text: String) -> Finding { Finding(verdict: .ok, text: text) }
    package static func warn(_ text: String, _ remedy: String? = nil) -> Finding {
        Finding(verdict: .warn, text: text, remedy: remedy)
    }
    package static func fail(_ text: String, _ remedy: String? = nil) -> Finding {
        Finding(verdict: .fail, text: text, remedy: remedy)
    }

    package var description: String {
        let word =
            switch verdict {
            case .ok: "ok  "
            case .warn: "warn"
            case .fail: "FAIL"
            }
        let remedy = remedy.map { "\n     -> \(Log.singleLine($0))" } ?? ""
        return "\(word) \(Log.singleLine(text))\(remedy)"
    }
}
